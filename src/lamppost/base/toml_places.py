"""On which line each key and value of a TOML text stands, so that a mistake in it can be told with its place.

tomllib says what a text holds, and not where. This reads the shape of a text that tomllib has taken (TOML 1.0): its
tables, arrays and keys, and of its values no more than where they end.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from bisect import bisect_right
from collections.abc import Sequence

Place = tuple[str | int, ...]
"""The way to a value: keys, and indices of arrays from 0."""

_BLANK = re.compile(r"[ \t\r\n]*(?:#[^\n]*\n?[ \t\r\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Quotes right before the three that end it belong to a string of several lines, two at most.
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"(?!"")){0,2}|"""(?:[^\\]|\\.)*?"""'
    r"|'''.*?'''(?:'(?!'')){0,2}|'''.*?'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}\n#]+")


class TomlPlaces:
    """The lines of one text. What it cannot follow it leaves out, and raises nothing."""

    def __init__(self, text: str) -> None:
        scan = _Scan(text)
        # What tomllib takes is followed to its end; brackets that are too deep for both end it here.
        with contextlib.suppress(ValueError, RecursionError):
            scan.run()
        self._lines = scan.lines

    def line_of(self, place: Sequence[str | int]) -> int:
        """The line, from 1, of `place`; where nothing stands there, of the innermost table or array that should have held it."""
        known = tuple(place)
        while known and known not in self._lines:
            known = known[:-1]
        return self._lines.get(known, 1)

    @property
    def places(self) -> frozenset[Place]:
        """Every place that is known."""
        return frozenset(self._lines)


class _Scan:
    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self._text = text
        self._at = 0
        self._ends = [match.start() for match in re.finditer("\n", text)]
        self._tables: dict[Place, int] = {}  # of each array of tables, how many have begun

    def run(self) -> None:
        base: Place = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._is_next("["):
                base = self._header()
            else:
                self._pair(base)

    def _header(self) -> Place:
        """`[a.b]` or `[[a.b]]`: where the pairs after it belong."""
        line = self._line()
        brackets = 2 if self._is_next("[[") else 1
        self._at += brackets
        *outer, last = self._keys()
        self._at += brackets
        place: Place = ()
        for key in outer:
            place = (*place, key)
            self.lines.setdefault(place, line)
            if place in self._tables:
                place = (*place, self._tables[place] - 1)
        place = (*place, last)
        if brackets == 2:
            self.lines.setdefault(place, line)
            begun = self._tables.get(place, 0)
            self._tables[place] = begun + 1
            place = (*place, begun)
        self.lines[place] = line
        return place

    def _pair(self, base: Place) -> None:
        line = self._line()
        *outer, last = self._keys()
        place = base
        for key in outer:
            place = (*place, key)
            self.lines.setdefault(place, line)
        place = (*place, last)
        self.lines[place] = line
        if not self._is_next("="):
            raise ValueError("no TOML")
        self._at += 1
        self._skip(_SPACE)
        self._value(place)

    def _keys(self) -> list[str]:
        """A key, or several with dots between them."""
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at : self._at + 1] in ('"', "'"):
                keys.append(str(tomllib.loads(f"key = {self._take(_STRING)}")["key"]))
            else:
                keys.append(self._take(_BARE_KEY))
            self._skip(_SPACE)
            if not self._is_next("."):
                return keys
            self._at += 1

    def _value(self, place: Place) -> None:
        first = self._text[self._at : self._at + 1]
        if first in ('"', "'"):
            self._take(_STRING)
        elif first == "[":
            self._within("]", place, is_array=True)
        elif first == "{":
            self._within("}", place, is_array=False)
        else:
            self._take(_PLAIN)

    def _within(self, end: str, place: Place, *, is_array: bool) -> None:
        """The elements of an array, or the pairs of an inline table."""
        self._at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self._is_next(end):
                self._at += 1
                return
            if self._is_next(","):
                self._at += 1
            elif is_array:
                self.lines[(*place, index)] = self._line()
                self._value((*place, index))
                index += 1
            else:
                self._pair(place)

    def _line(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1

    def _is_next(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _skip(self, what: re.Pattern[str]) -> None:
        match = what.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _take(self, what: re.Pattern[str]) -> str:
        match = what.match(self._text, self._at)
        if match is None:
            raise ValueError("no TOML")
        self._at = match.end()
        return match[0]
