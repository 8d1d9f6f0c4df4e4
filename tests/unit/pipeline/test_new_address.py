"""A camera's new address changes the host, and nothing else that somebody wrote."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import StoreError
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.new_address import host_of, moved, with_host, write_new_address

OLD, NEW = "192.0.2.7", "192.0.2.99"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rtsp://192.0.2.7/main", "rtsp://192.0.2.99/main"),
        ("rtsp://op:s3%40cret@192.0.2.7:8554/a?x=192.0.2.7#z", "rtsp://op:s3%40cret@192.0.2.99:8554/a?x=192.0.2.7#z"),
        ("rtsp://op:p@ss@192.0.2.7:8554/a", "rtsp://op:p@ss@192.0.2.99:8554/a"),
        ("http://192.0.2.7", "http://192.0.2.99"),
        ("http://192.0.2.71/", "http://192.0.2.71/"),
        ("sim://plaza?seed=1", "sim://plaza?seed=1"),
    ],
)
def test_only_the_host_changes(before: str, after: str) -> None:
    assert with_host(before, OLD, NEW) == after


def test_an_address_of_six_has_its_brackets() -> None:
    assert with_host("rtsp://[fd00::7]:554/a", "fd00::7", "fd00::9") == "rtsp://[fd00::9]:554/a"
    assert with_host("rtsp://192.0.2.7:554/a", OLD, "fd00::9") == "rtsp://[fd00::9]:554/a"
    assert with_host("rtsp://[fd00::7]/a", "fd00::7", NEW) == "rtsp://192.0.2.99/a"


PART = st.text(st.sampled_from("abz09._~%-@:!$&*+,;="), max_size=8)


@given(PART, PART, st.none() | st.integers(1, 65_535), st.text(st.sampled_from("abz09._~%-/@:?&=#"), max_size=12))
def test_user_password_port_path_and_query_stay_to_the_letter(user: str, password: str, port: int | None, tail: str) -> None:
    sign_in = f"{user}:{password}@" if user else ""
    ending = (f":{port}" if port else "") + f"/{tail}"
    before = f"rtsp://{sign_in}{OLD}{ending}"
    if host_of(before) != OLD:
        return
    after = with_host(before, OLD, NEW)
    assert after == f"rtsp://{sign_in}{NEW}{ending}"
    assert (urlsplit(after).port, urlsplit(after).username) == (urlsplit(before).port, urlsplit(before).username)


def test_what_cannot_be_read_names_no_host() -> None:
    assert host_of("rtsp://[broken") == ""


def test_addresses_elsewhere_stay() -> None:
    camera = CameraSettings(name="gate", url=f"rtsp://{OLD}/a", sub_url="rtsp://192.0.2.8/b", device_url=f"http://{OLD}:8080")
    assert moved(camera, OLD, NEW) == {"url": f"rtsp://{NEW}/a", "device_url": f"http://{NEW}:8080"}


CONFIG = f"""\
[sealing]
custodians = ["age1{"q" * 58}", "age1{"p" * 58}"]
threshold = 2

# The gate, since the spring.
[[camera]]
name = "gate"
url = "rtsp://op@{OLD}:8554/main" # by the door
"""


def test_the_file_names_it_and_the_record_came_first(tmp_path: Path) -> None:
    config = tmp_path / "lamppost.toml"
    config.write_text(CONFIG)
    seen: list[str] = []
    assert write_new_address(config, "gate", OLD, NEW, first=lambda: seen.append(config.read_text()))
    assert seen == [CONFIG]
    assert config.read_text() == CONFIG.replace(OLD, NEW) + "allow_basic = false\n", "who is there has proved little"
    assert not write_new_address(config, "gate", OLD, NEW, first=lambda: seen.append("again")), "it was so already"
    assert not write_new_address(config, "nobody", OLD, NEW, first=lambda: seen.append("again"))
    assert len(seen) == 1
    assert ConfigFile(config).camera("gate") is not None


def test_what_others_cannot_read_is_left_to_the_certificate(tmp_path: Path) -> None:
    config = tmp_path / "lamppost.toml"
    config.write_text(CONFIG.replace("rtsp://", "rtsps://"))
    assert write_new_address(config, "gate", OLD, NEW, first=lambda: None)
    assert "allow_basic" not in config.read_text()


def test_leave_that_was_given_for_the_old_address_ends_with_it(tmp_path: Path) -> None:
    config = tmp_path / "lamppost.toml"
    config.write_text(CONFIG + "allow_basic = true\n")
    assert write_new_address(config, "gate", OLD, NEW, first=lambda: None)
    assert "allow_basic = false" in config.read_text()


def test_what_cannot_go_on_the_record_is_not_done(tmp_path: Path) -> None:
    config = tmp_path / "lamppost.toml"
    config.write_text(CONFIG)

    def refuse() -> None:
        raise StoreError("full")

    with pytest.raises(StoreError, match="full"):
        write_new_address(config, "gate", OLD, NEW, first=refuse)
    assert config.read_text() == CONFIG
