"""What is told of the device behind a camera."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr

from lamppost.api.moments import Time
from lamppost.ingest.locator import parse_locator
from lamppost.model.devices import DeviceIdentity, StreamProfile
from lamppost.pipeline.device_warnings import StreamFigures

WarningKind = Literal[
    "clock_off",
    "device_exchanged",
    "device_doubled",
    "device_moved",
    "factory_password",
    "keyframes_far_apart",
    "low_bit_rate",
    "low_frame_rate",
    "metadata_stream",
    "no_tls",
    "packets_lost",
]


class DeviceIs(BaseModel):
    """Who a device says it is; empty where it does not."""

    vendor: str
    model: str
    firmware: str
    serial: str
    mac: str
    hardware: str

    @classmethod
    def of(cls, identity: DeviceIdentity) -> DeviceIs:
        return cls(**asdict(identity))


class DeviceProfile(BaseModel):
    """A stream that a device has set up; null where it does not say."""

    token: str
    name: str
    url: str | None = Field(description="Without user and password; null for who may not edit the camera.")
    codec: str
    width_px: int | None
    height_px: int | None
    fps: float | None
    kbit_per_s: float | None
    keyframe_interval_s: float | None
    has_ptz: bool
    has_metadata: bool = Field(description="Whether metadata are sent in it, such as boxes of persons; Lamppost reads none.")

    @classmethod
    def of(cls, profile: StreamProfile, *, shows_url: bool) -> DeviceProfile:
        fields = asdict(profile)
        url = fields.pop("stream_url")
        del fields["source"]
        return cls(**fields, url=parse_locator(url).shown if url and shows_url else None)


class Storage(BaseModel):
    """A card or disk in the device."""

    name: str
    state: str = Field(description="In the device's own words.")
    free_bytes: int | None
    total_bytes: int | None


class DeviceHealthNow(BaseModel):
    """How the device is; null where it does not say."""

    asked: Time | None
    clock_offset_s: float | None = Field(description="How far its clock is ahead of ours.")
    ntp: str | None = Field(description="Which time servers it asks.")
    temperature_c: float | None
    uptime_s: float | None
    storage: list[Storage]

    @classmethod
    def of(cls, document: Mapping[str, Any], asked_us: int | None) -> DeviceHealthNow:
        known = {name: document.get(name) for name in ("clock_offset_s", "ntp", "temperature_c", "uptime_s")}
        return cls(asked=asked_us, storage=[Storage.model_validate(each) for each in document.get("storage") or ()], **known)


class StreamNow(BaseModel):
    """What comes over the last seconds, against what should; null where that is not known."""

    fps: float | None
    nominal_fps: float | None
    kbit_per_s: float | None
    nominal_kbit_per_s: float | None
    received_packets: int = Field(description="Of the present session.")
    lost_packets: int
    keyframe_interval_s: float | None

    @classmethod
    def of(cls, figures: StreamFigures) -> StreamNow:
        return cls(**asdict(figures))


class DeviceWarning(BaseModel):
    """Something that somebody should put right."""

    kind: WarningKind
    detail: str


class Device(BaseModel):
    """The device behind a camera: what is known of it, and how it is."""

    camera: str
    device_url: str | None = Field(description="Where it is asked; null where there is none, and for who may not edit the camera.")
    identity: DeviceIs | None = Field(description="Null before it has answered.")
    seen: Time | None = Field(description="When it has answered last.")
    is_reachable: bool | None = Field(description="Null where it is not known: it was not asked yet, or there is no device.")
    problem: str
    warnings: list[DeviceWarning]
    profiles: list[DeviceProfile]
    health: DeviceHealthNow
    stream: StreamNow | None = Field(description="Null while nothing is recorded.")


class DeviceLook(BaseModel):
    """How the device is to be asked."""

    accept: bool = Field(
        default=False, description="Whether the device that is there is the right one, though it is another than the known one."
    )


class NewPassword(BaseModel):
    """The password that the device is to take; a strong one is made where none is given."""

    new: SecretStr | None = Field(default=None, description="8 to 32 letters, digits and signs.")
    in_clear: bool = Field(
        default=False,
        description="Whether it may be sent over http, where others on the camera's network can read it; else such a device is not asked.",
    )


class PasswordChanged(BaseModel):
    """The device has taken it, and the configuration names it. It is told to nobody."""

    at: Time
