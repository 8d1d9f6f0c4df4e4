"""Times as people write them on the command line: of the site's clock where no offset is given, or so long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import ConfigError

_AGO: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_YEARS: Final = range(1970, 2200)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(text: str, zone: ZoneInfo, now_us: int, option: str) -> int:
    """Microseconds since 1970 of `2026-11-23`, `2026-11-23T10:00`, the same with an offset, or `24h` and `7d` ago.

    A date alone is the first moment of that day. Raises `ConfigError`, which names `option`, for what is no time, and for
    one that the zone's clock shows twice or never.
    """
    text = text.strip()
    ago = _AGO.fullmatch(text)
    if ago is not None:
        at_us = now_us - round(float(ago[1]) * _SECONDS[ago[2]] * US_PER_S)
        if at_us < 0:
            raise ConfigError(f"{option} {text!r} is before 1970", remedy="ask for less")
        return at_us
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r} is not a time", remedy="write it as 2026-11-23, 2026-11-23T10:00, or 24h ago") from error
    if moment.year not in _YEARS:
        raise ConfigError(f"{option} {text!r} is of no year that can be counted", remedy=f"from {_YEARS[0]} to {_YEARS[-1]}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
        if not _DATE.fullmatch(text):
            _check_once(moment, zone, text, option)
    return max(0, (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1))


def _check_once(moment: datetime, zone: ZoneInfo, text: str, option: str) -> None:
    """The clock that is put back shows an hour twice; the one that is put on shows one never."""
    first, second = (moment.replace(fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise ConfigError(
            f"{option} {text!r} does not exist: the clock of {zone.key} is put on over it",
            remedy=f"name a time that it shows, such as {first.astimezone(UTC).astimezone(zone).isoformat()}",
        )
    raise ConfigError(
        f"{option} {text!r} comes twice: the clock of {zone.key} is put back over it",
        remedy=f"say which one: {first.isoformat()} or {second.isoformat()}",
    )
