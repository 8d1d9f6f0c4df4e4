"""`lamppost camera adjust`: the time server, the picture and the outputs of a device."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import BY_COMMAND, user_name
from lamppost.model.layout import DataFolder
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_adjusting import Adjustment, adjust
from lamppost.store.acts import record_act
from lamppost.store.device_locks import DeviceLocks


@one_line_errors
def camera_adjust(
    name: Annotated[str, typer.Argument(help="The camera's name.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = DEFAULT_CONFIG,
    time_server: Annotated[str | None, typer.Option("--time-server", help="The time server that the device asks.")] = None,
    picture: Annotated[
        list[str] | None,
        typer.Option("--picture", help="brightness, contrast, saturation, sharpness or infrared_filter, as NAME=VALUE; repeat."),
    ] = None,
    outputs: Annotated[list[str] | None, typer.Option("--output", help="A switched output, as TOKEN=on or TOKEN=off; repeat.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Set the device behind a camera over ONVIF. It is on the record."""
    file = ConfigFile(config)
    camera = file.camera(name)
    if camera is None:
        raise ConfigError(f"there is no camera {name!r}", remedy="see `lamppost camera list`")
    wanted = Adjustment.of(time_server, picture or (), outputs or ())
    folder, clock = DataFolder(file.before.data), SystemClock()
    detail = {"device": {"time_server": time_server, "picture": dict(wanted.picture), "outputs": dict(wanted.outputs)}}

    def first() -> None:
        record_act(folder, clock, kind="camera_changed", actor=user_name(), subject=name, detail=detail)

    with CredentialKeeper(folder) as keeper:
        done = adjust(
            camera, file.before, clock, keeper.password_of(camera), wanted, locks=DeviceLocks(folder, clock, BY_COMMAND), first=first
        )
    typer.echo(json.dumps({"camera": name, "done": done}) if as_json else f"camera {name}: {'; '.join(done)}.")
