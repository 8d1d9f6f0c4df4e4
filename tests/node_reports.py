"""Reports of a node on which everything is wrong at once, so that every condition is found."""

from __future__ import annotations

from lamppost.model.media import GapCause
from lamppost.pipeline.alarms import DEATHS_IN_A_ROW, SILENT_S, ChildReport
from lamppost.pipeline.fleet import Role


def worst_reports() -> list[ChildReport]:
    """One of each role."""
    cameras = [
        {"clock_off_s": 60.0, "cause": cause.value, "is_dropping": is_dropping, "problem": "x"}
        for cause in GapCause
        for is_dropping in (False, True)
    ]
    status = {
        "journal_problem": "x",
        "index_problem": "x",
        "cameras": {str(number): camera for number, camera in enumerate(cameras)},
        "retention": {"stuck_by_holds": True, "problem": "x"},
        "server_problem": "x",
        "troubles": {"gate": [{"kind": kind, "problem": "x"} for kind in ("device_exchanged", "device_doubled", "device_moved")]},
        "carriers": {"hook": {"failing_s": 1.0, "problem": "x"}},
    }
    return [ChildReport("x", role, status, DEATHS_IN_A_ROW, "x", SILENT_S + 1) for role in Role]
