"""The command `lamppost`: its commands and what they have in common."""

from __future__ import annotations

import resource
from typing import Annotated

import typer

from lamppost import __version__
from lamppost.base.logging import configure_logging
from lamppost.cli.backup import backup_create, backup_restore
from lamppost.cli.camera import camera_add, camera_remove, camera_set, camera_test
from lamppost.cli.check import check
from lamppost.cli.gaps import camera_gaps
from lamppost.cli.hold import hold_add, hold_list, hold_release
from lamppost.cli.init import init
from lamppost.cli.inspect import camera_list, config_check
from lamppost.cli.mask import mask
from lamppost.cli.model import model_add, model_list, model_pull, model_verify
from lamppost.cli.plan import plan
from lamppost.cli.release import release_open
from lamppost.cli.serve import serve
from lamppost.cli.upgrade import upgrade

app = typer.Typer(
    name="lamppost",
    help="Records cameras as sealed originals that nobody opens alone, and as masked video that anyone may watch. Identifies nobody.",
    epilog="Start: lamppost init, then lamppost serve. To mask a file: lamppost mask IN OUT.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold a password
    context_settings={"help_option_names": ["-h", "--help"]},
)
camera_app = typer.Typer(no_args_is_help=True, help="Add, change, try and account for cameras.")
config_app = typer.Typer(no_args_is_help=True, help="Look at the configuration.")
backup_app = typer.Typer(no_args_is_help=True, help="Copy the books, and put them back.")
hold_app = typer.Typer(no_args_is_help=True, help="Keep footage that would be deleted.")
model_app = typer.Typer(no_args_is_help=True, help="The detection models: which may run, where they come from.")
release_app = typer.Typer(no_args_is_help=True, help="Open originals, together.")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"lamppost {__version__}")
        raise typer.Exit


@app.callback()
def _common(  # pyright: ignore[reportUnusedFunction]
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    # Standard output is for what a command prints: a script may read JSON there.
    configure_logging(process="lamppost")


app.command()(init)
app.command()(serve)
app.command()(mask)
app.command()(check)
app.command()(upgrade)
app.command()(plan)
camera_app.command("list")(camera_list)
camera_app.command("add")(camera_add)
camera_app.command("set")(camera_set)
camera_app.command("remove")(camera_remove)
camera_app.command("test")(camera_test)
camera_app.command("gaps")(camera_gaps)
config_app.command("check")(config_check)
backup_app.command("create")(backup_create)
backup_app.command("restore")(backup_restore)
hold_app.command("add")(hold_add)
hold_app.command("list")(hold_list)
hold_app.command("release")(hold_release)
model_app.command("list")(model_list)
model_app.command("pull")(model_pull)
model_app.command("add")(model_add)
model_app.command("verify")(model_verify)
release_app.command("open")(release_open)
app.add_typer(camera_app, name="camera")
app.add_typer(config_app, name="config")
app.add_typer(backup_app, name="backup")
app.add_typer(hold_app, name="hold")
app.add_typer(model_app, name="model")
app.add_typer(release_app, name="release")


def run() -> None:
    """Entry point of the installed command."""
    # A core dump would put frames, keys and passwords on a disk; children inherit this.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    app()


if __name__ == "__main__":
    run()
