"""What is told of devices, as JSON."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from lamppost.model.devices import StreamProfile


class DeviceProfile(BaseModel):
    """A stream that a device has; null where it does not say."""

    token: str
    name: str
    url: str = Field(description="With the address that we talk to, whatever the device calls itself.")
    codec: str
    width_px: int | None
    height_px: int | None
    fps: float | None
    kbit_per_s: float | None
    keyframe_interval_s: float | None
    has_ptz: bool
    has_metadata: bool = Field(description="Whether it is set to send metadata, which Lamppost never takes.")

    @classmethod
    def of(cls, profile: StreamProfile) -> Self:
        return cls(
            token=profile.token,
            name=profile.name,
            url=profile.stream_url,
            codec=profile.codec,
            width_px=profile.width_px,
            height_px=profile.height_px,
            fps=profile.fps,
            kbit_per_s=profile.kbit_per_s,
            keyframe_interval_s=profile.keyframe_interval_s,
            has_ptz=profile.has_ptz,
            has_metadata=profile.has_metadata,
        )
