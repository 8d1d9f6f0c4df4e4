"""Messages as cameras really send them are read; what is none, or has no end, is refused in time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.rtsp.messages import MOST_HEAD_BYTES, BadMessage, format_refusal, format_request, parse_message, safe_url


def test_a_plain_reply() -> None:
    content = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\ncontent-LENGTH: 5\r\nX-Folded: a\r\n b\r\n\r\nhello$\0\0\1x"
    parsed = parse_message(content)
    assert parsed is not None
    message, length = parsed
    assert (message.status, message.reason, message.body, content[length:]) == (200, "OK", b"hello", b"$\0\0\1x")
    assert message.header("CSEQ") == "3"
    assert message.header("x-folded") == "a b"
    assert message.header("Session") is None


def test_every_recorded_reply_is_read_whole(shared_data: Path) -> None:
    files = sorted((shared_data / "rtsp").glob("*.txt"))
    assert files
    for path in files:
        content = path.read_bytes()
        length = len(content)
        if b"Content-Length" in content:  # some of the recordings were edited since
            head, _, body = content.partition(b"\r\n\r\n")
            lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
            content = b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body
            length = len(content)
        parsed = parse_message(content)
        assert parsed is not None, path.name
        assert (parsed[0].status, parsed[1]) == (401 if "unauthorized" in path.name else 200, length), path.name


@pytest.mark.parametrize(
    "content",
    [b"RTSP/1.0 200 OK\nCSeq: 1\n\n", b"\r\n\r\nRTSP/1.0 200 OK\r\nCSeq:1\r\n\r\n", b"rtsp/2.0 200\r\nnonsense\r\ncseq : 1\r\n\r\n"],
)
def test_sloppy_replies_are_taken(content: bytes) -> None:
    parsed = parse_message(content)
    assert parsed is not None
    assert (parsed[0].status, parsed[0].header("cseq"), parsed[1]) == (200, "1", len(content))


def test_a_camera_may_ask_as_well() -> None:
    parsed = parse_message(b"ANNOUNCE rtsp://camera/x RTSP/1.0\r\nCSeq: 7\r\n\r\n")
    assert parsed is not None
    assert parsed[0].method == "ANNOUNCE"
    assert format_refusal(parsed[0]) == b"RTSP/1.0 501 Not Implemented\r\nCSeq: 7\r\n\r\n"


@pytest.mark.parametrize(
    "content",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"RTSP/1.0 200 OK\r\n" + b"a" * MOST_HEAD_BYTES,
        b"RTSP/1.0 200 OK\r\n" + b"a:b\r\n" * 200 + b"\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(BadMessage):
        parse_message(content)


def test_nothing_slips_out_of_its_line() -> None:
    request = format_request("SETUP", safe_url("rtsp://camera/a b\r\nX: y\xe9"), 2, (("Session", "1\r\nX: z"),))
    assert request.count(b"\r\n") == 5
    assert request.startswith(b"SETUP rtsp://camera/a%20b%0D%0AX:%20y%C3%A9 RTSP/1.0\r\n")


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_a_message_or_not_yet_or_refused(content: bytes, cut: int) -> None:
    for attempt in (content, b"RTSP/1.0 200 OK\r\n" + content, b"RTSP/1.0 401 x\r\n" + content[:cut] + b"\r\n\r\n"):
        try:
            parsed = parse_message(attempt)
        except BadMessage:
            continue
        assert parsed is None or 0 < parsed[1] <= len(attempt)


@given(st.text("ab:; =\t1", max_size=40), st.binary(max_size=50), st.integers(0, 200))
def test_a_message_that_is_cut_is_awaited(value: str, body: bytes, cut: int) -> None:
    whole = f"RTSP/1.0 200 OK\r\nA: {value}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    parsed = parse_message(whole)
    assert parsed is not None
    assert (parsed[0].body, parsed[1]) == (body, len(whole))
    if cut < len(whole):
        assert parse_message(whole[:cut]) is None
