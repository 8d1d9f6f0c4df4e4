"""The node: its sites, its processes, its disk, what is wrong with it."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lamppost import __version__
from lamppost.api.camera_state import Alarm, alarms_of
from lamppost.api.context import Context, context_of
from lamppost.api.moments import Time
from lamppost.api.permit import Identity, Permit
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission
from lamppost.model.sites import site_id

router = APIRouter()
_Context = Annotated[Context, Depends(context_of)]


class Site(BaseModel):
    """A site and those of its cameras that the caller may see."""

    id: str
    name: str
    cameras: list[str]


class Sites(BaseModel):
    """All sites with a camera that the caller may see."""

    items: list[Site]


class Disk(BaseModel):
    """The disk of the data folder."""

    free_bytes: int
    total_bytes: int
    held_bytes: int = Field(description="Footage that holds keep.")


class Process(BaseModel):
    """One process of the node."""

    name: str
    role: str
    state: Literal["running", "dead"]
    restarts: int
    reason: str = Field(description="Of its last death; empty where it never died.")
    memory_bytes: int | None = Field(description="Resident; null while it is dead.")


class ServerFigures(BaseModel):
    """Who uses the server now, and what it has done since it was started."""

    viewers: int = Field(description="Open connections: who watches live, and who follows events.")
    live_viewers: int
    slow_viewers_dropped: int = Field(description="Live pictures that viewers were too slow for.")
    requests_total: int


class Custodians(BaseModel):
    """Who opens the originals together."""

    n: int
    k: int
    trial: bool = Field(description="Trial keys are in use: whoever reads their folder can open everything.")


class System(BaseModel):
    """The node as it is now."""

    version: str
    started: Time | None
    uptime_s: float
    site_name: str
    timezone: str
    disk: Disk
    index_problem: str
    processes: list[Process]
    alarms: list[Alarm]
    server: ServerFigures
    custodians: Custodians
    trial_keys: bool


def custodians_of(context: Context) -> Custodians:
    """As the settings name them."""
    sealing = context.settings.sealing
    return Custodians(n=len(sealing.custodians), k=sealing.threshold, trial=sealing.trial)


@router.get("/sites")
def sites(identity: Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))], context: _Context) -> Sites:
    """The sites, in the order of their first cameras."""
    found: dict[str, Site] = {}
    for name in identity.cameras(Permission.SEE_CAMERAS):
        camera = context.camera(name)
        title = (camera.site if camera is not None else "") or context.settings.site
        key = site_id(title)
        found.setdefault(key, Site(id=key, name=title, cameras=[])).cameras.append(name)
    return Sites(items=list(found.values()))


@router.get("/system", dependencies=[Depends(Permit(Permission.SEE_SYSTEM))])
def system(context: _Context) -> System:
    """Processes, disk, alarms."""
    state = context.node.state
    processes: list[dict[str, Any]] = list(state.get("processes", ()))
    status = {process["role"]: process["status"] for process in processes}
    usage = shutil.disk_usage(context.folder.root)
    started_us = state.get("started_us")
    return System(
        version=__version__,
        started=started_us,
        uptime_s=0.0 if started_us is None else (context.clock.wall_us() - started_us) / US_PER_S,
        site_name=context.settings.site,
        timezone=context.settings.timezone,
        disk=Disk(
            free_bytes=usage.free,
            total_bytes=usage.total,
            held_bytes=int(status.get("bookkeeper", {}).get("retention", {}).get("held_bytes", 0)),
        ),
        index_problem=str(status.get("bookkeeper", {}).get("index_problem", "")),
        processes=[
            Process(
                name=process["name"],
                role=process["role"],
                state="dead" if process["pid"] is None else "running",
                restarts=process["deaths"],
                reason=process["reason"],
                memory_bytes=_memory_of(process["pid"]),
            )
            for process in processes
        ],
        alarms=alarms_of(state),
        server=_figures(status.get("server", {}).get("figures", {})),
        custodians=custodians_of(context),
        trial_keys=context.settings.sealing.trial,
    )


def _figures(told: dict[str, Any]) -> ServerFigures:
    live = int(told.get("live_viewers", 0))
    return ServerFigures(
        viewers=live + int(told.get("event_listeners", 0)),
        live_viewers=live,
        slow_viewers_dropped=int(told.get("dropped_fragments", 0)),
        requests_total=sum(told.get("requests", {}).values()),
    )


def _memory_of(pid: int | None) -> int | None:
    try:
        return None if pid is None else int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):  # it has ended meanwhile
        return None
