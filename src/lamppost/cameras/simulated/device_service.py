"""The ONVIF device service: who the camera is, what it has, its clock. Network and users have files of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from lamppost.base.clock import US_PER_S
from lamppost.cameras.simulated import device_io_service, device_network, device_users
from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import PREFIXES, Markup, join, tag
from lamppost.cameras.simulated.service_capabilities import CAPABILITIES
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, is_true, number, required

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION: Final = {"tds": (21, 12), "trt": (19, 6), "tr2": (21, 12), "tev": (20, 12), "tptz": (20, 12), "timg": (19, 6)}


def _identity(call: Call) -> Markup:
    known = call.machine.identity
    fields = zip(
        ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber", "HardwareId"),
        (known.vendor, known.model, known.firmware, known.serial, known.hardware),
        strict=True,
    )
    return join(*(tag(f"tds:{name}", value) for name, value in fields))


def _services(call: Call) -> Markup:
    wants_capabilities = is_true(call.body.value("IncludeCapability"))
    return join(
        *(
            tag(
                "tds:Service",
                tag("tds:Namespace", PREFIXES[prefix]),
                tag("tds:XAddr", call.base + path),
                tag("tds:Capabilities", CAPABILITIES[prefix](call.machine)) if wants_capabilities else None,
                tag("tds:Version", _version(prefix)),
            )
            for prefix, path in call.machine.vendor.paths.items()
        )
    )


def _version(prefix: str) -> Markup:
    major, minor = _VERSION.get(prefix, (20, 12))
    return join(tag("tt:Major", major), tag("tt:Minor", minor))


def _capabilities(call: Call) -> Markup:
    """`GetCapabilities`, which Profile S knows; what a category does not have is a fault (5.2 of its mapping)."""
    wanted = {node.text.strip() for node in call.body.each("Category")} or {"All"}
    machine = call.machine
    parts = {
        "Analytics": _plain(call, "tan", RuleSupport=True, AnalyticsModuleSupport=True),
        "Device": _of_device(call),
        "Events": _plain(
            call, "tev", WSSubscriptionPolicySupport=False, WSPullPointSupport=True, WSPausableSubscriptionManagerInterfaceSupport=False
        ),
        "Imaging": _plain(call, "timg"),
        "Media": _of_media(call),
        "PTZ": _plain(call, "tptz"),
    }
    if "All" not in wanted:
        unknown = [name for name in wanted if not parts.get(name)]
        if unknown:
            raise SoapRefusal("Receiver", ("ter:ActionNotSupported", "ter:NoSuchService"), "no such service category")
        parts = {name: part for name, part in parts.items() if name in wanted}
    extension = None
    if "All" in wanted and machine.has("tmd"):
        counts = {"VideoSources": 1, "VideoOutputs": 0, "AudioSources": 0, "AudioOutputs": 0, "RelayOutputs": len(machine.state.relays)}
        extension = tag(
            "tt:Extension", tag("tt:DeviceIO", _address(call, "tmd"), *(tag(f"tt:{key}", value) for key, value in counts.items()))
        )
    return tag("tds:Capabilities", *(tag(f"tt:{name}", part) for name, part in parts.items() if part), extension)


def _address(call: Call, service: str) -> Markup:
    return tag("tt:XAddr", call.base + call.machine.vendor.paths[service])


def _plain(call: Call, service: str, **flags: bool) -> Markup | None:
    if not call.machine.has(service):
        return None
    return join(_address(call, service), *(tag(f"tt:{name}", value) for name, value in flags.items()))


def _of_media(call: Call) -> Markup:
    streaming = {"RTPMulticast": False, "RTP_TCP": True, "RTP_RTSP_TCP": True}
    return join(_address(call, "trt"), tag("tt:StreamingCapabilities", *(tag(f"tt:{name}", value) for name, value in streaming.items())))


def _of_device(call: Call) -> Markup:
    network = ("IPFilter", "ZeroConfiguration", "IPVersion6", "DynDNS")
    system = {"DiscoveryResolve": False, "DiscoveryBye": True, "RemoteDiscovery": False}
    system |= {"SystemBackup": False, "SystemLogging": False, "FirmwareUpgrade": False}
    state = call.state
    security = ("TLS1.1", "TLS1.2", "OnboardKeyGeneration", "AccessPolicyConfig", "X.509Token", "SAMLToken", "KerberosToken", "RELToken")
    return join(
        _address(call, "tds"),
        tag("tt:Network", *(tag(f"tt:{name}", False) for name in network)),
        tag("tt:System", *(tag(f"tt:{name}", value) for name, value in system.items()), tag("tt:SupportedVersions", _version("tds"))),
        tag("tt:IO", tag("tt:InputConnectors", len(state.inputs)), tag("tt:RelayOutputs", len(state.relays))),
        tag("tt:Security", *(tag(f"tt:{name}", False) for name in security)),
    )


def _date_and_time(call: Call) -> Markup:
    now = _EPOCH + timedelta(microseconds=call.machine.device_us())
    state = call.state
    return tag(
        "tds:SystemDateAndTime",
        tag("tt:DateTimeType", "NTP" if state.is_clock_by_ntp else "Manual"),
        tag("tt:DaylightSavings", False),
        tag("tt:TimeZone", tag("tt:TZ", state.time_zone)),
        tag("tt:UTCDateTime", _moment(now)),
        tag("tt:LocalDateTime", _moment(now + _east_of_utc(state.time_zone))),
    )


def _moment(now: datetime) -> Markup:
    time = join(
        *(tag(f"tt:{name}", part) for name, part in zip(("Hour", "Minute", "Second"), (now.hour, now.minute, now.second), strict=True))
    )
    date = join(*(tag(f"tt:{name}", part) for name, part in zip(("Year", "Month", "Day"), (now.year, now.month, now.day), strict=True)))
    return join(tag("tt:Time", time), tag("tt:Date", date))


def _east_of_utc(zone: str) -> timedelta:
    """The offset of a POSIX zone such as `CST-8`, whose sign goes west; nothing for what is more than that."""
    digits = zone.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    return timedelta(hours=-int(digits)) if digits.lstrip("+-").isdigit() and abs(int(digits)) < 24 else timedelta(0)


def _set_date_and_time(call: Call) -> Markup:
    kind = required(call.body, "DateTimeType")
    if kind not in ("Manual", "NTP"):
        raise invalid("ter:InvalidDateTime", "DateTimeType is Manual or NTP")
    state = call.state
    given = call.body.first("UTCDateTime")
    if kind == "Manual" and given is not None:
        bounds = {"Year": (1970, 2037), "Month": (1, 12), "Day": (1, 31), "Hour": (0, 23), "Minute": (0, 59), "Second": (0, 61)}
        parts = [int(number(given, name, *limits)) for name, limits in bounds.items()]
        try:
            wanted = datetime(*parts[:3], *parts[3:5], min(parts[5], 59), tzinfo=UTC)  # type: ignore[misc, arg-type]
        except ValueError as error:
            raise invalid("ter:InvalidDateTime", "there is no such day") from error
        state.clock_offset_s = (wanted - _EPOCH) / timedelta(seconds=1) - call.machine.clock.wall_us() / US_PER_S
    state.is_clock_by_ntp = kind == "NTP"
    state.time_zone = call.body.value("TZ", state.time_zone)[:64]
    return Markup()


def _reboot(call: Call) -> Markup:
    call.machine.reboot()
    return tag("tds:Message", "Rebooting in 1 seconds")


def _endpoint_reference(call: Call) -> Markup:
    return tag("tds:GUID", call.machine.endpoint)


def _wsdl_url(_: Call) -> Markup:
    return tag("tds:WsdlUrl", "http://www.onvif.org/onvif/ver10/device/wsdl/devicemgmt.wsdl")


OPERATIONS: Final[dict[str, Operation]] = {
    "GetDeviceInformation": _identity,
    "GetServices": _services,
    "GetCapabilities": _capabilities,
    "GetSystemDateAndTime": _date_and_time,
    "SetSystemDateAndTime": _set_date_and_time,
    "SystemReboot": _reboot,
    "GetEndpointReference": _endpoint_reference,
    "GetWsdlUrl": _wsdl_url,
    **device_network.OPERATIONS,
    **device_users.OPERATIONS,
    **device_io_service.RELAYS,
}
