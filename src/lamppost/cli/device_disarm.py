"""`lamppost camera disarm` and `rollback`: what a camera does with faces is switched off, on an order that goes on the record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cameras.disarm import Order, check_authorisation
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import BY_COMMAND, user_name
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.device_audits import open_audits, target_of
from lamppost.store.acts import record_act

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
AuthorisationOption = Annotated[
    str, typer.Option("--authorisation", help="Who decided it, and when; 10 letters at least. It goes on the record.")
]


@one_line_errors
def camera_disarm(
    name: Annotated[str, typer.Argument(help="The camera's name.")],
    config: ConfigOption = DEFAULT_CONFIG,
    authorisation: AuthorisationOption = "",
    reference: Annotated[str, typer.Option("--reference", help="Where the decision is filed.")] = "",
    is_dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be switched off, and change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Switch off what a camera does with faces, and its auto-tracking. Each step is read back, and the camera is audited again.

    Libraries of faces are never touched. Exit code 1: not all of it is off, or the camera does not say so.
    """
    settings = load_settings(config)
    camera = _camera(settings, name)
    folder, clock = DataFolder(settings.data), SystemClock()
    audits, target = open_audits(folder, clock, BY_COMMAND), target_of(camera, settings)
    if is_dry:
        plan = audits.plan(target)
        steps = [{"what": change.what, "now": change.now, "then": change.then} for change in plan.changes]
        if as_json:
            typer.echo(json.dumps({"steps": steps, "problems": list(plan.problems)}, indent=2))
            return
        for step in steps:
            typer.echo(f"{step['what']}: {step['now']} would become {step['then']}")
        is_known = bool(steps) or not plan.problems
        typer.echo("Nothing was changed." if steps else "Nothing would be switched off." if is_known else "What is on is not known.")
        for problem in plan.problems:
            typer.echo(f"not known: {problem}")
        if not is_known:
            raise typer.Exit(1)
        return
    order = Order(name, user_name(), authorisation, reference)
    order.check()
    told = {"authorisation": authorisation, "reference": reference}
    done = audits.disarm(
        target, order, first=lambda: record_act(folder, clock, kind="camera_disarmed", actor=order.by, subject=name, detail=told)
    )
    _tell(done, done.steps, as_json=as_json)
    if done.state is not DisarmState.DONE:
        raise typer.Exit(1)


@one_line_errors
def camera_rollback(
    disarm: Annotated[str, typer.Argument(help="The id of the disarm.")],
    config: ConfigOption = DEFAULT_CONFIG,
    authorisation: AuthorisationOption = "",
    as_json: JsonOption = False,
) -> None:
    """Put back what a disarm took along and is not of faces, once. Nothing of faces and no auto-tracking comes back by it.

    Exit code 1: something was not put back.
    """
    check_authorisation(authorisation)
    settings = load_settings(config)
    folder, clock = DataFolder(settings.data), SystemClock()
    audits = open_audits(folder, clock, BY_COMMAND)
    row = audits.book.disarm(disarm)
    if row is None:
        raise ConfigError(f"there is no disarm {disarm!r}", remedy="its id stands in what `lamppost camera disarm` printed")
    camera, by = _camera(settings, row.camera), user_name()
    told = {"disarm": disarm, "authorisation": authorisation}
    rolled = audits.roll_back(
        target_of(camera, settings),
        disarm,
        by,
        authorisation,
        first=lambda: record_act(folder, clock, kind="camera_rolled_back", actor=by, subject=row.camera, detail=told),
    )
    _tell(rolled, rolled.rollback_steps, as_json=as_json)
    if not as_json and rolled.state is not DisarmState.ROLLED_BACK:
        typer.echo("Nothing was put back.")
    if not all(step.is_done for step in rolled.rollback_steps):
        raise typer.Exit(1)


def _camera(settings: Settings, name: str) -> CameraSettings:
    found = next((camera for camera in settings.camera if camera.name == name), None)
    if found is None:
        raise ConfigError(f"there is no camera {name!r}", remedy="see `lamppost camera list`")
    return found


def _tell(row: Disarm, steps: tuple[DisarmStep, ...], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_to_json(row), indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{row.disarm_id}: camera {row.camera}, {row.state.value}", markup=False)
    for step in steps:
        console.print(f"  {step.what}: {_outcome(step)}", markup=False)
    for problem in row.problems:
        console.print(f"  not known: {problem}", markup=False)


def _outcome(step: DisarmStep) -> str:
    if step.is_done and step.problem:
        return step.problem  # nothing had to be done, and this is why
    return f"{step.before or '-'} to {step.after or '-'}" + ("" if step.is_done else f", NOT DONE: {step.problem}".rstrip(": "))


def _to_json(row: Disarm) -> dict[str, Any]:
    return {
        "id": row.disarm_id,
        "camera": row.camera,
        "at": format_utc(row.at_us),
        "by": row.by,
        "authorisation": row.authorisation,
        "reference": row.reference,
        "state": row.state.value,
        "steps": [_step(step) for step in row.steps],
        "problems": list(row.problems),
        "audit_before": row.audit_before or None,
        "audit_after": row.audit_after or None,
        "rolled_back": format_utc(row.rolled_back_us) if row.rolled_back_us is not None else None,
        "rollback_steps": [_step(step) for step in row.rollback_steps],
        "rollback_audit": row.rollback_audit or None,
    }


def _step(step: DisarmStep) -> dict[str, Any]:
    return {"what": step.what, "before": step.before, "after": step.after, "is_done": step.is_done, "problem": step.problem}
