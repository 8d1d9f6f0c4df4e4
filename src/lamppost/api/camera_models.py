"""What is told of a camera, and what may be said of one, as JSON."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from lamppost.api.camera_state import CameraReport
from lamppost.model.access import Permission
from lamppost.model.vision import Preset


class Camera(CameraReport):
    """A camera, and how it is just now."""

    name: str
    site: str = Field(description="The name of its site.")
    site_id: str = Field(description="As grants name it.")
    preset: Preset = Field(description="What is masked.")
    has_rules: bool
    has_sub: bool = Field(description="Whether a smaller stream is analysed in place of the recorded one.")
    can: list[Permission] = Field(description="What who asks may do with it.")


class CameraRetention(BaseModel):
    """After how long its footage goes; null: as `[retention]` says."""

    sealed_days: float | None
    masked_days: float | None
    max_gb: float | None


class CameraWhole(Camera):
    """A camera with its settings, as they stand in the configuration; null for who may not edit it. Never a password."""

    url: str | None = Field(description="Without user and password.")
    sub_url: str | None
    username: str | None
    has_password: bool | None
    allow_basic: bool | None = Field(description="Whether it may have the password itself, unencrypted; null: until it has taken a digest.")
    transport: Literal["tcp", "udp"] | None
    certificate_sha256: str | None
    device_url: str | None = Field(description="Where the device is asked, where that is not port 80 of the host in `url`.")
    device_certificate_sha256: str | None
    own_preset: Preset | None = Field(description="What it has instead of that of `[masking]`; null where it has none.")
    own_site: str | None = Field(description="Empty: that of the node.")
    schedule: list[str] | None
    retention: CameraRetention | None
    rules_file: str | None
    counting_model: str | None
    etag: str | None = Field(description="Send it as `If-Match` with a change; null where there is no configuration file.")


class Cameras(BaseModel):
    """All of them that who asks may see."""

    items: list[Camera]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Settings(_Body):
    """What may be set of a camera; null takes it out, so that its default holds. Where it holds is checked with the rest."""

    sub_url: str | None = Field(default=None, max_length=2000)
    username: str | None = Field(default=None, max_length=200)
    password: SecretStr | None = Field(default=None, max_length=200, description="Kept in a file of its own, and never told again.")
    allow_basic: bool | None = Field(
        default=None, description="Whether it may have the password itself, unencrypted (Basic over `rtsp://`)."
    )
    transport: Literal["tcp", "udp"] | None = None
    certificate_sha256: str | None = Field(default=None, max_length=95)
    device_url: str | None = Field(default=None, max_length=300, description="Where the device is asked: `http://HOST[:PORT]`, or https.")
    device_certificate_sha256: str | None = Field(default=None, max_length=95)
    preset: Preset | None = None
    schedule: list[str] | None = Field(default=None, max_length=50)
    sealed_days: float | None = None
    masked_days: float | None = None
    max_gb: float | None = None
    site: str | None = Field(default=None, max_length=100)
    counting_model: str | None = Field(default=None, max_length=100)

    def given(self) -> dict[str, Any]:
        """What was sent, but for the password."""
        return self.model_dump(mode="json", exclude_unset=True, exclude={"password"})


class NewCamera(_Settings):
    """A camera that is to be recorded from now on."""

    name: str = Field(max_length=63, description="1 to 63 lower-case letters, digits and hyphens. It cannot be changed.")
    url: str = Field(max_length=2000, description="`rtsp://`, `rtsps://` or `sim://`.")


class CameraChange(_Settings):
    """What is to be different from now on; what is left out stays."""

    url: str | None = Field(default=None, max_length=2000)


class CameraTest(_Body):
    """A camera to be tried. Nothing of it is kept."""

    url: str = Field(max_length=2000)
    sub_url: str | None = Field(default=None, max_length=2000)
    username: str | None = Field(default=None, max_length=200)
    password: SecretStr | None = Field(default=None, max_length=200)
    transport: Literal["tcp", "udp"] = "tcp"
    certificate_sha256: str | None = Field(default=None, max_length=95)
    allow_basic: bool | None = Field(default=None, description="As with the settings of a camera; that of `camera` where it is left out.")
    camera: str | None = Field(
        default=None,
        max_length=63,
        description="A configured camera: its user and password are used where none is given, and only at its own address.",
    )


class StreamReport(BaseModel):
    """What a stream showed."""

    codec: str
    width_px: int
    height_px: int
    fps: float | None
    kbit_per_s: float
    keyframe_interval_s: float | None
    first_picture_s: float
    warnings: list[str]


class CameraTested(BaseModel):
    """What became of the trial."""

    ok: bool
    main: StreamReport | None
    sub: StreamReport | None
    problem: str = Field(description="What is wrong, where something is.")
    remedy: str
