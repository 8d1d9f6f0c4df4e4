"""How Dahua's CGI is spoken: tables of settings in lines, and what is an error although its status is 200."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lamppost.base.errors import CameraRefused, UnreadableReply
from lamppost.cameras.dialects.interview import Asker, answered
from lamppost.cameras.dialects.reading import Lines, read_lines
from lamppost.cameras.dialects.words import level_of
from lamppost.cameras.web import Reply
from lamppost.model.devices import Level

MOST_CHANNELS: Final = 32
_RULE: Final = re.compile(r"table\.VideoAnalyseRule\[(\d{1,4})\]\[(\d{1,4})\]\.(.+)")
_CHANNEL: Final = re.compile(r"table\.(?:VideoAnalyseGlobal|VideoAnalyseRule)\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a channel: `fields` are what stands behind its place."""

    place: str  # VideoAnalyseRule[0][1]
    fields: Mapping[str, str]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it is and looks for, in the device's words."""
        named = (value for key, value in self.fields.items() if key in ("Class", "Type") or key.startswith("ObjectTypes["))
        return tuple(named)

    @property
    def is_on(self) -> Level:
        return level_of(self.fields.get("Enable"))

    def tracking(self) -> Iterator[tuple[str, Level]]:
        """The fields that let the camera follow what the rule sees."""
        for key, value in self.fields.items():
            last = key.rpartition(".")[2].lower()
            if "track" in last and last.endswith("enable"):
                yield key, level_of(value)


def config_path(name: str) -> str:
    """Where the table `name` is asked for."""
    return f"/cgi-bin/configManager.cgi?action=getConfig&name={name}"


def table(name: str) -> Callable[[Reply], Lines]:
    """Reads the table `name`; another one is no answer."""

    def read(reply: Reply) -> Lines:
        lines = read_lines(reply)
        if not all(key.startswith((f"table.{name}.", f"table.{name}[", f"table.All.{name}")) for key in lines.values):
            raise UnreadableReply("it answers with another table")
        return lines

    return read


def rules_in(lines: Lines) -> tuple[Rule, ...]:
    """The rules of all channels."""
    found: dict[str, dict[str, str]] = {}
    for key, value in lines.values.items():
        match = _RULE.fullmatch(key)
        if match is not None:
            found.setdefault(f"VideoAnalyseRule[{match[1]}][{match[2]}]", {})[match[3]] = value
    return tuple(Rule(place, fields) for place, fields in found.items())


def channels_in(*answers: Lines | None) -> tuple[int, ...]:
    """The channels that tables speak of, counted from 1."""
    keys = (key for answer in answers if answer is not None for key in answer.values)
    return tuple(sorted({int(match[1]) + 1 for key in keys if (match := _CHANNEL.match(key)) is not None}))


def ask_for(web: Asker, path: str) -> Lines:
    """Lines outside an audit; raises `CameraError`."""
    return read_lines(answered(web.ask("GET", path)))


def set_config(web: Asker, key: str, value: str) -> None:
    """Set one thing; raises `CameraError` unless the device says OK."""
    reply = answered(web.ask("GET", f"/cgi-bin/configManager.cgi?action=setConfig&{key}={value}"))
    if reply.content.strip()[:16] != b"OK":
        raise CameraRefused(f"it did not take {key}={value}", remedy="may this user change it?")
