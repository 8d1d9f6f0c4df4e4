"""What may be set, between which bounds; and a password that shows itself nowhere."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from lamppost.base.errors import ConfigError
from lamppost.model.rules import RuleBook
from lamppost.model.server_settings import MetricsSettings, split_listen
from lamppost.model.settings import CameraSettings, LogSettings, RecordingSettings, SealingSettings, Settings
from lamppost.model.vision import Preset
from lamppost.model.vision_settings import AnalysisSettings, MaskingSettings, ModelsSettings

CANARY = "kanarienvogel-42"
ALPHABET = "023456789acdefghjklmnpqrstuvwxyz"
SECTIONS = (CameraSettings, RecordingSettings, SealingSettings, MaskingSettings, AnalysisSettings, ModelsSettings, LogSettings, Settings)


def recipients(count: int) -> tuple[str, ...]:
    return tuple("age1" + ALPHABET[number] * 58 for number in range(count))


RULES = {"line": [{"name": "door", "points": [(0.1, 0.5), (0.9, 0.5)]}]}


def make_camera(**changes: Any) -> CameraSettings:
    return CameraSettings(**{"name": "gate", "url": "rtsp://192.0.2.1/s"} | changes)


def make_sealing(count: int, threshold: int) -> SealingSettings:
    return SealingSettings(custodians=recipients(count), threshold=threshold)


FIELDS = [(section, key) for section in SECTIONS for key in section.model_fields]


@pytest.mark.parametrize(("section", "key"), FIELDS, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_every_setting_is_described(section: type[BaseModel], key: str) -> None:
    description = section.model_fields[key].description or ("" if section is not Settings else "a section of its own")
    assert len(description) > 15


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_unknown_keys_are_refused_and_settings_do_not_change(section: type[BaseModel]) -> None:
    assert section.model_config.get("extra") == "forbid"
    assert section.model_config.get("frozen") is True
    assert section.__doc__


# Models


@pytest.mark.parametrize(
    ("providers", "wanted"),
    [("auto", ()), (["cuda", "cpu"], ("cuda", "cpu")), (["TensorrtExecutionProvider", "CUDAExecutionProvider"], ("tensorrt", "cuda"))],
)
def test_providers_are_auto_or_a_list_and_stay_so_on_their_way_to_other_processes(providers: Any, wanted: tuple[str, ...]) -> None:
    settings = ModelsSettings(providers=providers)
    assert settings.wanted_providers == wanted
    assert ModelsSettings.model_validate(json.loads(settings.model_dump_json())) == settings
    assert ModelsSettings().providers == "auto"


@pytest.mark.parametrize(
    ("providers", "said"),
    [
        (["gpu"], "'gpu' is no provider; known are tensorrt, cuda, openvino, cpu"),
        ([], "one at least"),
        (["cpu", "CPUExecutionProvider"], "each provider once"),
        (["auto", "cpu"], "'auto' stands alone"),
        ("cuda", '"auto", or a list of tensorrt'),
        (["cuda", 1], '"auto", or a list of tensorrt'),
        ({"cuda": 1}, '"auto", or a list of tensorrt'),
    ],
)
def test_what_is_no_list_of_providers_has_one_line(providers: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ModelsSettings(providers=providers)
    (error,) = caught.value.errors()
    assert error["loc"] == ("providers",)
    assert said in error["msg"]


# Cameras


@pytest.mark.parametrize("url", ["rtsp://h/s", "rtsps://h:322/s", "sim://plaza?seed=1&people=8", "file:clip.mp4?loop=1", "RTSP://h/s"])
def test_four_kinds_of_address_are_read(url: str) -> None:
    assert make_camera(url=url).url == url


@pytest.mark.parametrize(
    "url", ["http://h/s", "ftp://h/s", "concat:a|b", "/etc/passwd", "", "rtmp://h/s", "pipe:0", "data:x", "-i", "rtsp//h"]
)
def test_no_other_is(url: str) -> None:
    with pytest.raises(ValidationError):
        make_camera(url=url)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1", "https://[fd00::1]:8443", "HTTP://camera.example:8080/onvif", "http://xn--bcher-kva.example"]
)
def test_where_a_device_is_asked_is_taken_as_it_is_written(url: str) -> None:
    assert make_camera(device_url=url).device_url == url


@pytest.mark.parametrize(
    "url",
    [
        *["http://0x7f.1", "http://2130706433", "http://127.1", "http://bücher.example", "http://a..b", "http://h%2ei"],
        *[
            "http://",
            "ftp://h",
            "h",
            "http://h:0",
            "http://h:99999",
            "http://u:kanarienvogel-42@h",
            "http://h\\i",
            "http://h i",
            "http://[::1",
        ],
    ],
)
def test_a_device_that_could_never_be_asked_is_refused_by_the_settings_already(url: str) -> None:
    """So that one odd address does not stop the care of the others: who connects reads it by the same words."""
    with pytest.raises(ValidationError) as caught:
        make_camera(device_url=url)
    (error,) = caught.value.errors()
    assert error["loc"] == ("device_url",)
    assert "write http://HOST[:PORT] or https://HOST[:PORT], without a user" in error["msg"]
    assert CANARY not in error["msg"]


@pytest.mark.parametrize("name", ["", "-gate", "gate-", "Gate", "ga te", "../gate", "gate/1", "gäte", "a" * 64, "gate.1", "gate\n"])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        make_camera(name=name)


def test_names_must_differ() -> None:
    with pytest.raises(ValidationError, match="two cameras are called 'gate'"):
        Settings(sealing=make_sealing(2, 2), camera=(make_camera(), make_camera(url="sim://plaza")))


def test_a_password_shows_itself_nowhere_but_where_it_is_asked_for() -> None:
    camera = make_camera(password=CANARY)
    settings = Settings(sealing=make_sealing(2, 2), camera=(camera,))
    assert camera.resolved_password() == CANARY
    for text in (repr(settings), str(settings), settings.model_dump_json(), json.dumps(settings.model_dump(mode="json"))):
        assert CANARY not in text


def test_a_password_comes_from_one_place(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="give one of password"):
        make_camera(password="x", password_file=tmp_path)
    assert make_camera().resolved_password() is None


def test_a_password_file_that_cannot_be_read_names_its_camera_and_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(CANARY.encode() + b"\xff")
    for path in (tmp_path / "secret", tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigError, match="camera gate") as caught:
            make_camera(password_file=path).resolved_password()
        assert CANARY not in str(caught.value)


# Custodians


@pytest.mark.parametrize(("count", "threshold"), [(2, 2), (3, 2), (16, 16), (16, 2)])
def test_two_to_sixteen_custodians_and_at_least_two_to_open(count: int, threshold: int) -> None:
    assert make_sealing(count, threshold).threshold == threshold


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (2, 1), (2, 3), (17, 2), (0, 0), (16, 17)])
def test_no_others(count: int, threshold: int) -> None:
    with pytest.raises(ValidationError):
        make_sealing(count, threshold)


@pytest.mark.parametrize(
    "recipient", ["", "age1", "age1" + "b" * 58, "age1" + "q" * 57, "age1" + "q" * 59, "AGE1" + "Q" * 58, "ssh-ed25519 AAAA"]
)
def test_only_recipients_are_custodians(recipient: str) -> None:
    with pytest.raises(ValidationError, match="number 2 is not an age recipient"):
        SealingSettings(custodians=(recipients(1)[0], recipient), threshold=2)


# Bounds


@pytest.mark.parametrize(
    ("section", "key", "least", "most"),
    [
        (RecordingSettings, "segment_s", 5, 3600),
        (RecordingSettings, "sync_interval_s", 0.5, 60),
        (RecordingSettings, "timeout_s", 1, 10),
        (RecordingSettings, "reconnect_cap_s", 1, 300),
        (MaskingSettings, "look_back_s", 0.1, 5),
        (MaskingSettings, "detect_interval_s", 0.02, 2),
        (MaskingSettings, "threads", 1, 64),
    ],
)
def test_numbers_have_bounds(section: type[BaseModel], key: str, least: float, most: float) -> None:
    for value in (least, most):
        assert getattr(section(**{key: value}), key) == value
    for value in (least / 2 if key != "threads" else 0, most * 2, float("nan"), float("inf"), "soon"):
        with pytest.raises(ValidationError):
            section(**{key: value})


def test_a_dead_camera_is_never_waited_for_longer_than_ten_seconds() -> None:
    assert RecordingSettings().timeout_s <= 10


def test_faces_and_movement_are_masked_unless_told_otherwise() -> None:
    assert MaskingSettings().preset is Preset.MOTION
    assert {preset.value for preset in Preset} == {"motion", "faces", "heads", "persons", "all"}  # and none that masks nothing


def test_logs_have_known_levels() -> None:
    with pytest.raises(ValidationError):
        LogSettings(level="loud")  # type: ignore[arg-type]


@pytest.mark.parametrize("listen", ["9464", ":9464", "host:", "host:port", "host:70000", "host:²", "::1:9464", "a b:1"])
def test_an_address_for_metrics_that_is_none_is_refused(listen: str) -> None:
    # Here, and not where it is used: a reload must not end what runs.
    with pytest.raises(ValidationError, match="is no address"):
        MetricsSettings(listen=listen)


def test_an_address_for_metrics_may_be_ipv6_or_none() -> None:
    assert split_listen("[::1]:9464") == ("::1", 9464)
    assert MetricsSettings(listen="").listen == ""


@pytest.mark.parametrize(
    ("changes", "is_received_as_before"),
    [
        ({"preset": "all", "sealed_days": 1, "masked_days": 2, "max_gb": 3}, True),
        ({"rules_file": "gate.rules.toml", "rules": RULES, "counting_model": "yolox-nano"}, True),
        ({"url": "rtsp://192.0.2.1/other"}, False),
        ({"sub_url": "rtsp://192.0.2.1/sub"}, False),
        ({"transport": "udp"}, False),
        ({"username": "op"}, False),
        ({"password": CANARY}, False),
        ({"password_file": "camera.password"}, False),
        ({"certificate_sha256": "0" * 64}, False),
        ({"schedule": ["mon 06:00-20:00"]}, False),
    ],
)
def test_what_a_recorder_need_not_know_interrupts_no_recording(changes: dict[str, Any], is_received_as_before: bool) -> None:
    assert make_camera(**changes).is_received_as(make_camera()) is is_received_as_before


def test_another_password_is_another_way_to_receive() -> None:
    assert not make_camera(password=CANARY).is_received_as(make_camera(password="x"))


def test_the_rules_of_a_camera_reach_its_processes() -> None:
    sealing = SealingSettings(custodians=recipients(2), threshold=2)
    settings = Settings(sealing=sealing, camera=(make_camera(rules=RULES),))
    received = Settings.model_validate(json.loads(json.dumps(settings.model_dump(mode="json"))))
    assert received.camera[0].rules == settings.camera[0].rules
    changed = settings.camera[0].model_copy(update={"rules": RuleBook()})
    assert changed != settings.camera[0], "so that the processes are told"


@pytest.mark.parametrize("interval_s", [0.019, 2.1, math.inf, math.nan])
def test_looks_for_counting_are_neither_all_the_time_nor_never(interval_s: float) -> None:
    with pytest.raises(ValidationError):
        AnalysisSettings(interval_s=interval_s)
