"""What each ONVIF service of the simulated camera says it is able to do; said without a sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lamppost.cameras.simulated.device_users import MOST_NAME, MOST_PASSWORD, MOST_USERS
from lamppost.cameras.simulated.machine import Machine
from lamppost.cameras.simulated.markup import Markup, tag


def _device(machine: Machine) -> Markup:
    network = tag("tds:Network", IPFilter=False, ZeroConfiguration=False, IPVersion6=False, DynDNS=False, HostnameFromDHCP=False, NTP=1)
    lengths = {"MaxUsers": MOST_USERS, "MaxUserNameLength": MOST_NAME, "MaxPasswordLength": MOST_PASSWORD}
    security = {"UsernameToken": True, "HttpDigest": True, **lengths}
    hashing = {"HashingAlgorithms": ",".join(machine.vendor.algorithms)}
    system = tag("tds:System", DiscoveryResolve=False, DiscoveryBye=True, RemoteDiscovery=False, SystemBackup=False, SystemLogging=False)
    return tag("tds:Capabilities", network, tag("tds:Security", **security, **hashing), system)


def _media(_: Machine) -> Markup:
    profiles = tag("trt:ProfileCapabilities", MaximumNumberOfProfiles=2)
    streaming = tag("trt:StreamingCapabilities", RTPMulticast=False, RTP_TCP=True, RTP_RTSP_TCP=True)
    return tag("trt:Capabilities", profiles, streaming, SnapshotUri=True, Rotation=False)


def _media2(_: Machine) -> Markup:
    supported = "VideoSource VideoEncoder PTZ Metadata Analytics"
    profiles = tag("tr2:ProfileCapabilities", MaximumNumberOfProfiles=2, ConfigurationsSupported=supported)
    streaming = tag("tr2:StreamingCapabilities", RTSPStreaming=True, RTPMulticast=False, RTP_RTSP_TCP=True)
    return tag("tr2:Capabilities", profiles, streaming, SnapshotUri=True, Rotation=False)


def _events(_: Machine) -> Markup:
    return tag(
        "tev:Capabilities",
        WSSubscriptionPolicySupport=False,
        WSPausableSubscriptionManagerInterfaceSupport=False,
        MaxNotificationProducers=0,
        MaxPullPoints=16,
        PersistentNotificationStorage=False,
    )


def _ptz(_: Machine) -> Markup:
    return tag("tptz:Capabilities", EFlip=False, Reverse=False, GetCompatibleConfigurations=False, MoveStatus=True, StatusPosition=True)


def _imaging(_: Machine) -> Markup:
    return tag("timg:Capabilities", ImageStabilization=False)


def _device_io(machine: Machine) -> Markup:
    relays, inputs = len(machine.state.relays), len(machine.state.inputs)
    return tag(
        "tmd:Capabilities", VideoSources=1, VideoOutputs=0, AudioSources=0, AudioOutputs=0, RelayOutputs=relays, DigitalInputs=inputs
    )


def _analytics(machine: Machine) -> Markup:
    flags = {"RuleSupport": True, "AnalyticsModuleSupport": True, "CellBasedSceneDescriptionSupported": False, "RuleOptionsSupported": True}
    return tag("tan:Capabilities", **flags, SupportedMetadata=machine.state.most is not None)


CAPABILITIES: Final[dict[str, Callable[[Machine], Markup]]] = {
    "tds": _device,
    "trt": _media,
    "tr2": _media2,
    "tev": _events,
    "tptz": _ptz,
    "timg": _imaging,
    "tmd": _device_io,
    "tan": _analytics,
}
