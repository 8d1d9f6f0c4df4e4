"""What an operator may set, in `lamppost.toml`; the reference page is made from this.

Every field's description is the documentation. Unknown keys are refused, so
that a typing error never passes for a setting.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from lamppost.base.errors import ConfigError
from lamppost.base.ids import AGE_RECIPIENT, check_camera_name
from lamppost.model.acts import NODE
from lamppost.model.carriers import NotifySettings
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.device_url import split_device_url
from lamppost.model.paths import FilePath
from lamppost.model.rules import RuleBook
from lamppost.model.schedule import Schedule, find_zone
from lamppost.model.section import Section
from lamppost.model.server_settings import MetricsSettings, ServerSettings
from lamppost.model.sites import check_sites
from lamppost.model.vision import Preset
from lamppost.model.vision_settings import AnalysisSettings, MaskingSettings, ModelsSettings

SCHEMES = ("rtsp", "rtsps", "sim", "file")
# Redaction finds the end of an address in running text by these.
_NOT_IN_ADDRESS = re.compile(r"[\s\x00-\x1f\x7f'\"]")

FILLED_IN = frozenset({"rules"})
"""Keys of a camera that nobody writes into `lamppost.toml`: they are filled in from what other keys name."""

# What a recorder need not know of a camera.
_NOT_RECEIVED = {
    "site",
    "preset",
    "sealed_days",
    "masked_days",
    "max_gb",
    "rules_file",
    "rules",
    "counting_model",
    "device_url",
    "device_certificate_sha256",
}


class CameraSettings(Section):
    """One camera. Repeat the table `[[camera]]` for each."""

    name: str = Field(description="Name of the camera: 1 to 63 lower-case letters, digits and hyphens. It names folders.")
    url: str = Field(
        description="Where its video comes from: `rtsp://`, `rtsps://`, `sim://plaza?seed=1&people=8&vehicles=4` or `file:PATH?loop=1`."
    )
    site: str = Field(
        default="", max_length=100, description="The site that it belongs to; that of the node where empty. No two sites may have one id."
    )
    username: str | None = Field(default=None, description="User for RTSP; may stand in the URL instead.")
    password: SecretStr | None = Field(default=None, description="Password for RTSP; better kept in `password_file`.")
    password_file: FilePath | None = Field(default=None, description="A file whose first line is the password.")
    allow_basic: bool | None = Field(
        default=None,
        description="Whether the camera may have the password itself, unencrypted, where it asks for that (Basic over `rtsp://`). "
        "Where this is left out: until it has taken a digest. "
        "Lamppost sets it to `false` when it has followed the camera to a new address by itself.",
    )
    credential: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{16}$",
        description="Its password lies encrypted in the data folder under this number, and is put there by Lamppost.",
    )
    device_url: str | None = Field(
        default=None,
        max_length=300,
        description="Where the device itself is asked (ONVIF and its own ways): `http://HOST[:PORT]` or `https://HOST[:PORT]`. "
        "Where it is left out, port 80 of the host in `url`.",
    )
    device_certificate_sha256: str | None = Field(
        default=None,
        description="For an `https://` `device_url`: SHA-256 of the device's own certificate. Without it, the system's authorities vouch.",
    )
    preset: Preset | None = Field(default=None, description="Masking preset of this camera; the one of `[masking]` otherwise.")
    transport: Literal["tcp", "udp"] = Field(default="tcp", description="How RTP comes: `tcp` within the RTSP connection, or `udp`.")
    sub_url: str | None = Field(
        default=None, description="The camera's smaller stream: it is analysed and masked in place of the recorded one, never recorded."
    )
    certificate_sha256: str | None = Field(
        default=None,
        description="For `rtsps://`: SHA-256 of the camera's own certificate, in hexadecimal. Without it, the system's authorities vouch.",
    )
    schedule: tuple[str, ...] = Field(
        default=(), description='When it is recorded, such as `["mon-fri 06:00-20:00", "sat,sun 08:00-24:00"]`; always where empty.'
    )
    sealed_days: Annotated[float, Field(ge=0.0001, le=3650)] | None = Field(
        default=None, description="Originals of this camera are deleted after so many days; `[retention]` otherwise."
    )
    masked_days: Annotated[float, Field(ge=0.0001, le=3650)] | None = Field(
        default=None, description="Masked video of this camera is deleted after so many days; `[retention]` otherwise."
    )
    max_gb: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="Originals and masked video of this camera together take no more than this; `[retention]` otherwise."
    )

    rules_file: FilePath | None = Field(
        default=None, description="A file with the lines and zones to count in, and with rules that raise events; none: nothing is counted."
    )
    counting_model: str | None = Field(
        default=None, description="What finds the things to count of this camera; the `model` of `[analysis]` otherwise."
    )
    rules: RuleBook | None = Field(default=None, description="What stands in `rules_file`.")

    @field_validator("name")
    @classmethod
    def _name_is_usable(cls, name: str) -> str:
        if name == NODE:
            raise ValueError("no camera can be called so: acts that are about no camera are on the record under that name")
        try:
            return check_camera_name(name)
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @field_validator("url", "sub_url")
    @classmethod
    def _scheme_is_allowed(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            scheme = urlsplit(url).scheme
        except ValueError as error:
            raise ValueError("this is not a URL") from error
        if scheme not in SCHEMES:
            raise ValueError(f"the scheme {scheme or '(none)'!r} is not read; use one of {', '.join(SCHEMES)}")
        if scheme in ("rtsp", "rtsps") and _NOT_IN_ADDRESS.search(url):
            raise ValueError("white space, quotes and control characters stand there as %20, %27, %22 and so on")
        return url

    @field_validator("device_url")
    @classmethod
    def _device_can_be_asked(cls, url: str | None) -> str | None:
        try:
            if url is not None:
                split_device_url(url)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return url

    @field_validator("schedule")
    @classmethod
    def _schedule_can_be_read(cls, schedule: tuple[str, ...]) -> tuple[str, ...]:
        try:
            Schedule(schedule, "UTC")
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return schedule

    @field_validator("certificate_sha256", "device_certificate_sha256")
    @classmethod
    def _fingerprint_is_one(cls, fingerprint: str | None) -> str | None:
        plain = fingerprint.replace(":", "").lower() if fingerprint is not None else None
        if plain is not None and not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise ValueError("a SHA-256 fingerprint has 64 hexadecimal digits")
        return plain

    @model_validator(mode="after")
    def _one_password(self) -> CameraSettings:
        if sum(kept is not None for kept in (self.password, self.password_file, self.credential)) > 1:
            raise ValueError("give one of password, password_file and credential")
        return self

    @property
    def has_device(self) -> bool:
        """Whether there is a device behind it that can be asked; simulated streets and files have none, unless `device_url` says so."""
        return self.device_url is not None or urlsplit(self.url).scheme in ("rtsp", "rtsps")

    def is_received_as(self, other: CameraSettings) -> bool:
        """Whether a change from `other` to this leaves the connection and the recording as they are."""
        return self.model_dump(exclude=_NOT_RECEIVED) == other.model_dump(exclude=_NOT_RECEIVED)

    def resolved_password(self) -> str | None:
        """The password in the clear, from where it is kept; raises `ConfigError`."""
        if self.password is not None:
            return self.password.get_secret_value()
        if self.password_file is None:
            return None
        try:
            secret = self.password_file.read_text(encoding="utf-8").splitlines()[0].strip()
        except (OSError, UnicodeDecodeError, IndexError) as error:
            raise ConfigError(
                f"camera {self.name}: its password_file {self.password_file} cannot be read",
                remedy="put the password on the file's first line and let Lamppost's user read it",
            ) from error
        if not secret:
            raise ConfigError(f"camera {self.name}: the first line of {self.password_file} is empty", remedy="put the password there")
        return secret


class RecordingSettings(Section):
    """How originals and masked video are cut into files."""

    segment_s: Annotated[float, Field(ge=5, le=3600)] = Field(
        default=60.0, description="Length of a segment in seconds; cut at the next keyframe."
    )
    sync_interval_s: Annotated[float, Field(ge=0.5, le=60)] = Field(
        default=5.0, description="At most this much is lost at a power failure, in seconds, beyond the open fragment."
    )
    timeout_s: Annotated[float, Field(ge=1, le=10)] = Field(
        default=10.0, description="A camera that is silent for so many seconds is called lost."
    )
    reconnect_cap_s: Annotated[float, Field(ge=1, le=300)] = Field(
        default=10.0, description="The longest pause between two attempts to reach a lost camera, in seconds."
    )


class RetentionSettings(Section):
    """When footage is forgotten: the key shares first, then the bytes. What is held stays."""

    sealed_days: Annotated[float, Field(ge=0.0001, le=3650)] = Field(
        default=3.0, description="Originals are deleted after so many days; fractions are allowed."
    )
    masked_days: Annotated[float, Field(ge=0.0001, le=3650)] = Field(
        default=3.0, description="Masked video is deleted after so many days; fractions are allowed."
    )
    max_gb: Annotated[float, Field(ge=0)] = Field(
        default=0.0,
        description="The most that one camera's originals and masked video take together, in GB; the oldest go first. 0: no limit.",
    )
    keep_free_gb: Annotated[float, Field(ge=0)] = Field(
        default=1.0,
        description="When the disk has less free than this, in GB, the oldest footage of all cameras goes before its time; where all of "
        "it is held, recording stops with an alarm.",
    )
    counts_days: Annotated[float, Field(ge=1, le=36_500)] = Field(
        default=400.0, description="Counts by the minute are deleted after so many days; hours and days are known for longer."
    )
    rollup_days: Annotated[float, Field(ge=1, le=36_500)] = Field(
        default=3650.0, description="Counts by the hour and the day are deleted after so many days."
    )
    events_days: Annotated[float, Field(ge=1, le=36_500)] = Field(
        default=365.0, description="Events that are over are deleted after so many days; their pictures go with masked video."
    )


class FleetSettings(Section):
    """How many processes share the cameras."""

    recorders: Annotated[int, Field(ge=0, le=64)] = Field(
        default=0, description="Recorder processes; 0: one for each 100 cameras, at most one for each core."
    )
    analysts: Annotated[int, Field(ge=0, le=64)] = Field(
        default=0, description="Analyst processes; 0: one for each core, at most one for each camera."
    )


class SealingSettings(Section):
    """Who can open the originals, together."""

    custodians: tuple[str, ...] = Field(description="The age recipients (`age1…`) of the custodians; 2 to 16.")
    threshold: Annotated[int, Field(ge=2, le=16)] = Field(description="How many custodians it takes to open an epoch.")
    trial: bool = Field(
        default=False, description="True while the trial keys made by `lamppost init` are in use; every summary warns of it."
    )
    epoch_s: Annotated[float, Field(ge=10, le=86_400)] = Field(
        default=600.0, description="The span that one sealing key covers, in seconds."
    )

    @field_validator("custodians")
    @classmethod
    def _recipients_are_age(cls, custodians: tuple[str, ...]) -> tuple[str, ...]:
        for number, recipient in enumerate(custodians, 1):
            if recipient.strip().upper().startswith("AGE-SECRET-KEY-"):
                raise ValueError(
                    "a custodian is given by a public recipient (age1…), but a SECRET key stands here; treat that key as exposed"
                )
            if not AGE_RECIPIENT.fullmatch(recipient):
                raise ValueError(f"number {number} is not an age recipient (age1 and 58 more characters)")
        if len(set(custodians)) != len(custodians):
            raise ValueError("the same custodian stands there twice")
        if not 2 <= len(custodians) <= 16:
            raise ValueError(f"there must be 2 to 16 custodians, not {len(custodians)}")
        return custodians

    @model_validator(mode="after")
    def _threshold_fits(self) -> SealingSettings:
        if self.threshold > len(self.custodians):
            raise ValueError(f"threshold {self.threshold} is more than the {len(self.custodians)} custodians")
        return self


class LogSettings(Section):
    """Logs go to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="The least level that is written.")
    as_json: bool = Field(default=False, description="One JSON object a line, for machines.")


class Settings(Section):
    """The whole of `lamppost.toml`."""

    data: FilePath = Field(default=Path("lamppost-data"), description="The data folder; relative to the configuration file.")
    timezone: str = Field(default="UTC", description="The site's time zone, such as `Europe/Berlin`: schedules are in it.")
    site: str = Field(default="", max_length=100, description="What this site is called in messages to others, such as `Old Town`.")
    sealing: SealingSettings
    recording: RecordingSettings = Field(default_factory=RecordingSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    masking: MaskingSettings = Field(default_factory=MaskingSettings)
    analysis: AnalysisSettings = Field(default_factory=AnalysisSettings)
    models: ModelsSettings = Field(default_factory=ModelsSettings)
    fleet: FleetSettings = Field(default_factory=FleetSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    devices: DeviceSettings = Field(default_factory=DeviceSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    camera: tuple[CameraSettings, ...] = Field(default=(), description="The cameras, each a table `[[camera]]`.")
    notify: tuple[NotifySettings, ...] = Field(default=(), max_length=16, description="Who is told of events, each a table `[[notify]]`.")

    def with_passwords(self) -> Settings:
        """The same with every password read from its file, so that a changed one shows; raises `ConfigError`."""
        cameras = tuple(
            camera.model_copy(update={"password": SecretStr(camera.resolved_password() or ""), "password_file": None})
            if camera.password_file is not None
            else camera
            for camera in self.camera
        )
        return self.model_copy(update={"camera": cameras})

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            find_zone(zone)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return zone

    @model_validator(mode="after")
    def _names_differ(self) -> Settings:
        seen: set[str] = set()
        for camera in self.camera:
            if camera.name in seen:
                raise ValueError(f"two cameras are called {camera.name!r}")
            seen.add(camera.name)
        check_sites(camera.site or self.site for camera in self.camera)
        carriers = [carrier.name for carrier in self.notify]
        for name in carriers:
            if carriers.count(name) > 1:
                raise ValueError(f"two carriers are called {name!r}")
        return self
