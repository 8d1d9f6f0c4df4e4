"""`lamppost camera add|set|remove|test`: cameras come, change and go while Lamppost runs."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.base.logging import redact
from lamppost.cli.camera_password import asked_password, kept_fields
from lamppost.cli.configuration import DEFAULT_CONFIG, check_camera
from lamppost.cli.errors import one_line_errors
from lamppost.model.layout import DataFolder
from lamppost.model.networks import CameraNetworks
from lamppost.model.settings import FILLED_IN, CameraSettings
from lamppost.model.vision import Preset
from lamppost.pipeline.camera_places import check_places
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.credentials import CredentialKeeper, forget_replaced
from lamppost.pipeline.probing import StreamReport, probe_stream

REPLACED = "A running `lamppost serve` takes it over within some seconds."


class Transport(StrEnum):
    """How RTP comes."""

    TCP = "tcp"
    UDP = "udp"


ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
NameArgument = Annotated[str, typer.Argument(help="The camera's name.")]
SubOption = Annotated[str | None, typer.Option("--sub-url", help="Its smaller stream, analysed and masked in place of the recorded one.")]
TransportOption = Annotated[Transport | None, typer.Option("--transport", help="How RTP comes.")]
UserOption = Annotated[str | None, typer.Option("--username", help="User for RTSP.")]
PasswordOption = Annotated[Path | None, typer.Option("--password-file", help="A file whose first line is the password.")]
PasswordInOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, or ask for it, and keep it encrypted.")
]
RulesOption = Annotated[Path | None, typer.Option("--rules", help="A file of lines, zones and rules, beside the configuration.")]
PresetOption = Annotated[Preset | None, typer.Option("--preset", help="What is masked.")]
ScheduleOption = Annotated[list[str] | None, typer.Option("--schedule", help='When it is recorded: "mon-fri 06:00-20:00"; repeat.')]
CertificateOption = Annotated[str | None, typer.Option("--certificate-sha256", help="Fingerprint of its certificate, for rtsps.")]
SealedOption = Annotated[float | None, typer.Option("--sealed-days", help="Originals are deleted after so many days.")]
MaskedOption = Annotated[float | None, typer.Option("--masked-days", help="Masked video is deleted after so many days.")]
MostOption = Annotated[float | None, typer.Option("--max-gb", help="The most that its originals and masked video take.")]
SiteOption = Annotated[str | None, typer.Option("--site", help="The site that it belongs to, where that is not the node's.")]
TestOption = Annotated[bool, typer.Option("--test", help="Try it first; save nothing when it fails.")]


@one_line_errors
def camera_add(
    name: NameArgument,
    url: Annotated[str | None, typer.Argument(help="rtsp://, rtsps://, sim://… or file:PATH; none with --device.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    device: Annotated[
        str | None, typer.Option("--device", help="Ask the device itself which streams it has: http://HOST[:PORT] or https://HOST[:PORT].")
    ] = None,
    device_certificate_sha256: Annotated[
        str | None, typer.Option("--device-certificate-sha256", help="Fingerprint of the device's certificate, for https.")
    ] = None,
    sub_url: SubOption = None,
    transport: TransportOption = None,
    username: UserOption = None,
    password_file: PasswordOption = None,
    password_stdin: PasswordInOption = False,
    preset: PresetOption = None,
    schedule: ScheduleOption = None,
    certificate_sha256: CertificateOption = None,
    sealed_days: SealedOption = None,
    masked_days: MaskedOption = None,
    max_gb: MostOption = None,
    rules: RulesOption = None,
    site: SiteOption = None,
    test: TestOption = False,
) -> None:
    """Add a camera to the configuration; it is recorded from then on, without a restart.

    The whole configuration is validated before anything is written.
    """
    if (url is None) == (device is None):
        raise ConfigError("say where its video comes from", remedy="give an address, or --device, and not both")
    file = ConfigFile(config)
    password = asked_password(password_stdin, password_file)
    asked: dict[str, str] = {}
    remember: Callable[[], None] | None = None
    if device is not None:
        # Imported when it is asked for: it brings all that devices are asked with.
        from lamppost.cli.device_find import ask_streams, remember_device

        given = password or _password_in(password_file)
        asked, looked = ask_streams(file.before, device, username, given, device_certificate_sha256)
        remember = partial(remember_device, DataFolder(file.before.data), name, asked["device_url"], looked)
        url, sub_url = asked.pop("url"), sub_url or asked.pop("sub_url", None)
    fields = _fields(
        url,
        sub_url,
        transport,
        username,
        password_file,
        preset,
        schedule,
        certificate_sha256,
        sealed_days,
        masked_days,
        max_gb,
        rules,
        site,
    )
    with CredentialKeeper(DataFolder(file.before.data)) as keeper, kept_fields(keeper, file, name, password) as kept:
        camera = file.add(name, {**fields, **asked, **kept})
        check_places({**fields, **asked}, file.before.devices.camera_networks)
        _save(file, keeper.revealed(camera) if test else camera, is_tested=test, done=f"camera {name} was added to {config}.")
    if remember is not None:
        remember()


@one_line_errors
def camera_set(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    url: Annotated[str | None, typer.Option("--url", help="Its address.")] = None,
    sub_url: SubOption = None,
    transport: TransportOption = None,
    username: UserOption = None,
    password_file: PasswordOption = None,
    password_stdin: PasswordInOption = False,
    preset: PresetOption = None,
    schedule: ScheduleOption = None,
    certificate_sha256: CertificateOption = None,
    sealed_days: SealedOption = None,
    masked_days: MaskedOption = None,
    max_gb: MostOption = None,
    rules: RulesOption = None,
    site: SiteOption = None,
    allow_basic: Annotated[
        bool | None,
        typer.Option("--allow-basic/--refuse-basic", help="Whether it may have the password itself, unencrypted, where it asks for that."),
    ] = None,
    unset: Annotated[list[str] | None, typer.Option("--unset", help="Take a setting out, so that its default holds; repeat.")] = None,
    test: TestOption = False,
) -> None:
    """Change settings of a camera. Its recording goes on with them after a moment; other cameras are not touched."""
    fields = _fields(
        url,
        sub_url,
        transport,
        username,
        password_file,
        preset,
        schedule,
        certificate_sha256,
        sealed_days,
        masked_days,
        max_gb,
        rules,
        site,
    )
    fields = {**fields, **({"allow_basic": allow_basic} if allow_basic is not None else {})}
    removed = dict.fromkeys(unset or (), None)
    for key in removed:
        if key not in CameraSettings.model_fields or key in {"name", "url", *FILLED_IN}:
            raise ConfigError(f"--unset {key}: no such setting can be taken out", remedy="see docs/reference/configuration.md")
    if not fields and not removed and not password_stdin:
        raise ConfigError("nothing to change was given", remedy="see `lamppost camera set --help`")
    file = ConfigFile(config)
    before, folder = file.camera(name), DataFolder(file.before.data)
    password = asked_password(password_stdin, password_file)
    if password_file is not None:
        removed |= dict.fromkeys(("password", "credential"))
    with CredentialKeeper(folder) as keeper:
        with kept_fields(keeper, file, name, password) as kept:
            camera = file.set(name, {**removed, **fields, **kept})
            check_places(fields, file.before.devices.camera_networks)
            _save(file, keeper.revealed(camera) if test else camera, is_tested=test, done=f"camera {name} was changed in {config}.")
        forget_replaced(folder, keeper, before, camera)


@one_line_errors
def camera_remove(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Take a camera out of the configuration.

    What was recorded of it stays, and is forgotten when its time has come.
    """
    file = ConfigFile(config)
    before, folder = file.camera(name), DataFolder(file.before.data)
    file.remove(name)
    file.replace()
    with CredentialKeeper(folder) as keeper:
        forget_replaced(folder, keeper, before, None)
    typer.echo(f"camera {name} was taken out of {config}. {REPLACED}")


@one_line_errors
def camera_test(
    camera: Annotated[str, typer.Argument(help="A configured camera's name, or an address.")],
    config: ConfigOption = DEFAULT_CONFIG,
    username: UserOption = None,
    password_file: PasswordOption = None,
    transport: TransportOption = None,
    certificate_sha256: CertificateOption = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=300, help="How long to look.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Connect to a camera as the recorder would, and say what it sends. Nothing is kept.

    Exit code 0: pictures came. 1: none came, and why.
    """
    if ":" in camera:
        given = _fields(None, None, transport, username, password_file, None, None, certificate_sha256, None, None, None, None)
        wanted = check_camera("test", camera, **given)
        networks = load_settings(config).devices.camera_networks if config.exists() else CameraNetworks()
    else:
        settings = load_settings(config)
        networks, found = settings.devices.camera_networks, [known for known in settings.camera if known.name == camera]
        if not found:
            raise ConfigError(f"{config} has no camera {camera!r}", remedy="give its name, or an address")
        with CredentialKeeper(DataFolder(settings.data)) as keeper:
            wanted = keeper.revealed(found[0])
    urls = {"main": wanted.url} | ({"sub": wanted.sub_url} if wanted.sub_url else {})
    reports = {which: _probe(wanted, url, seconds, networks) for which, url in urls.items()}
    if as_json:
        typer.echo(json.dumps({which: dataclasses.asdict(report) for which, report in reports.items()}, indent=2))
        return
    for which, report in reports.items():
        _tell(which, redact(urls[which]), report)


def _password_in(password_file: Path | None) -> str | None:
    """What a password file holds; raises `ConfigError`."""
    return CameraSettings(name="device", url="sim://plaza", password_file=password_file).resolved_password()


def _fields(
    url: str | None,
    sub_url: str | None,
    transport: Transport | None,
    username: str | None,
    password_file: Path | None,
    preset: Preset | None,
    schedule: list[str] | None,
    certificate_sha256: str | None,
    sealed_days: float | None = None,
    masked_days: float | None = None,
    max_gb: float | None = None,
    rules: Path | None = None,
    site: str | None = None,
) -> Fields:
    """What was given of these options."""
    given: dict[str, str | float | tuple[str, ...] | None] = {
        "url": url,
        "sub_url": sub_url,
        "transport": transport.value if transport else None,
        "username": username,
        "password_file": str(password_file) if password_file else None,
        "preset": preset.value if preset else None,
        "schedule": tuple(schedule) if schedule else None,
        "certificate_sha256": certificate_sha256,
        "sealed_days": sealed_days,
        "masked_days": masked_days,
        "max_gb": max_gb,
        "rules_file": str(rules) if rules else None,
        "site": site,
    }
    return {key: value for key, value in given.items() if value is not None}


def _save(file: ConfigFile, camera: CameraSettings, *, is_tested: bool, done: str) -> None:
    if is_tested:
        _tell("main", redact(camera.url), _probe(camera, camera.url, 3.0, file.before.devices.camera_networks))
    file.replace()
    typer.echo(f"{done} {REPLACED}")


def _probe(camera: CameraSettings, url: str, seconds: float, networks: CameraNetworks) -> StreamReport:
    return probe_stream(camera, url, networks=networks, seconds=seconds, clock=SystemClock(), stop=threading.Event())


def _tell(which: str, shown: str, report: StreamReport) -> None:
    console = Console(highlight=False, soft_wrap=True)
    fps = "?" if report.fps is None else f"{report.fps:g}"
    keyframes = "seen once" if report.keyframe_interval_s is None else f"every {report.keyframe_interval_s:g} s"
    console.print(
        f"[bold]{which}[/] {escape(shown)}: {report.codec} {report.width_px}x{report.height_px}, {fps} fps, "
        f"{report.kbit_per_s / 1000:.1f} Mbit/s, keyframes {keyframes}; first picture after {report.first_picture_s:.1f} s"
    )
    for warning in report.warnings:
        console.print(f"[bold yellow]warning:[/] {escape(warning)}")
