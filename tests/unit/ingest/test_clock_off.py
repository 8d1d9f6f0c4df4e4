"""What a camera's own reports say of its clock."""

from __future__ import annotations

import pytest

from lamppost.ingest.rtsp.rtcp import SenderReport, clock_off_s

NOW_US = 1_790_000_000_000_000
NTP_ERA_S = 2_208_988_800


def report(at_s: float) -> SenderReport:
    return SenderReport(1, (round(at_s) + NTP_ERA_S) << 32, 0)


@pytest.mark.parametrize("off_s", [0, 7, -3600, 86_400 * 300])
def test_it_is_told_in_seconds_ahead_of_ours(off_s: int) -> None:
    assert clock_off_s(report(NOW_US / 1e6 + off_s), NOW_US) == off_s


@pytest.mark.parametrize("at_s", [0, 12_345, -NTP_ERA_S])
def test_a_clock_without_a_date_is_unknown(at_s: int) -> None:
    assert clock_off_s(report(at_s), NOW_US) is None
