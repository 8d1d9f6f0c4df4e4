"""The command `lamppost`: its commands and what they have in common."""

from __future__ import annotations

import resource
from typing import Annotated

import typer

from lamppost import __version__
from lamppost.cli.late import late_group

app = typer.Typer(
    name="lamppost",
    cls=late_group(
        {
            "init": ("lamppost.cli.init", "init"),
            "serve": ("lamppost.cli.serve", "serve"),
            "mask": ("lamppost.cli.mask", "mask"),
            "analyse": ("lamppost.cli.analyse", "analyse"),
            "check": ("lamppost.cli.check", "check"),
            "upgrade": ("lamppost.cli.upgrade", "upgrade"),
            "plan": ("lamppost.cli.plan", "plan"),
        }
    ),
    help="Records cameras as sealed originals that nobody opens alone, and as masked video that anyone may watch. Identifies nobody.",
    epilog="Start: lamppost init, then lamppost serve. To mask a file: lamppost mask IN OUT.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # locals may hold a password
    context_settings={"help_option_names": ["-h", "--help"]},
)
camera_app = typer.Typer(
    cls=late_group(
        {
            "list": ("lamppost.cli.inspect", "camera_list"),
            "add": ("lamppost.cli.camera", "camera_add"),
            "set": ("lamppost.cli.camera", "camera_set"),
            "remove": ("lamppost.cli.camera", "camera_remove"),
            "test": ("lamppost.cli.camera", "camera_test"),
            "find": ("lamppost.cli.device_find", "camera_find"),
            "origin": ("lamppost.cli.camera_origin", "camera_origin"),
            "firmware": ("lamppost.cli.camera_firmware", "camera_firmware"),
            "password": ("lamppost.cli.camera_password", "camera_password"),
            "gaps": ("lamppost.cli.gaps", "camera_gaps"),
            "uptime": ("lamppost.cli.uptime", "camera_uptime"),
            "import": ("lamppost.cli.device_import", "camera_import"),
            "export": ("lamppost.cli.device_import", "camera_export"),
            "device": ("lamppost.cli.device_care", "camera_device"),
            "adjust": ("lamppost.cli.device_adjust", "camera_adjust"),
            "audit": ("lamppost.cli.audit", "camera_audit"),
            "disarm": ("lamppost.cli.device_disarm", "camera_disarm"),
            "rollback": ("lamppost.cli.device_disarm", "camera_rollback"),
        }
    ),
    no_args_is_help=True,
    help="Add, change, try and account for cameras.",
)
profiles_app = typer.Typer(
    cls=late_group(
        {
            "list": ("lamppost.cli.device_import", "profiles_list"),
            "set": ("lamppost.cli.device_import", "profiles_set"),
            "remove": ("lamppost.cli.device_import", "profiles_remove"),
        }
    ),
    no_args_is_help=True,
    help="What many cameras of a table have in common.",
)
config_app = typer.Typer(
    cls=late_group({"check": ("lamppost.cli.inspect", "config_check")}), no_args_is_help=True, help="Look at the configuration."
)
backup_app = typer.Typer(
    cls=late_group({"create": ("lamppost.cli.backup", "backup_create"), "restore": ("lamppost.cli.backup", "backup_restore")}),
    no_args_is_help=True,
    help="Copy the books, and put them back.",
)
hold_app = typer.Typer(
    cls=late_group(
        {
            "add": ("lamppost.cli.hold", "hold_add"),
            "list": ("lamppost.cli.hold", "hold_list"),
            "release": ("lamppost.cli.hold", "hold_release"),
        }
    ),
    no_args_is_help=True,
    help="Keep footage that would be deleted.",
)
user_app = typer.Typer(
    cls=late_group(
        {
            "list": ("lamppost.cli.user", "user_list"),
            "add": ("lamppost.cli.user", "user_add"),
            "link": ("lamppost.cli.user", "user_link"),
            "disable": ("lamppost.cli.user", "user_disable"),
            "remove": ("lamppost.cli.user", "user_remove"),
        }
    ),
    no_args_is_help=True,
    help="Who may use the console, and links for who cannot get in.",
)
notify_app = typer.Typer(
    cls=late_group(
        {
            "test": ("lamppost.cli.notify", "notify_test"),
            "list": ("lamppost.cli.notify", "notify_list"),
            "retry": ("lamppost.cli.notify", "notify_retry"),
        }
    ),
    no_args_is_help=True,
    help="Who is told of events: try it, look at it, send again what did not arrive.",
)
model_app = typer.Typer(
    cls=late_group(
        {
            "list": ("lamppost.cli.model", "model_list"),
            "pull": ("lamppost.cli.model", "model_pull"),
            "add": ("lamppost.cli.model", "model_add"),
            "verify": ("lamppost.cli.model", "model_verify"),
        }
    ),
    no_args_is_help=True,
    help="The detection models: which may run, where they come from.",
)
counts_app = typer.Typer(
    cls=late_group({"export": ("lamppost.cli.counts", "counts_export"), "plot": ("lamppost.cli.counts", "counts_plot")}),
    no_args_is_help=True,
    help="What was counted at lines and in zones: as a table, and as a picture.",
)
event_app = typer.Typer(
    cls=late_group({"list": ("lamppost.cli.event", "event_list")}),
    no_args_is_help=True,
    help="What happened in front of cameras, and to them.",
)
bench_app = typer.Typer(
    cls=late_group({"leak": ("lamppost.cli.bench", "bench_leak"), "track": ("lamppost.cli.bench_track", "bench_track")}),
    no_args_is_help=True,
    help="Measure, beside the truth and a peer.",
)
release_app = typer.Typer(
    cls=late_group({"open": ("lamppost.cli.release", "release_open")}), no_args_is_help=True, help="Open originals, together."
)
simulate_app = typer.Typer(
    cls=late_group({"camera": ("lamppost.cli.simulate", "camera")}), no_args_is_help=True, help="Try Lamppost without hardware."
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"lamppost {__version__}")
        raise typer.Exit


@app.callback()
def _common(  # pyright: ignore[reportUnusedFunction]
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")] = False,
) -> None:
    """Options that every command has before it."""


camera_app.add_typer(profiles_app, name="profiles")
app.add_typer(camera_app, name="camera")
app.add_typer(config_app, name="config")
app.add_typer(backup_app, name="backup")
app.add_typer(hold_app, name="hold")
app.add_typer(user_app, name="user")
app.add_typer(notify_app, name="notify")
app.add_typer(model_app, name="model")
app.add_typer(counts_app, name="counts")
app.add_typer(event_app, name="event")
app.add_typer(bench_app, name="bench")
app.add_typer(release_app, name="release")
app.add_typer(simulate_app, name="simulate")


def run() -> None:
    """Entry point of the installed command."""
    # A core dump would put frames, keys and passwords on a disk; children inherit this.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    app()


if __name__ == "__main__":
    run()
