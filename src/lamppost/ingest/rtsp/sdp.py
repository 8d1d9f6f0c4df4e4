"""Reads a camera's session description (SDP, RFC 4566) for the one thing that is wanted: its video.

Audio, ONVIF metadata and every other medium are passed over unread, and never set up.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import TICKS_PER_S
from lamppost.ingest.nal import START_CODE
from lamppost.model.media import Codec

_CODECS: Final = {"H264": Codec.H264, "H265": Codec.HEVC, "HEVC": Codec.HEVC}
_SETS: Final = {Codec.H264: ("sprop-parameter-sets",), Codec.HEVC: ("sprop-vps", "sprop-sps", "sprop-pps")}
_STATIC_TYPES: Final = {26: "JPEG", 31: "H261", 32: "MPV", 33: "MP2T", 34: "H263"}  # RFC 3551, table 5
_MOST_LINES: Final = 2000
_MOST_SETS: Final = 16
_MOST_SET_BYTES: Final = 4096
_MOST_FPS: Final = 240.0


class UnusableMedia(ValueError):
    """Nothing of what is described can be recorded; the message says what was offered."""


@dataclass(frozen=True, slots=True)
class VideoMedia:
    """The video of a session: how it is coded, and where it is asked for.

    `parameter_sets` is Annex B, empty when none are told; `interval_90k` is 0 when no rate is told.
    """

    codec: Codec
    payload_type: int
    control_url: str
    session_url: str
    parameter_sets: bytes = b""
    interval_90k: int = 0


@dataclass(slots=True)
class _Section:
    """The lines of the session, or of one medium."""

    medium: str
    attributes: list[tuple[str, str]]

    def first(self, name: str) -> str:
        return next((value for key, value in self.attributes if key == name), "")

    def formats(self, name: str) -> dict[int, str]:
        """Attributes such as `rtpmap:96 H264/90000`, by payload type."""
        found: dict[int, str] = {}
        for key, value in self.attributes:
            number, _, rest = value.partition(" ")
            if key == name and re.fullmatch(r"[0-9]{1,3}", number):
                found.setdefault(int(number), rest.strip())
        return found


def find_video(body: bytes, base_url: str) -> VideoMedia:
    """The first video that can be recorded; `base_url` is what relative addresses begin with.

    Raises `UnusableMedia`.
    """
    session, *media = _sections(body)
    offered: list[str] = []
    for section in media:
        words = section.medium.split()
        if words[:1] != ["video"]:
            continue
        names = _encodings(section, words)
        offered += names.values()
        wanted = next((number for number, name in names.items() if name.upper() in _CODECS), None)
        if wanted is None:
            continue
        if len(words) > 2 and words[2].upper() not in ("RTP/AVP", "RTP/AVPF", "RTP/AVP/TCP", "RTP/AVP/UDP"):
            offered.append(f"{names[wanted]} in {words[2][:20]}")
            continue
        session_url = _resolve(base_url, session.first("control"))
        return _describe(section, wanted, _CODECS[names[wanted].upper()], session_url, base_url)
    raise UnusableMedia(", ".join(_printable(name) for name in offered[:8]) or "no video")


def _sections(body: bytes) -> list[_Section]:
    sections = [_Section("", [])]
    for line in body.decode("utf-8", "replace").split("\n")[:_MOST_LINES]:
        kind, _, value = line.strip().partition("=")
        if kind == "m":
            sections.append(_Section(value, []))
        elif kind == "a":
            name, _, text = value.partition(":")
            sections[-1].attributes.append((name.strip().lower(), text.strip()))
    return sections


def _encodings(section: _Section, words: list[str]) -> dict[int, str]:
    """The names of a medium's payload types, in the order in which it prefers them."""
    maps = section.formats("rtpmap")
    listed = [int(word) for word in words[3:] if re.fullmatch(r"[0-9]{1,3}", word)]
    names: dict[int, str] = {}
    for number in listed or list(maps):
        name = maps.get(number, "").partition("/")[0].strip() or _STATIC_TYPES.get(number, f"payload type {number}")
        names.setdefault(number, name)
    return names


def _describe(section: _Section, number: int, codec: Codec, session_url: str, base_url: str) -> VideoMedia:
    options = _options(section.formats("fmtp").get(number, ""))
    if codec is Codec.H264 and options.get("packetization-mode", "0") not in ("0", "1"):
        raise UnusableMedia("H264 in interleaved mode")
    if options.get("sprop-max-don-diff", "0").strip("0"):
        raise UnusableMedia("H265 in interleaved mode")
    rate = section.formats("rtpmap").get(number, "").partition("/")[2].partition("/")[0].strip()
    if rate and rate != str(TICKS_PER_S):
        raise UnusableMedia(f"{codec.value} with a clock of {_printable(rate)} Hz")
    control = section.first("control")
    return VideoMedia(
        codec=codec,
        payload_type=number,
        control_url=_resolve(session_url if _is_absolute(session_url) else base_url, control) if control else base_url,
        session_url=session_url,
        parameter_sets=_parameter_sets(codec, options),
        interval_90k=_interval(section.first("framerate")),
    )


def _options(text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        options.setdefault(name.strip().lower(), value.strip())
    return options


def _parameter_sets(codec: Codec, options: dict[str, str]) -> bytes:
    coded = [one for name in _SETS[codec] for one in options.get(name, "").split(",") if one][:_MOST_SETS]
    units: list[bytes] = []
    for text in coded:
        try:
            unit = base64.b64decode(text[: _MOST_SET_BYTES * 2] + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            continue  # those in the stream count anyway
        if 0 < len(unit) <= _MOST_SET_BYTES:
            # Some cameras put a start code before them.
            units.append(unit[len(START_CODE) :] if unit.startswith(START_CODE) else unit)
    return b"".join(START_CODE + unit for unit in units if unit)


def _interval(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,10})?", text):
        return 0
    rate = float(text)
    return round(TICKS_PER_S / rate) if 1 / 60 <= rate <= _MOST_FPS else 0


def _resolve(base: str, control: str) -> str:
    """An address as cameras mean it: appended to the base, also behind a query (RFC 3986 would cut that off)."""
    if control in ("", "*"):
        return base
    if _is_absolute(control):
        return control
    return base + control if base.endswith("/") else f"{base}/{control}"


def _is_absolute(url: str) -> bool:
    return re.match(r"rtsps?://", url, re.IGNORECASE) is not None


def _printable(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", text)[:40]
