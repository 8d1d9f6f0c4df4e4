"""Asks a device that is no camera yet who it is and which streams it has, for whoever is about to add it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable
from lamppost.cameras.web import DeviceAddress, DeviceWeb, shown_certificate
from lamppost.model.devices import DeviceIdentity, StreamProfile
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline.device_talk import DeviceTalk

CLOCK_TOLERANCE_S: Final = 5.0
TIMEOUT_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What a device has said; what it did not say is None or empty. `problem` and `remedy` say why there is no more."""

    identity: DeviceIdentity | None = None
    profiles: tuple[StreamProfile, ...] = ()
    clock_offset_s: float | None = None
    certificate_sha256: str | None = None  # what it shows over TLS
    warnings: tuple[str, ...] = ()
    problem: str = ""
    remedy: str = ""


def look_at(
    address: DeviceAddress,
    networks: CameraNetworks,
    clock: Clock,
    *,
    username: str = "",
    password: str = "",
    certificate_sha256: str | None = None,
) -> Looked:
    """Ask the device once; a password is offered once. Raises nothing but bugs: a failure is part of what is told."""
    shown = _shown(address, networks, clock)
    identity: DeviceIdentity | None = None
    profiles: tuple[StreamProfile, ...] = ()
    offset_s: float | None = None
    unsaid: CameraError | None = None
    problem = remedy = ""
    web = DeviceWeb(
        address, networks, clock, username=username, password=password, certificate_sha256=certificate_sha256, timeout_s=TIMEOUT_S
    )
    try:
        with web, DeviceTalk(web, clock, username=username, password=password) as talk:
            identity, unsaid = _who(talk)
            profiles = talk.profiles()
            offset_s = talk.health()["clock_offset_s"]
    except CameraError as error:
        problem, remedy = error.problem, error.remedy
    if not problem and not profiles and unsaid is not None:
        problem, remedy = unsaid.problem, unsaid.remedy
    if not problem and not profiles:
        problem, remedy = "it does not say which streams it has", "switch ONVIF on there, or give the addresses of its streams"
    warnings = _warnings(address, profiles, offset_s)
    if unsaid is not None and profiles:
        warnings = (*warnings, "it does not say who it is: it cannot be found again at another address")
    return Looked(identity, profiles, offset_s, shown, warnings, problem, remedy)


def _who(talk: DeviceTalk) -> tuple[DeviceIdentity | None, CameraError | None]:
    """Who it is; or why it does not say, where it may tell its streams all the same."""
    try:
        return talk.identity(), None
    except (CameraRefused, CameraUnreachable):
        raise
    except CameraError as error:
        return None, error


def _shown(address: DeviceAddress, networks: CameraNetworks, clock: Clock) -> str | None:
    if address.scheme != "https":
        return None
    with contextlib.suppress(CameraError):
        return shown_certificate(address, networks, clock)
    return None


def _warnings(address: DeviceAddress, profiles: tuple[StreamProfile, ...], offset_s: float | None) -> tuple[str, ...]:
    warnings: list[str] = []
    if address.scheme == "http":
        warnings.append("it is asked without encryption: use https:// where it can")
    if offset_s is not None and abs(offset_s) > CLOCK_TOLERANCE_S:
        warnings.append(f"its clock is {abs(offset_s):.0f} s {'ahead of' if offset_s > 0 else 'behind'} ours: give it a time server")
    if any(profile.has_metadata for profile in profiles):
        warnings.append("it is set to send metadata: Lamppost does not take it, switch it off there")
    return tuple(warnings)
