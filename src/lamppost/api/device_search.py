"""Finding devices: searches that run in the background, and a look at a device before it becomes a camera."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from lamppost.api.camera_addresses import refused
from lamppost.api.context import Context
from lamppost.api.device_models import DeviceIs, DeviceProfile
from lamppost.api.moments import Time
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.base.errors import ConfigError
from lamppost.base.logging import redact
from lamppost.cameras.discovery import addresses_of, check_interfaces
from lamppost.cameras.web import DeviceAddress
from lamppost.cameras.ws_discovery import name_of
from lamppost.model.access import Permission
from lamppost.model.acts import NODE
from lamppost.model.devices import FoundDevice
from lamppost.pipeline.device_looking import look_at
from lamppost.pipeline.device_searches import DeviceSearches, RunningSearch, SearchState
from lamppost.pipeline.known_devices import KnownAs, KnownDevices

router = APIRouter()
Finder = Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS, everywhere=True))]


class SearchBody(BaseModel):
    """Where to look, beside the networks of the server itself."""

    model_config = ConfigDict(extra="forbid")

    ranges: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list[str], max_length=64, description="Networks whose addresses are asked one by one; 4096 addresses at most."
    )
    interfaces: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list[str], max_length=32, description="Addresses of the server to call from; those of `[devices]` where empty."
    )


class Found(BaseModel):
    """A device that has answered. What it says of itself without a password may be wrong."""

    address: str
    device_url: str
    vendor: str
    model: str
    firmware: str
    serial: str
    mac: str
    name: str
    certificate_sha256: str | None = Field(description="What it shows over TLS; nobody has checked it: compare it, and pin it.")
    known_as: str | None = Field(description="The camera that it is already.")
    has_moved: bool = Field(description="Whether that camera is set to another address.")


class Search(BaseModel):
    """A search: ask for it again and again until it is done."""

    id: str
    state: SearchState
    progress: float = Field(description="0 to 1.")
    started: Time
    problem: str
    items: list[Found]


class LookBody(BaseModel):
    """A device to ask. Nothing of it is kept."""

    model_config = ConfigDict(extra="forbid")

    device_url: str = Field(max_length=300)
    username: str | None = Field(default=None, max_length=200)
    password: SecretStr | None = Field(default=None, max_length=200)
    certificate_sha256: str | None = Field(default=None, pattern="^[0-9A-Fa-f:]{64,95}$")


class LookedAt(BaseModel):
    """What the device has said."""

    identity: DeviceIs | None
    profiles: list[DeviceProfile]
    clock_offset_s: float | None = Field(description="How far its clock is ahead of ours.")
    certificate_sha256: str | None = Field(description="What it shows over TLS: compare it with the device before you pin it.")
    warnings: list[str]
    problem: str
    remedy: str


@router.post("/devices/searches", status_code=HTTPStatus.ACCEPTED)
def start_search(body: SearchBody, identity: Finder) -> Search:
    """Look for devices, for up to 30 s, without any password. One search runs at a time."""
    context = identity.context
    settings = context.settings.devices
    try:
        addresses_of(body.ranges, settings.camera_networks)
    except ConfigError as error:
        raise refused("ranges", f"{error.problem} — {error.remedy}") from error
    try:
        check_interfaces(body.interfaces)
    except ConfigError as error:
        raise refused("interfaces", f"{error.problem} — {error.remedy}") from error
    detail = {"ranges": body.ranges, "interfaces": body.interfaces}
    running = _searches(context).begin(
        settings,
        ranges=body.ranges,
        interfaces=body.interfaces,
        first=lambda: context.act("cameras_searched", identity.name, NODE, detail),
    )
    if running is None:
        raise _busy("a search is running just now")
    return _shown(context, running)


@router.get("/devices/searches/{search}")
def show_search(search: str, identity: Finder) -> Search:
    """What was found so far."""
    running = _searches(identity.context).find(search)
    if running is None:
        raise not_found("search")
    return _shown(identity.context, running)


@router.post("/devices/look")
def look(body: LookBody, identity: Finder) -> LookedAt:
    """Ask a device, with a password where it needs one, who it is and which streams it has; up to 30 s. A password is offered once."""
    context = identity.context
    try:
        address = DeviceAddress.of(body.device_url)
    except ConfigError as error:
        raise refused("device_url", error.remedy) from error
    searches = _searches(context)
    if not searches.looks.acquire(blocking=False):
        raise _busy("other devices are being asked just now")
    try:
        context.act("camera_tested", identity.name, NODE, {"device_url": str(address)})
        looked = look_at(
            address,
            context.settings.devices.camera_networks,
            context.clock,
            username=body.username or "",
            password=body.password.get_secret_value() if body.password is not None else "",
            certificate_sha256=body.certificate_sha256,
        )
    finally:
        searches.looks.release()
    return LookedAt(
        identity=DeviceIs.of(looked.identity) if looked.identity is not None else None,
        profiles=[DeviceProfile.of(profile, shows_url=True) for profile in looked.profiles],
        clock_offset_s=looked.clock_offset_s,
        certificate_sha256=looked.certificate_sha256,
        warnings=list(looked.warnings),
        problem=redact(looked.problem),
        remedy=looked.remedy,
    )


def _searches(context: Context) -> DeviceSearches:
    return context.keep(DeviceSearches, lambda: DeviceSearches(context.clock))


def _shown(context: Context, running: RunningSearch) -> Search:
    known = KnownDevices(context.settings, context.devices)
    return Search(
        id=running.id,
        state=running.state,
        progress=running.progress,
        started=running.started_us,
        problem=running.problem,
        items=[_found(device, known.known_as(device)) for device in running.found],
    )


def _found(found: FoundDevice, known: KnownAs) -> Found:
    who = known.identity
    return Found(
        address=found.address,
        device_url=found.device_url,
        vendor=who.vendor,
        model=who.model,
        firmware=who.firmware,
        serial=who.serial,
        mac=who.mac,
        name=name_of(found),
        certificate_sha256=found.certificate_sha256 or None,
        known_as=known.camera,
        has_moved=known.has_moved,
    )


def _busy(problem: str) -> Problem:
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, problem, kind="busy", remedy="try again in some seconds", headers={"Retry-After": "5"})
