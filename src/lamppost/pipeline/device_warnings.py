"""What about a camera's device somebody should put right: found in what is known of it already, without asking it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lamppost.cameras.factory_passwords import is_factory_password
from lamppost.ingest.locator import Scheme, parse_locator
from lamppost.model.devices import StreamProfile
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.device_access import device_address, device_user

CLOCK_S: Final = 5.0
KEYFRAMES_S: Final = 4.5
LEAST_SHARE: Final = 0.8  # of the nominal frame rate
LEAST_BIT_SHARE: Final = 0.2  # of the nominal bit rate: with variable rates it is the most, and far more than a quiet street needs


@dataclass(frozen=True, slots=True)
class Warned:
    """One line for a person. `kind` is for programs."""

    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """What the recorder measures, against what the device says of the profile; None where one of them says nothing."""

    fps: float | None
    nominal_fps: float | None
    kbit_per_s: float | None
    nominal_kbit_per_s: float | None
    received_packets: int
    lost_packets: int
    keyframe_interval_s: float | None


def stream_figures(recording: Mapping[str, Any], profile: StreamProfile | None) -> StreamFigures | None:
    """From the recorder's last report; None where nothing comes."""
    if recording.get("state") != "recording":
        return None
    return StreamFigures(
        fps=recording.get("measured_fps"),
        nominal_fps=(profile.fps if profile is not None else None) or recording.get("fps") or None,
        kbit_per_s=recording.get("kbit_per_s"),
        nominal_kbit_per_s=profile.kbit_per_s if profile is not None else None,
        received_packets=int(recording.get("received_packets", 0)),
        lost_packets=int(recording.get("lost_packets", 0)),
        keyframe_interval_s=recording.get("keyframe_interval_s"),
    )


def profile_of(camera: CameraSettings, profiles: Sequence[StreamProfile]) -> StreamProfile | None:
    """The profile whose stream is recorded; where no address fits, the first, which is the main one."""
    path = _path(camera.url)
    return next((profile for profile in profiles if profile.stream_url and _path(profile.stream_url) == path), None) or next(
        iter(profiles), None
    )


def warnings_of(
    camera: CameraSettings,
    *,
    vendor: str,
    password: str | None,
    profiles: Sequence[StreamProfile],
    health: Mapping[str, Any],
    stream: StreamFigures | None,
) -> list[Warned]:
    """Everything that is known to be wrong; `password` is what is signed in with, None where it is not known here."""
    return [
        *_of_sign_in(camera, vendor, password),
        *_of_clock(health.get("clock_offset_s")),
        *(
            Warned(
                "metadata_stream", f"profile {profile.name or profile.token} sends metadata: it is not read; switch it off on the device"
            )
            for profile in profiles
            if profile.has_metadata
        ),
        *(_of_stream(stream) if stream is not None else ()),
    ]


def _of_sign_in(camera: CameraSettings, vendor: str, password: str | None) -> Iterator[Warned]:
    if password is not None and is_factory_password(vendor, device_user(camera), password):
        yield Warned("factory_password", "its password is one with which such devices leave the factory: change it")
    if camera.has_device and device_address(camera).scheme == "http":
        yield Warned(
            "no_tls",
            "it is asked over http, which others on its network can read; its password is not sent, unless it is changed from here",
        )


def _of_clock(offset_s: Any) -> Iterator[Warned]:
    if isinstance(offset_s, int | float) and abs(offset_s) > CLOCK_S:
        way = "ahead of" if offset_s > 0 else "behind"
        yield Warned("clock_off", f"its clock is {abs(offset_s):.0f} s {way} ours: give it an NTP server")


def _of_stream(stream: StreamFigures) -> Iterator[Warned]:
    if stream.fps is not None and stream.nominal_fps and stream.fps < LEAST_SHARE * stream.nominal_fps:
        yield Warned("low_frame_rate", f"{stream.fps:.1f} pictures a second come of {stream.nominal_fps:.0f}")
    if stream.kbit_per_s is not None and stream.nominal_kbit_per_s and stream.kbit_per_s < LEAST_BIT_SHARE * stream.nominal_kbit_per_s:
        yield Warned("low_bit_rate", f"{stream.kbit_per_s:.0f} kbit/s come of {stream.nominal_kbit_per_s:.0f}")
    if stream.keyframe_interval_s is not None and stream.keyframe_interval_s > KEYFRAMES_S:
        yield Warned("keyframes_far_apart", f"keyframes are {stream.keyframe_interval_s:.1f} s apart: set 1 to 4 s on the device")
    if stream.lost_packets * 100 > stream.received_packets + stream.lost_packets:
        yield Warned("packets_lost", f"{stream.lost_packets} of {stream.received_packets + stream.lost_packets} packets were lost")


def _path(url: str) -> str:
    locator = parse_locator(url)
    if locator.scheme not in (Scheme.RTSP, Scheme.RTSPS):
        return url
    return locator.request_url.partition("://")[2].partition("/")[2]
