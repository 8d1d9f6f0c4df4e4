"""Which of two firmwares of one vendor is older, where their names tell; where they do not, nobody guesses.

Vendors write versions in ways of their own: `V5.5.0 build 170725` (Hikvision),
`2.800.0000000.16.R, build 2019-12-05` (Dahua), `9.80.2` (Axis).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

LONGEST: Final = 200
# Every part is bounded and begins with what the one before cannot hold, so that no text takes long.
_VERSION: Final = re.compile(
    r"[Vv]?(?P<numbers>\d{1,12}(?:\.\d{1,12}){0,7})(?:\.(?P<line>[A-Za-z]{1,8}))?"
    r"(?:[ ,;_-]{1,4}[Bb]uild(?: ?[Dd]ate)?[ :]{0,3}(?P<build>\d{4}-\d{2}-\d{2}|\d{8}|\d{6}))?"
)


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """Its numbers, the line that it is of (`R`), and the day when it was built, where it says so."""

    numbers: tuple[int, ...]
    line: str = ""
    built: date | None = None


def parse_version(text: str) -> FirmwareVersion | None:
    """The version that a device or a list names; None for what is written in another way."""
    match = _VERSION.fullmatch(text.strip()) if len(text) <= LONGEST and text.isascii() else None
    if match is None:
        return None
    numbers = [int(part) for part in match["numbers"].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        del numbers[-1]  # 9.80.0 is 9.80
    built = None
    if match["build"] is not None:
        built = _day(match["build"])
        if built is None:
            return None
    return FirmwareVersion(tuple(numbers), (match["line"] or "").upper(), built)


def compare(one: str, other: str) -> int | None:
    """-1 where `one` is older, 1 where it is newer, 0 where they are the same; None where that cannot be told."""
    left, right = parse_version(one), parse_version(other)
    if left is None or right is None or left.line != right.line:
        return None
    shared = min(len(left.numbers), len(right.numbers))
    if left.numbers[:shared] != right.numbers[:shared]:
        return -1 if left.numbers[:shared] < right.numbers[:shared] else 1
    # 9.80 may be any of 9.80.1, 9.80.2 and so on.
    if len(left.numbers) != len(right.numbers) or (left.built is None) != (right.built is None):
        return None
    if left.built is None or right.built is None or left.built == right.built:
        return 0
    return -1 if left.built < right.built else 1


def _day(text: str) -> date | None:
    digits = text.replace("-", "")
    digits = f"20{digits}" if len(digits) == 6 else digits
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
