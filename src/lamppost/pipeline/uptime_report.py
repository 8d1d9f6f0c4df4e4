"""The report of how cameras were recorded, by camera or by site, as a table and as JSON: one form for commands and the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lamppost.base.clock import US_PER_S
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.camera_table import write_table
from lamppost.store.uptime import Uptime, together

COLUMNS: Final = (
    "site",
    "camera",
    "cameras",
    "asked_s",
    "unknown_s",
    "scheduled_s",
    "recorded_s",
    "uptime",
    "outages",
    "longest_outage_s",
)
_CAUSE: Final = "cause_"


class By(StrEnum):
    """What a line of a report is of."""

    SITE = "site"
    CAMERA = "camera"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One camera, or the cameras of a site."""

    site: str
    camera: str | None
    uptime: Uptime

    def to_json(self) -> dict[str, Any]:
        """In seconds; what is not known at all is None."""
        uptime, is_known = self.uptime, self.uptime.known_us > 0
        return {
            "site": self.site,
            "camera": self.camera,
            "cameras": uptime.cameras,
            "asked_s": _seconds(uptime.asked_us),
            "unknown_s": _seconds(uptime.asked_us - uptime.known_us),
            "scheduled_s": _seconds(uptime.scheduled_us) if is_known else None,
            "recorded_s": _seconds(uptime.recorded_us) if is_known else None,
            # Rounded down: what was interrupted is never 1.
            "uptime": None if uptime.share is None else int(uptime.share * 1_000_000) / 1_000_000,
            "outages": uptime.outages if is_known else None,
            "longest_outage_s": _seconds(uptime.longest_outage_us) if is_known else None,
            "by_cause": {cause: _seconds(us) for cause, us in uptime.us_by_cause},
        }


def report_lines(settings: Settings, cameras: Iterable[CameraSettings], uptimes: Mapping[str, Uptime], by: By) -> tuple[ReportLine, ...]:
    """A line for each camera in their order, or for each site by name."""
    lines = [ReportLine(camera.site or settings.site, camera.name, uptimes[camera.name]) for camera in cameras]
    if by is By.CAMERA:
        return tuple(lines)
    sites: dict[str, list[Uptime]] = {}
    for line in lines:
        sites.setdefault(line.site, []).append(line.uptime)
    return tuple(ReportLine(site, None, together(sites[site])) for site in sorted(sites))


def report_csv(lines: Sequence[ReportLine]) -> str:
    """A table with a column for each cause that there was; what is unknown is empty."""
    causes = sorted({cause for line in lines for cause, _ in line.uptime.us_by_cause})
    rows: list[dict[str, str]] = []
    for line in lines:
        told = line.to_json()
        by_cause: dict[str, float] = told.pop("by_cause")
        told |= {_CAUSE + cause + "_s": by_cause.get(cause, 0) for cause in causes}
        rows.append({column: "" if value is None else str(value) for column, value in told.items()})
    return write_table((*COLUMNS, *(_CAUSE + cause + "_s" for cause in causes)), rows)


def _seconds(us: int) -> float:
    return round(us / US_PER_S, 3)
