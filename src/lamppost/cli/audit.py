"""`lamppost camera audit`: what cameras are able to do with faces, what is switched on, and the evidence for it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import ConfigError, LamppostError
from lamppost.base.logging import redact
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.tables import table_console
from lamppost.cli.who import BY_COMMAND, user_name
from lamppost.model.devices import Audit
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.audit_jobs import MOST_AT_ONCE
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.device_audits import AuditDesk, drift_event, open_audits, target_of, unanswered
from lamppost.store.acts import record_act, record_acts

MOST_NAMES: Final = 1000
_COLUMNS: Final = ("camera", "detect", "capture", "recognise", "armed", "library", "follows", "device")


@one_line_errors
def camera_audit(
    names: Annotated[list[str] | None, typer.Argument(help="Cameras.", metavar="[NAME]...")] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = DEFAULT_CONFIG,
    is_all: Annotated[bool, typer.Option("--all", help="Every camera that has a device.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="A folder for the audits with all their evidence, a file each.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Ask cameras what they are able to do with faces, and how they are set. Counts only: no library is read.

    A level is `no` only where the device itself has said so to every question; what did not answer is `unknown`.
    Exit code 1: a camera has answered nothing.
    """
    settings = load_settings(config)
    cameras = _wanted(settings, names or [], is_all=is_all)
    if out is not None:
        make_directory(out)
    folder, clock = DataFolder(settings.data), SystemClock()
    audits = open_audits(folder, clock, BY_COMMAND)
    for camera in cameras:
        # The journal of commands has one writer: all acts before all questions.
        record_act(folder, clock, kind="camera_audited", actor=user_name(), subject=camera.name, detail={})
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        asked = [(camera.name, pool.submit(_one, audits, camera, settings)) for camera in cameras]
        found = [(name, asking.result()) for name, asking in asked]
    troubles = [(name, result) for name, result in found if isinstance(result, str)]
    done = [result for _, result in found if not isinstance(result, str)]
    record_acts(folder, clock, [record for audit, drift in done if drift for record in drift_event(audit, drift)])
    for audit, drift in done:
        if out is not None:
            write_durable(out / f"{audit.camera}-{audit.audit_id}.json", json.dumps(audit_to_json(audit, drift), indent=2).encode())
    _tell(done, troubles, as_json=as_json)
    silent = [audit for audit, _ in done if unanswered(audit)]
    if troubles or silent:
        raise typer.Exit(1)


def _wanted(settings: Settings, names: list[str], *, is_all: bool) -> list[CameraSettings]:
    if is_all == bool(names):
        raise ConfigError("say which cameras", remedy="give their names, or --all")
    if len(names) > MOST_NAMES:
        raise ConfigError("those are too many names", remedy="use --all")
    known = {camera.name: camera for camera in settings.camera}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(f"there is no camera {unknown[0]!r}", remedy="see `lamppost camera list`")
    cameras = [camera for camera in settings.camera if camera.has_device] if is_all else [known[name] for name in dict.fromkeys(names)]
    if not cameras:
        raise ConfigError("no camera has a device that could be asked", remedy="cameras by rtsp:// have one, and those with a device_url")
    return cameras


def _one(audits: AuditDesk, camera: CameraSettings, settings: Settings) -> tuple[Audit, tuple[str, ...]] | str:
    try:
        return audits.audit(target_of(camera, settings))
    except LamppostError as error:
        return redact(str(error))


def _tell(done: list[tuple[Audit, tuple[str, ...]]], troubles: list[tuple[str, str]], *, as_json: bool) -> None:
    if as_json:
        told = [audit_to_json(audit, drift, has_content=False) for audit, drift in done]
        typer.echo(json.dumps({"audits": told, "problems": [{"camera": name, "problem": problem} for name, problem in troubles]}, indent=2))
        return
    console = table_console()
    table = Table(*_COLUMNS, box=None)
    for audit, _ in done:
        set_so, who = audit.armament, audit.identity
        library = set_so.has_library.value + (f" ({set_so.libraries}, {set_so.entries} entries)" if set_so.libraries else "")
        words = (audit.detect, audit.capture, audit.recognise, set_so.is_armed, library, set_so.auto_tracking)
        table.add_row(audit.camera, *(Text(str(word)) for word in words), Text(f"{who.vendor} {who.model} {who.firmware}".strip()))
    if done:
        console.print(table)
    for audit, drift in done:
        for line in audit.armament.armed:
            console.print(f"{audit.camera}: switched on: {line}", markup=False)
        for line in drift:
            console.print(f"{audit.camera}: new: {line}", markup=False)
        if unanswered(audit):
            console.print(f"{audit.camera}: no answer: {unanswered(audit)}", markup=False)
    for name, problem in troubles:
        console.print(f"{name}: {problem}", markup=False)


def audit_to_json(audit: Audit, drift: Sequence[str], *, has_content: bool = True) -> dict[str, Any]:
    """An audit as a document; with the answers in base64 where `has_content`."""
    set_so = audit.armament
    return {
        "id": audit.audit_id,
        "camera": audit.camera,
        "made": format_utc(audit.made_us),
        "identity": {name: getattr(audit.identity, name) for name in ("vendor", "model", "firmware", "serial", "mac", "hardware")},
        "detect": audit.detect.value,
        "capture": audit.capture.value,
        "recognise": audit.recognise.value,
        "is_armed": set_so.is_armed.value,
        "has_library": set_so.has_library.value,
        "auto_tracking": set_so.auto_tracking.value,
        "libraries": set_so.libraries,
        "entries": set_so.entries,
        "armed": list(set_so.armed),
        "drift": list(drift),
        "dialects": list(audit.dialects),
        "findings": [
            {"ability": one.ability.value, "level": one.level.value, "because": one.because, "evidence": one.evidence}
            for one in audit.findings
        ],
        "evidence": [
            {
                "number": number,
                "question": one.question,
                "asked": format_utc(one.asked_us),
                "outcome": one.outcome.value,
                "http_status": one.http_status,
                "sha256": one.sha256,
                "size_bytes": one.size_bytes,
                "content_type": one.content_type,
                "counts": dict(one.counts),
                "problem": one.problem,
            }
            | ({"content_base64": base64.b64encode(one.content).decode()} if has_content else {"has_content": bool(one.content)})
            for number, one in enumerate(audit.evidence)
        ],
    }
