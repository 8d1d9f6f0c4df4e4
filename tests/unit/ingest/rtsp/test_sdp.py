"""Session descriptions of real cameras, and of hostile ones."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.nal import nal_type, split_annex_b
from lamppost.ingest.rtsp.messages import parse_message
from lamppost.ingest.rtsp.sdp import UnusableMedia, VideoMedia, find_video
from lamppost.model.media import Codec

BASE = "rtsp://192.0.2.1/live"


def described(lines: str) -> VideoMedia:
    return find_video(("v=0\r\n" + lines.replace("\n", "\r\n")).encode(), BASE)


def recorded(folder: Path, name: str) -> VideoMedia:
    content = (folder / "rtsp" / name).read_bytes()
    head, _, body = content.partition(b"\r\n\r\n")
    parsed = parse_message(head.replace(b"Content-Length", b"X") + b"\r\n\r\n")
    assert parsed is not None
    return find_video(body, parsed[0].header("content-base") or BASE)


@pytest.mark.parametrize(
    ("name", "codec", "control", "types", "interval"),
    [
        (
            "dahua_describe_h264_aac_onvif.txt",
            Codec.H264,
            "rtsp://192.168.5.111:554/cam/realmonitor?channel=1&subtype=1&unicast=true&proto=Onvif/trackID=0",
            [7, 8],
            6000,
        ),
        (
            "dahua_describe_h265_pcma.txt",
            Codec.HEVC,
            "rtsp://cam-driveway/cam/realmonitor?channel=1&subtype=2/trackID=0",
            [32, 33, 34],
            7500,
        ),
        (
            "hikvision_describe.txt",
            Codec.H264,
            "rtsp://192.168.5.106:554/Streaming/Channels/101/trackID=1?transportmode=unicast&profile=Profile_1",
            [7, 8],
            0,
        ),
        ("reolink_describe.txt", Codec.H264, "rtsp://192.168.5.206/h264Preview_01_main/trackID=1", [7, 8], 0),
        ("reolink_describe_control_first.txt", Codec.H264, "rtsp://192.168.5.206/h264Preview_01_main/trackID=1", [7, 8], 0),
    ],
)
def test_recorded_cameras(shared_data: Path, name: str, codec: Codec, control: str, types: list[int], interval: int) -> None:
    media = recorded(shared_data, name)
    assert (media.codec, media.control_url, media.interval_90k) == (codec, control, interval)
    assert [nal_type(codec, unit) for unit in split_annex_b(media.parameter_sets)] == types


def test_addresses_are_resolved_as_cameras_mean_them() -> None:
    video = "m=video 0 RTP/AVP 96\na=rtpmap:96 h264/90000\na=control:"
    assert described(video + "track1").control_url == f"{BASE}/track1"
    assert described(video + "rtsp://other/x").control_url == "rtsp://other/x"
    assert described(video + "*").control_url == BASE
    whole = described("a=control:rtsp://192.0.2.1/all/\n" + video + "track1")
    assert (whole.session_url, whole.control_url) == ("rtsp://192.0.2.1/all/", "rtsp://192.0.2.1/all/track1")
    assert described("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000").control_url == BASE


def test_only_the_video_is_picked() -> None:
    media = described(
        "m=audio 0 RTP/AVP 8\na=control:1\nm=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\na=control:2\n"
        "m=video 0 RTP/AVP 26\na=control:3\nm=video 0 RTP/AVP 99 98\na=rtpmap:98 H265/90000\na=rtpmap:99 VP8/90000\na=control:4"
    )
    assert (media.payload_type, media.control_url) == (98, f"{BASE}/4")


@pytest.mark.parametrize(
    ("lines", "offered"),
    [
        ("m=audio 0 RTP/AVP 8", "no video"),
        ("m=video 0 RTP/AVP 26", "JPEG"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 MP4V-ES/90000", "MP4V-ES"),
        ("m=video 0 RTP/SAVP 96\na=rtpmap:96 H264/90000", "H264 in RTP/SAVP"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=2", "interleaved"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 H265/90000\na=fmtp:96 sprop-max-don-diff=1", "interleaved"),
        ("m=video 0 RTP/AVP 96\na=rtpmap:96 H264/48000", "48000"),
    ],
)
def test_what_cannot_be_recorded_is_named(lines: str, offered: str) -> None:
    with pytest.raises(UnusableMedia, match=offered):
        described(lines)


@pytest.mark.parametrize("rate", ["0", "-5", "1e9", "99999", "inf", "nan", "241"])
def test_an_absurd_rate_is_no_rate(rate: str) -> None:
    assert described(f"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=framerate:{rate}").interval_90k == 0


@pytest.mark.parametrize("sets", ["????,aO48MA", "aO48MA," * 500, "A" * 50_000, ",,,"])
def test_absurd_parameter_sets_stay_bounded(sets: str) -> None:
    media = described(f"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 sprop-parameter-sets={sets}")
    assert len(media.parameter_sets) < 17 * 4100


@given(
    st.lists(
        st.sampled_from(["m=video 0 RTP/AVP 96", "m=", "a=rtpmap:96 H264/90000", "a=fmtp:96 =;;x", "a=control:", "a=", "b", "m=video"])
    )
)
def test_any_lines_are_read(lines: list[str]) -> None:
    try:
        media = described("\n".join(lines))
    except UnusableMedia:
        return
    assert media.codec is Codec.H264


@given(st.binary(max_size=300))
def test_any_bytes_are_read(body: bytes) -> None:
    for content in (body, b"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=" + body):
        with contextlib.suppress(UnusableMedia):
            find_video(content, BASE)
