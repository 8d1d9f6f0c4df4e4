"""How the simulated camera of each vendor presents itself: names, numbers and addresses in that vendor's shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lamppost.base.errors import ConfigError
from lamppost.model.devices import DeviceIdentity


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor's habits. `paths` says where each ONVIF service is, by the prefix of its namespace."""

    name: str
    identity: DeviceIdentity  # `serial` and `mac` are patterns, filled with a number
    realm: str
    server: str
    algorithms: tuple[str, ...]
    paths: Mapping[str, str]
    stream_paths: tuple[str, str]  # main and sub
    snapshot_path: str
    profile_tokens: tuple[str, str]
    scopes: tuple[str, ...] = ()
    tells_by_rule: bool = False  # whether motion and tampering come as events of rules

    def identified(self, number: int) -> DeviceIdentity:
        """Who the camera with `number` is."""
        known = self.identity
        mac = f"{known.mac}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        serial = known.serial.format(number=number, mac=mac.replace(":", "").upper())
        return DeviceIdentity(known.vendor, known.model, known.firmware, serial, mac, known.hardware)


def _paths(template: str, *, without: tuple[str, ...] = (), **names: str) -> dict[str, str]:
    usual = {"trt": "media", "tr2": "media2", "tev": "event", "tptz": "ptz", "timg": "imaging", "tmd": "deviceIO", "tan": "analytics"}
    shown = usual | names
    places = {prefix: template.format(name) for prefix, name in shown.items() if prefix not in without}
    # The one address that the Core Specification fixes (5.1.1).
    return {"tds": "/onvif/device_service"} | places


_ONVIF: Final = Vendor(
    name="onvif",
    identity=DeviceIdentity("Lamppost", "Simulated T1", "1.0.0", "LPSIM{number:08d}", "02:4c:50", "1.0"),
    realm="onvif",
    server="simulated-camera",
    algorithms=("SHA-256", "MD5"),
    paths=_paths("/onvif/{}_service"),
    stream_paths=("/main", "/sub"),
    snapshot_path="/snapshot.jpg",
    profile_tokens=("main", "sub"),
)
_ONVIF_S: Final = Vendor(
    name="onvif-s",
    identity=DeviceIdentity("Lamppost", "Simulated S1", "1.0.0", "LPSIMS{number:08d}", "02:4c:53", "1.0"),
    realm="onvif",
    server="simulated-camera",
    algorithms=("MD5",),
    paths=_paths("/onvif/{}_service", without=("tr2", "tan")),
    stream_paths=("/main", "/sub"),
    snapshot_path="/snapshot.jpg",
    profile_tokens=("Profile_1", "Profile_2"),
)
_DAHUA: Final = Vendor(
    name="dahua",
    identity=DeviceIdentity(
        "Dahua", "DH-IPC-HFW5442E-ZE", "2.840.0000000.28.R, Build Date 2022-05-24", "8A0C3E7PAG{number:05X}", "3c:ef:8c", "1.00"
    ),
    realm="Login to 9f2c41a06d1e7b53",
    server="Webs",
    algorithms=("MD5",),
    paths=_paths("/onvif/{}_service"),
    stream_paths=(
        "/cam/realmonitor?channel=1&subtype=0&unicast=true&proto=Onvif",
        "/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif",
    ),
    snapshot_path="/onvifsnapshot/media_service/snapshot?channel=1&subtype=0",
    profile_tokens=("MediaProfile00000", "MediaProfile00001"),
    scopes=("onvif://www.onvif.org/location/country/china",),
    tells_by_rule=True,
)
_HIKVISION: Final = Vendor(
    name="hikvision",
    identity=DeviceIdentity(
        "HIKVISION", "iDS-2CD7A46G0/P-IZHSY", "V5.7.14 build 230317", "iDS-2CD7A46G0/P-IZHSY20220418AAWRJ{number:08d}", "44:19:b6", "88"
    ),
    realm="IP Camera(D2417)",
    server="App-webs/",
    algorithms=("MD5",),
    paths=_paths("/onvif/{}", trt="Media", tr2="Media2", tev="Events", tptz="PTZ", timg="Imaging", tmd="DeviceIO", tan="Analytics"),
    stream_paths=(
        "/Streaming/Channels/101?transportmode=unicast&profile=Profile_1",
        "/Streaming/Channels/102?transportmode=unicast&profile=Profile_2",
    ),
    snapshot_path="/onvif-http/snapshot?Profile_1",
    profile_tokens=("Profile_1", "Profile_2"),
    scopes=("onvif://www.onvif.org/location/city/hangzhou",),
    tells_by_rule=True,
)
_AXIS: Final = Vendor(
    name="axis",
    identity=DeviceIdentity("AXIS", "Q6135-LE", "11.8.61", "{mac}", "b8:a4:4f", "7D6"),
    realm="AXIS_{mac}",
    server="Apache",
    algorithms=("SHA-256", "MD5"),
    paths=_paths("/onvif/services", without=()),
    stream_paths=(
        "/onvif-media/media.amp?profile=profile_1_h264&sessiontimeout=60&streamtype=unicast",
        "/onvif-media/media.amp?profile=profile_2_h264&sessiontimeout=60&streamtype=unicast",
    ),
    snapshot_path="/onvif-cgi/jpg/image.cgi?resolution=1280x720&compression=30",
    profile_tokens=("profile_1_h264", "profile_2_h264"),
    scopes=("onvif://www.onvif.org/type/Network_Video_Transmitter",),
)
VENDORS: Final = {vendor.name: vendor for vendor in (_ONVIF, _ONVIF_S, _DAHUA, _HIKVISION, _AXIS)}


def vendor_named(name: str) -> Vendor:
    """The vendor `name`; raises `ConfigError`."""
    if name not in VENDORS:
        raise ConfigError(f"no camera of {name!r} is simulated", remedy=f"write {', '.join(VENDORS)}")
    return VENDORS[name]
