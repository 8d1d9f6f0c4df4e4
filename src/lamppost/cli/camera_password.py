"""`lamppost camera password`, and how a password is given on the command line: never as an argument, which others could read."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Final

import typer

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.device_care import change_on_device
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.acts import NODE
from lamppost.model.layout import DataFolder
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.credentials import LONGEST_BYTES, CredentialKeeper, check_password, naming
from lamppost.store.acts import record_act

_LONGEST_LINE: Final = 4 * LONGEST_BYTES


@one_line_errors
def camera_password(
    name: Annotated[str | None, typer.Argument(help="A camera, for --rotate and --settle.", show_default=False)] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Have the camera's device take a new password; a strong one is made.")] = False,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="With --rotate: it is read from standard input.")] = False,
    in_clear: Annotated[
        bool, typer.Option("--in-clear", help="With --rotate: send it over http, where others on the camera's network can read it.")
    ] = False,
    settle: Annotated[bool, typer.Option("--settle", help="After a --rotate that was cut off: find out which one holds.")] = False,
    change_key: Annotated[bool, typer.Option("--change-key", help="Encrypt all passwords of cameras with a new key.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="With --change-key: forget passwords that cannot be read any more.")] = False,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Change the password of a camera on its device, or the key that all of them are encrypted with; a node may be running.

    A password is kept encrypted and printed nowhere. The key before is destroyed. Backups that were made until now hold it, and are as
    secret as they were.
    """
    _check_wish(name, rotate=rotate, settle=settle, change_key=change_key)
    if in_clear and not rotate:
        raise ConfigError("--in-clear was given without --rotate", remedy="nothing else sends a password as it is")
    if password_stdin and not rotate:
        keep = "to keep one that the camera has already: lamppost camera set NAME --password-stdin"
        raise ConfigError("--password-stdin was given without --rotate", remedy=keep)
    if forget and not change_key:
        raise ConfigError("--forget was given without --change-key", remedy="nothing else forgets passwords")
    if name is not None:
        change_on_device(config, name, asked_password(password_stdin), is_settled=settle, in_clear=in_clear, as_json=as_json)
        return
    folder = _data_folder(load_settings(config).data)
    clock, actor = SystemClock(), f"{user_name()} (lamppost camera password)"

    def first() -> None:
        record_act(folder, clock, kind="credential_key_changed", actor=actor, subject=NODE, detail={"forget": forget})

    with CredentialKeeper(folder, clock) as keeper:
        before = len(keeper.kept())
        count = keeper.change_key(forget=forget, first=first)
    if as_json:
        typer.echo(json.dumps({"passwords": count, "forgotten": before - count}))
        return
    typer.echo(f"the key was changed; passwords encrypted with the new one: {count}")
    if before > count:
        typer.echo(f"forgotten, since nobody can read them: {before - count}; give them with `lamppost camera set NAME --password-stdin`")


def _check_wish(name: str | None, *, rotate: bool, settle: bool, change_key: bool) -> None:
    """Raises `ConfigError` unless one thing is to be done, with a camera where it is done with one."""
    options = (("--rotate", rotate), ("--settle", settle), ("--change-key", change_key))
    wishes = [word for word, is_given in options if is_given]
    if not wishes:
        what = "nothing to do was given" if name is None else f"nothing to do with camera {name!r} was given"
        raise ConfigError(what, remedy="give --rotate or --settle with a camera, or --change-key without one")
    if len(wishes) > 1:
        raise ConfigError(f"{' and '.join(wishes)} were given together", remedy="give one of them")
    if change_key and name is not None:
        raise ConfigError("--change-key is for the passwords of all cameras", remedy=f"give it without {name}")
    if not change_key and name is None:
        raise ConfigError(f"{wishes[0]} was given without a camera", remedy=f"say which: lamppost camera password NAME {wishes[0]}")


def asked_password(is_wanted: bool, password_file: Path | None = None) -> str | None:
    """What stands in the first line of standard input, or what is typed unseen; raises `ConfigError` for what is no password."""
    if not is_wanted:
        return None
    if password_file is not None:
        raise ConfigError("--password-stdin and --password-file were both given", remedy="give one of them")
    if sys.stdin.isatty():
        password = str(typer.prompt("Password of the camera", hide_input=True))
    else:
        try:
            password = sys.stdin.readline(_LONGEST_LINE).rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ConfigError("the password on standard input is no text", remedy="give it in UTF-8") from error
    check_password(password)
    return password


@contextlib.contextmanager
def kept_fields(keeper: CredentialKeeper, file: ConfigFile, name: str, password: str | None) -> Generator[Fields]:
    """The settings that name the password, kept encrypted; none where there is none."""
    if password is None:
        yield {}
        return
    _data_folder(file.before.data)
    with naming(keeper, name, password) as fields:
        yield fields


def _data_folder(data: Path) -> DataFolder:
    """Raises `ConfigError` where it is not there: a disk that is not mounted keeps no password."""
    if not data.is_dir():
        raise ConfigError(f"there is no data folder {data}", remedy="`lamppost init` makes one; is its disk mounted?")
    return DataFolder(data)
