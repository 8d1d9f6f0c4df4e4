"""From what recorder and analyst report of a camera to one word that a person understands, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from lamppost.api.moments import Time
from lamppost.base.clock import US_PER_S
from lamppost.base.logging import redact
from lamppost.model.media import GapCause

BEHIND_S: Final = 2.0  # masking that is later than this is called behind
SILENT_US: Final = 15 * US_PER_S  # the supervisor tells twice a second; one that has not for so long is gone

State = Literal["recording", "connecting", "lost", "refused", "unsupported", "not_scheduled", "held", "starting", "off"]
MaskingState = Literal["masked", "covered", "behind", "off"]

_OF_CAUSES: Final[Mapping[str, State]] = {
    GapCause.CAMERA_REFUSED: "refused",
    GapCause.UNSUPPORTED_STREAM: "unsupported",
    GapCause.NOT_SCHEDULED: "not_scheduled",
    GapCause.HELD: "held",
    GapCause.STARTING: "connecting",
    GapCause.STOPPED: "off",
    GapCause.REMOVED: "off",
}
_OF_STATES: Final[Mapping[str, State]] = {
    "recording": "recording",
    "starting": "connecting",
    "stopped": "off",
    GapCause.NOT_SCHEDULED: "not_scheduled",
    GapCause.HELD: "held",
}


class Masking(BaseModel):
    """How the masked video of a camera comes along."""

    state: MaskingState = Field(
        description="`masked`; `covered`: all of the picture is; `behind`: later than it should be; `off`: none is made."
    )
    behind_s: float = Field(description="How late it is, in seconds.")
    step: str | None = Field(description="What it gives up while the machine cannot mask everything; null where it gives up nothing.")
    covered_cause: str | None = Field(description="Why all is covered, where it is.")


class Picture(BaseModel):
    """What the camera sends."""

    width_px: int
    height_px: int
    fps: float | None = Field(description="Nominal; null where the stream does not say.")
    codec: str


class Alarm(BaseModel):
    """A warning or an alarm that stands, of a camera or of the node."""

    kind: str
    severity: Literal["info", "warning", "alarm"]
    camera: str | None
    detail: str


class CameraReport(BaseModel):
    """How a camera is just now."""

    state: State
    detail: str = Field(description="What is wrong, where something is, with its remedy.")
    since: Time | None = Field(description="Since when nothing is recorded; null while something is.")
    masking: Masking
    picture: Picture | None
    live: bool = Field(description="Whether there is live video to watch.")
    last_picture: Time | None
    alarms: list[Alarm]


def camera_report(name: str, node: Mapping[str, Any], now_us: int, gap_start_us: int | None) -> CameraReport:
    """How the camera `name` is, judging by `node`, the state of the node, and since when a gap lasts in the books, if one does.

    A node that has fallen silent tells nothing any more: its cameras are off, whatever it told last.
    """
    cameras: Mapping[str, Mapping[str, Any]] = node.get("cameras", {})
    told = cameras.get(name, {})
    recording: Mapping[str, Any] = told.get("recording") or {}
    masking: Mapping[str, Any] = told.get("masking") or {}
    at_us = int(node.get("at_us", 0))
    is_silent = bool(at_us) and now_us - at_us > SILENT_US
    state: State = "off" if is_silent else _state(recording)
    detail = "the node tells nothing any more" if is_silent else _detail(recording, masking)
    masked = _masking({} if is_silent else masking)
    is_recorded = state == "recording"
    return CameraReport(
        state=state,
        detail=detail,
        since=None if is_recorded else gap_start_us,
        masking=masked,
        picture=_picture(recording),
        live=masked.state != "off",
        last_picture=at_us if is_recorded else gap_start_us,
        alarms=[alarm for alarm in alarms_of(node) if alarm.camera == name],
    )


def alarms_of(node: Mapping[str, Any]) -> list[Alarm]:
    """All that stand, of the node and of every camera."""
    return [
        Alarm(kind=told["kind"], severity=told["severity"], camera=told["camera"], detail=redact(told["problem"]))
        for told in node.get("alarms", ())
    ]


def _state(recording: Mapping[str, Any]) -> State:
    if not recording:
        return "starting"
    told, cause = str(recording.get("state", "")), str(recording.get("cause", ""))
    if told in _OF_STATES:
        return _OF_STATES[told]
    # It is tried again; the books say why nothing comes meanwhile.
    return _OF_CAUSES.get(cause, "lost")


def _detail(recording: Mapping[str, Any], masking: Mapping[str, Any]) -> str:
    if recording.get("problem"):
        return str(recording["problem"])
    if recording.get("is_dropping"):
        return "the disk is too slow: pictures are lost"
    if masking.get("problem"):
        return f"not masked: {masking['problem']}"
    return ""


def _masking(masking: Mapping[str, Any]) -> Masking:
    told, behind_s = str(masking.get("state", "")), float(masking.get("behind_s", 0.0))
    state: MaskingState = "off"
    if told == "covered":
        state = "covered"
    elif told == "masking":
        state = "behind" if behind_s > BEHIND_S else "masked"
    cause = masking.get("covered_cause") if state == "covered" else None
    return Masking(state=state, behind_s=behind_s, step=masking.get("step") or None, covered_cause=cause or None)


def _picture(recording: Mapping[str, Any]) -> Picture | None:
    codec, width_px, height_px = recording.get("codec"), recording.get("width_px"), recording.get("height_px")
    if not (codec and width_px and height_px):
        return None
    return Picture(width_px=int(width_px), height_px=int(height_px), fps=recording.get("fps") or None, codec=str(codec))
