"""`camera list` and `config check`: look, and say what is so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lamppost.base.logging import redact
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.model.event_document import KNOWN_TYPES
from lamppost.model.settings import CameraSettings, Settings
from lamppost.model.vision import Preset
from lamppost.pipeline.configuration import load_settings, load_whole
from lamppost.pipeline.preflight import look

PROMISES = {
    Preset.MOTION: "faces that are seen, and everything that moves",
    Preset.FACES: "faces that are seen, and nothing else",
    Preset.HEADS: "faces that are seen, and the upper part of persons that are found",
    Preset.PERSONS: "faces that are seen, and persons that are found, whole",
    Preset.ALL: "the whole frame",
}
STILL_PERSONS = (
    "People who stood still from the start are covered only where their face is seen, "
    "unless a person model is in the models folder (`lamppost model list`)."
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@one_line_errors
def config_check(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Read the configuration as `serve` would, and say what is wrong with it, and with the machine.

    Warnings: unencrypted swap, a clock that nobody sets, too little disk for the
    retention asked, too few open files, the vault on the disk of the footage,
    a folder that cannot be written, secrets that others can read. Exit code 0:
    the configuration can be used. 2: it cannot; every mistake has its line.
    """
    settings = load_whole(config)
    warnings = [*_warnings(settings), *(str(concern) for concern in look(settings))]
    if as_json:
        typer.echo(json.dumps({"config": str(config), "cameras": len(settings.camera), "warnings": warnings}))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{escape(str(config))} can be used: {len(settings.camera)} camera(s), any {settings.sealing.threshold} of "
        f"{len(settings.sealing.custodians)} custodians open originals."
    )
    for warning in warnings:
        console.print(f"[bold yellow]warning:[/] {escape(warning)}")


@one_line_errors
def camera_list(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List the configured cameras, and say what is masked of each."""
    settings = load_settings(config)
    rows = [_row(camera, settings) for camera in settings.camera]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    console = Console(highlight=False)
    if not rows:
        console.print(f"{escape(str(config))} names no camera: add a table \\[\\[camera]] with name and url.")
        return
    table = Table("camera", "source", "preset", "what is masked")
    for row in rows:
        table.add_row(*(escape(row[key]) for key in ("name", "url", "preset", "masks")))
    console.print(table)
    if any(row["preset"] != Preset.ALL for row in rows):
        console.print(STILL_PERSONS, soft_wrap=True)


def _row(camera: CameraSettings, settings: Settings) -> dict[str, str]:
    preset = camera.preset or settings.masking.preset
    row = {"name": camera.name, "url": redact(camera.url), "preset": preset.value, "masks": PROMISES[preset]}
    return row if preset is Preset.ALL else row | {"caveat": STILL_PERSONS}


def _warnings(settings: Settings) -> list[str]:
    warnings: list[str] = []
    if settings.sealing.trial:
        warnings.append("trial keys are in use: whoever reads custodians-TRIAL/ can open every original")
    if not settings.camera:
        warnings.append("no camera is configured")
    return (
        warnings
        + [
            f"camera {camera.name}: its password stands in this file; password_file keeps it apart"
            for camera in settings.camera
            if camera.password is not None or redact(camera.url) != camera.url
        ]
        + _of_carriers(settings)
    )


def _of_carriers(settings: Settings) -> list[str]:
    cameras = {camera.name for camera in settings.camera}
    known = set(KNOWN_TYPES)
    warnings: list[str] = []
    for carrier in settings.notify:
        if carrier.is_plain:
            warnings.append(
                f"carrier {carrier.name}: what is sent to {carrier.address} can be read on its way; https:// and mqtts:// cannot"
            )
        warnings += [f"carrier {carrier.name}: there is no camera {name!r}" for name in carrier.cameras if name not in cameras]
        warnings += [f"carrier {carrier.name}: there are no events of the type {name!r}" for name in carrier.types if name not in known]
    return warnings
