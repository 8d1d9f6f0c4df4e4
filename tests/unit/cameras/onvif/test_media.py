"""Streams are where we talk to the device, whatever it says, by Media2 or else by Media1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import CameraError, CameraRefused
from lamppost.cameras.onvif.media import stream_url
from onvif_devices import Canned, device, fault, recorded, reply, simulated

VENDORS = ("onvif", "onvif-s", "dahua", "hikvision", "axis")


@pytest.mark.parametrize("vendor", VENDORS)
def test_streams_of_every_vendor_the_largest_first(vendor: str) -> None:
    with simulated(vendor, rtsp_port=8554) as (camera, web):
        main, sub = device(web, host="127.0.0.1").profiles()
        assert (main.token, sub.token) == camera.profile_tokens
        assert (main.stream_url, sub.stream_url) == (camera.stream_url(0), camera.stream_url(1))
        assert (main.width_px, main.height_px, main.fps, main.codec, main.kbit_per_s) == (1280, 720, 15.0, "h264", 2048.0)
        assert (sub.width_px, sub.height_px, sub.keyframe_interval_s) == (640, 360, 1.0)
        assert (main.has_ptz, main.has_metadata, sub.has_metadata) == (True, True, False)
        assert device(web).snapshot_path(main.token).startswith("/")


@pytest.mark.parametrize("kind", ["unsupported@tr2", "error@tr2=500", "empty@tr2", "truncated@tr2:GetProfiles", "html@tr2:GetStreamUri"])
def test_a_media2_that_fails_leaves_media1(kind: str) -> None:
    with simulated("onvif", fault=kind) as (camera, web):
        assert [profile.token for profile in device(web).profiles()] == list(camera.profile_tokens)
        operations = [each.operation for each in camera.requests]
        assert "tr2:GetProfiles" in operations
        assert "trt:GetProfiles" in operations


def test_metadata_streams_are_told_of_and_never_asked_for() -> None:
    with simulated("onvif") as (camera, web):
        device(web).profiles()
        assert not [each for each in camera.requests if "Metadata" in each.operation]


def test_a_refusal_is_not_answered_with_more_questions() -> None:
    with simulated("onvif", password="wrong") as (camera, web):
        with pytest.raises(CameraRefused):
            device(web, password="wrong").profiles()
        assert "trt:GetProfiles" not in [each.operation for each in camera.requests]


def test_another_host_is_not_believed() -> None:
    with simulated("onvif", fault="foreign=192.0.2.99:8080") as (camera, web):
        asked = device(web, host="127.0.0.1")
        urls = [profile.stream_url for profile in asked.profiles()]
        assert all(url.startswith("rtsp://127.0.0.1/") for url in urls)
        assert asked.snapshot_path(camera.profile_tokens[0]) == "/snapshot.jpg"


def test_one_stream_that_cannot_be_had_leaves_the_others() -> None:
    answers = recorded("onvif-s")

    def stream(content: bytes) -> object:
        return fault("NoProfile") if b"Profile_1<" in content else answers["GetStreamUri"]

    asked = device(Canned({**answers, "GetStreamUri": stream}))  # type: ignore[dict-item]
    assert [profile.token for profile in asked.profiles()] == ["Profile_2"]


def test_numbers_that_are_none_are_not_known() -> None:
    answers = recorded("onvif-s")
    content = answers["GetProfiles"].content
    for old, new in ((b">1280<", b">" + b"9" * 400 + b"<"), (b">15<", b">-15<"), (b">H264<", b">x/y z<")):
        content = content.replace(old, new)
    asked = device(Canned({**answers, "GetProfiles": reply(content)}))
    try:
        found = {profile.token: profile for profile in asked.profiles()}
    except CameraError:
        return
    main = found["Profile_1"]
    assert (main.width_px, main.fps, main.keyframe_interval_s, main.codec) == (None, None, None, "xyz")


def test_a_device_without_streams_says_so() -> None:
    answers = recorded("onvif")
    for gone in (fault("No"), reply(b"")):
        with pytest.raises(CameraError):
            device(Canned({**answers, "GetProfiles": gone})).profiles()
        with pytest.raises(CameraError):
            device(Canned({**answers, "GetStreamUri": gone})).profiles()


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("rtsp://10.0.0.5:554/a?b=1&c=2", "rtsp://cam/a?b=1&c=2"),
        ("rtsp://10.0.0.5/a", "rtsp://cam/a"),
        ("rtsp://10.0.0.5:8554/a", "rtsp://cam:8554/a"),
        ("rtsps://10.0.0.5/a", "rtsps://cam/a"),
        ("rtsps://10.0.0.5:322/a", "rtsps://cam/a"),
        ("rtsps://10.0.0.5:554/a", "rtsps://cam:554/a"),
        ("RTSP://admin:secret@10.0.0.5/a", "rtsp://cam/a"),
        (" rtsp://10.0.0.5/a\n b ", "rtsp://cam/ab"),
        ("rtsp://10.0.0.5:0/a", "rtsp://cam/a"),
        ("rtsp://10.0.0.5:99999/a", ""),
        ("rtsp://[::1/a", ""),
        ("http://10.0.0.5/a", ""),
        ("file:///etc/passwd", ""),
        ("rtsp://10.0.0.5/'x", ""),
        ("rtsp://10.0.0.5/\u00e4", ""),
        ("rtsp://10.0.0.5/" + "a" * 5000, ""),
        ("", ""),
        (None, ""),
        (["rtsp://10.0.0.5/a"], ""),
    ],
)
def test_the_host_of_a_stream_is_ours(said: object, url: str) -> None:
    assert stream_url(said, "cam") == url


def test_the_host_may_be_a_number_of_the_new_kind() -> None:
    assert stream_url("rtsp://10.0.0.5:8554/a", "2001:db8::1") == "rtsp://[2001:db8::1]:8554/a"


@given(st.text(max_size=60))
def test_a_stream_goes_nowhere_else(text: str) -> None:
    url = stream_url(f"rtsp://{text}", "cam")
    assert url == "" or url.partition("/")[2].startswith(("/cam/", "/cam:", "/cam?")) or url == "rtsp://cam"
