"""One ONVIF device: who it is, its services, its streams, its clock, its user and its contacts."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import CameraError, UnreadableReply
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.faults import SoapFault, lacking
from lamppost.cameras.onvif.media import profiles_of, snapshot_of
from lamppost.cameras.onvif.reading import address, line, many, read
from lamppost.cameras.onvif.soap import Posting, Soap
from lamppost.model.devices import DeviceIdentity, StreamProfile

_MAC: Final = re.compile(r"(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}")
_MOST_SERVICES: Final = 64
_MOST_USERS: Final = 256


class OnvifDevice:
    """A device, asked in one thread. `host` is where it is: what it says of its own addresses is not believed.

    Every method raises `CameraError`: `SoapFault` where the device says no, `CameraRefused` for user and password.
    """

    def __init__(self, web: Posting, clock: Clock, host: str, *, username: str = "", password: str = "") -> None:
        self.soap = Soap(web, clock, username, password)
        self._clock = clock
        self._host = host
        self._services: Mapping[str, str] | None = None

    def identity(self) -> DeviceIdentity:
        """Vendor, model, firmware, serial number and, where it tells, the MAC address."""
        said = self.soap.call(Service.DEVICE, "GetDeviceInformation")
        names = ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber", "HardwareId")
        vendor, model, firmware, serial, hardware = (line(read(said, name)) for name in names)
        if not (vendor or model or serial):
            raise UnreadableReply("the device does not say who it is")
        return DeviceIdentity(vendor, model, firmware, serial, mac=self._mac(), hardware=hardware)

    def services(self) -> Mapping[str, str]:
        """Where each service is: path by namespace. Asked once."""
        if self._services is None:
            named = self._services_named()
            # The first counts, so that nothing that is appended to an answer moves a service.
            found = dict(reversed([(namespace, path) for namespace, path in named if path]))
            if not found:
                found = self._services_of_old()
            elif Service.MEDIA1.namespace not in found and Service.MEDIA2.namespace not in found:
                with contextlib.suppress(SoapFault, UnreadableReply):
                    found = self._services_of_old() | found
            self._services = {namespace: path for namespace, path in found.items() if path}
            self.soap.use(self._services)
        return self._services

    def has(self, service: Service) -> bool:
        return service.namespace in self.services()

    def profiles(self) -> tuple[StreamProfile, ...]:
        """Its streams, the largest first; by Media2 (Profile T) where it has that, else by Media1 (Profile S)."""
        self.services()
        return profiles_of(self.soap, self._host)

    def snapshot_path(self, token: str) -> str:
        """Where a still of a profile is to be had on the device, as a path."""
        self.services()
        return path_of(snapshot_of(self.soap, token))

    def clock_offset_s(self) -> float | None:
        """How far its clock is ahead of ours, in seconds; it tells whole seconds. None where it does not say."""
        began_us = self._clock.wall_us()
        device_us = self.soap.device_time_us()
        if device_us is None:
            return None
        # Half a second is what whole seconds leave out on average.
        middle_us = (began_us + self._clock.wall_us()) // 2
        return (device_us + US_PER_S // 2 - middle_us) / US_PER_S

    def ntp(self) -> tuple[str, ...]:
        """The time servers it asks."""
        said = self.soap.call(Service.DEVICE, "GetNTP")
        servers = [*many(read(said, "NTPManual")), *many(read(said, "NTPFromDHCP"))]
        names = (line(read(each, "DNSname") or read(each, "IPv4Address") or read(each, "IPv6Address")) for each in servers)
        return tuple(name for name in names if name)

    def set_ntp(self, host: str) -> None:
        """Let it ask this time server, given by name or number."""
        server = {"Type": "DNS", "DNSname": host}
        with contextlib.suppress(ValueError):
            kind = f"IPv{ipaddress.ip_address(host).version}"
            server = {"Type": kind, f"{kind}Address": host}
        self.soap.call(Service.DEVICE, "SetNTP", FromDHCP=False, NTPManual=[server])

    def scopes(self) -> tuple[str, ...]:
        said = self.soap.call(Service.DEVICE, "GetScopes")
        return tuple(scope for scope in (line(read(each, "ScopeItem"), 256) for each in many(said)[:256]) if scope)

    def users(self) -> Mapping[str, str]:
        """The level of each of its users, by name; it tells administrators alone."""
        said = many(self.soap.call(Service.DEVICE, "GetUsers"))[:_MOST_USERS]
        return {str(read(user, "Username")): line(read(user, "UserLevel")) for user in said}

    def set_password(self, username: str, new: str) -> None:
        """Give a user of the device another password; the user's level stays. The password goes as it is: over http it can be read."""
        level = self.users().get(username)
        if level is None:
            raise lacking("user of that name")
        if not level:
            raise UnreadableReply("the device does not say what its user may do, so that its password cannot be set without that")
        self.soap.call(Service.DEVICE, "SetUser", User=[{"Username": username, "Password": new, "UserLevel": level}])

    def relays(self) -> tuple[str, ...]:
        """The tokens of its switched outputs."""
        said = many(self.soap.call(Service.DEVICE, "GetRelayOutputs"))[:64]
        return tuple(token for token in (line(read(each, "token"), 64) for each in said) if token)

    def set_relay(self, token: str, *, is_on: bool) -> None:
        self.soap.call(Service.DEVICE, "SetRelayOutputState", RelayOutputToken=token, LogicalState="active" if is_on else "inactive")

    def reboot(self) -> None:
        self.soap.call(Service.DEVICE, "SystemReboot")

    def _mac(self) -> str:
        try:
            found = many(self.soap.call(Service.DEVICE, "GetNetworkInterfaces"))
        except CameraError:
            return ""  # who may not ask for it still knows the serial number
        for each in found[:8]:
            mac = plain_mac(line(read(each, "Info", "HwAddress")))
            if mac:
                return mac
        return ""

    def _services_named(self) -> list[tuple[str, str]]:
        """By GetServices; none where the device does not know it. Some tell nobody but their users."""
        for is_again in (False, True):
            try:
                said = self.soap.call(Service.DEVICE, "GetServices", IncludeCapability=False)
            except SoapFault as refusal:
                if is_again or not refusal.is_refusal:
                    return []
                with contextlib.suppress(SoapFault, UnreadableReply):
                    self.soap.call(Service.DEVICE, "GetDeviceInformation")  # which signs us in where that is wanted
            except UnreadableReply:
                return []
            else:
                return [(line(read(each, "Namespace")), path_of(read(each, "XAddr"))) for each in many(said)[:_MOST_SERVICES]]
        return []

    def _services_of_old(self) -> dict[str, str]:
        """By GetCapabilities, which devices had before GetServices."""
        said = self.soap.call(Service.DEVICE, "GetCapabilities", Category=["All"])
        places: dict[Service, Any] = {
            Service.MEDIA1: read(said, "Media"),
            Service.EVENTS: read(said, "Events"),
            Service.PTZ: read(said, "PTZ"),
            Service.IMAGING: read(said, "Imaging"),
            Service.ANALYTICS: read(said, "Analytics"),
            Service.IO: read(said, "Extension", "DeviceIO"),
        }
        return {service.namespace: path_of(read(place, "XAddr")) for service, place in places.items()}


def path_of(named: Any) -> str:
    """The path, with its query, of an address that a device names: nothing else of it is believed. Empty for none."""
    # Where several are named, with blanks in between, they are one place at several addresses.
    words = named[:4096].split() if isinstance(named, str) else []
    text = address(words[0] if words and all("://" in word for word in words) else named)
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    is_usable = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if is_usable and text else ""


def plain_mac(text: str) -> str:
    """A MAC address in lower case with colons; empty for what is none, or nobody's."""
    found = _MAC.fullmatch(text.strip().lower())
    digits = re.sub("[:-]", "", found[0]) if found else ""
    return "" if digits in ("", "0" * 12, "f" * 12) else ":".join(digits[at : at + 2] for at in range(0, 12, 2))
