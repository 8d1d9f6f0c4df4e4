"""Reports: the camera's clock is read, nonsense is passed over, ours are well-formed."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.rtsp.rtcp import Reporter, SenderReport, parse_rtcp

NTP_2023 = (2_208_988_800 + 1_700_000_000) << 32 | 1 << 31


def sender_report(ssrc: int = 7) -> bytes:
    return struct.pack(">BBHIQIII", 0x80, 200, 6, ssrc, NTP_2023, 1234, 10, 1000)


def test_the_cameras_clock_is_read() -> None:
    said = parse_rtcp(sender_report() + b"\x81\xca\0\2\0\0\0\7\1\1x\0", 7)
    assert said.report == SenderReport(7, NTP_2023, 1234)
    assert said.report.wall_us == 1_700_000_000_500_000
    assert not said.has_left
    assert parse_rtcp(sender_report(8), 7).report is None


def test_a_good_bye_counts_if_it_is_the_senders_own() -> None:
    bye = struct.pack(">BBHII", 0x82, 203, 2, 9, 7)
    assert parse_rtcp(sender_report() + bye, 7).has_left
    assert not parse_rtcp(bye, 8).has_left
    assert not parse_rtcp(struct.pack(">BBHI", 0x9F, 203, 1, 8), 7).has_left


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(content: bytes) -> None:
    parse_rtcp(content, 7)
    parse_rtcp(b"\x9f\xcb\0\0" + content, 7)
    parse_rtcp(b"\x80\xc8\0\6" + content, 7)


def test_what_is_reported_is_well_formed() -> None:
    reporter = Reporter(1)
    reporter.heard(SenderReport(7, NTP_2023, 0), 10.0)
    content = reporter.make(7, packets=75, lost=25, highest_sequence=0x1_0063, now_s=10.5)
    flags, kind, words, own, source, fraction, lost, highest, _, last, delay = struct.unpack_from(">BBHIIB3sIIII", content)
    assert (flags, kind, words, own, source) == (0x81, 201, 7, 1, 7)
    assert (fraction, int.from_bytes(lost, "big"), highest) == (64, 25, 0x1_0063)
    assert (last, delay) == (NTP_2023 >> 16 & 0xFFFF_FFFF, 32_768)
    # The name follows, in whole words.
    flags, kind, words = struct.unpack_from(">BBH", content, 32)
    assert (flags, kind, 36 + 4 * words) == (0x81, 202, len(content))
    assert content[36:].endswith(b"lamppost\0\0")
    # The next one tells of what came since.
    assert reporter.make(7, packets=175, lost=25, highest_sequence=1, now_s=15.0)[12] == 0


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40), st.integers(0, 0xFFFF_FFFF))
def test_any_counts_can_be_reported(packets: int, lost: int, highest: int) -> None:
    reporter = Reporter(1)
    for factor in (1, 2, 0):
        assert len(reporter.make(7, packets * factor, lost * factor, highest, 1.0)) % 4 == 0
