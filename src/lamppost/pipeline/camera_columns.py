"""What the columns of a table of cameras mean: each cell becomes a setting, a password, or a piece of where the camera came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from lamppost.base.errors import ConfigError
from lamppost.base.ids import check_camera_name
from lamppost.model.acts import NODE

Value = str | float | tuple[str, ...] | None

SETTINGS: Final = (
    "url",
    "sub_url",
    "username",
    "transport",
    "preset",
    "schedule",
    "site",
    "sealed_days",
    "masked_days",
    "max_gb",
    "certificate_sha256",
    "device_url",
    "device_certificate_sha256",
)
"""Columns that are settings of a camera under the same name."""

ORIGIN: Final = (
    "vendor",
    "oem",
    "model",
    "firmware",
    "integrator",
    "contract",
    "cost",
    "currency",
    "installed",
    "legal_basis",
    "purpose",
    "note",
)
"""Columns that say where a camera came from, and why it is there."""

MADE_OF: Final = ("name", "title", "address", "channel", "stream_path", "sub_path", "password", "password_env")
COLUMNS: Final = ("name", "title", "address", "channel", "stream_path", "sub_path", *SETTINGS, "password", "password_env", *ORIGIN)
"""All columns there are."""

IN_PROFILES: Final = (
    *(column for column in SETTINGS if column not in ("url", "sub_url", "device_url", "certificate_sha256", "device_certificate_sha256")),
    "channel",
    "stream_path",
    "sub_path",
    *(column for column in ORIGIN if column not in ("note", "firmware")),
)
"""Columns that a profile may fill: what many cameras have in common, and no secret."""

EXPORTED: Final = ("name", *SETTINGS, *ORIGIN)
"""Columns of a table that is written: no password, and nothing that another column says."""

LONGEST: Final = MappingProxyType({"note": 2000, "purpose": 1000, "legal_basis": 1000})
_LONGEST_WORD: Final = 200
_NUMBERS: Final = ("sealed_days", "masked_days", "max_gb")

_VENDOR_PATHS: Final = MappingProxyType(
    {
        "hikvision": ("/Streaming/Channels/{channel}01", "/Streaming/Channels/{channel}02"),
        "dahua": ("/cam/realmonitor?channel={channel}&subtype=0", "/cam/realmonitor?channel={channel}&subtype=1"),
        "axis": ("/axis-media/media.amp?camera={channel}", ""),
    }
)
"""Where the main and the smaller stream of a vendor's devices are."""

_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]{1,253})(?::(?P<port>[0-9]{1,5}))?")
_CHANNEL: Final = re.compile(r"[1-9][0-9]{0,2}")
_HOLE: Final = re.compile(r"\{[^}]*\}|[{}]")


class CellProblem(ValueError):
    """A cell that cannot be used."""

    def __init__(self, column: str, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.column = column
        self.problem = problem
        self.remedy = remedy


def name_of(text: str) -> str:
    """A name for a camera made of a title: `Plaça Major, Nord` is `placa-major-nord`. Empty where no letter of it can stand in one."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(
        letter if letter.isascii() and letter.isalnum() else " " if not unicodedata.combining(letter) else "" for letter in plain
    )
    return "-".join(kept.split())[:63].strip("-")


def check_name(name: str) -> None:
    """Raises `CellProblem`, with a name that could be had, for one that no camera may have."""
    proposal = name_of(name)
    if name == NODE:
        raise CellProblem("name", "no camera can be called so: acts that are about no camera are on the record under that name")
    try:
        check_camera_name(name)
    except ConfigError as error:
        raise CellProblem("name", error.problem, f"call it {proposal}" if proposal and proposal != NODE else error.remedy) from error


def setting_of(column: str, text: str) -> Value:
    """The setting that a cell of `SETTINGS` gives; whether it may be is for the settings themselves to say. Raises `CellProblem`."""
    if column in _NUMBERS:
        return number_of(column, text)
    if column == "schedule":
        return tuple(part for each in re.split(r"[;|\n\r]", text) if (part := " ".join(each.split())))
    if column in ("transport", "preset"):
        return text.lower()
    return text


def text_of(column: str, value: object) -> str:
    """The cell that `setting_of` makes `value` of."""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return " | ".join(str(part) for part in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def number_of(column: str, text: str) -> float:
    """A number, with a point or a comma; raises `CellProblem`."""
    plain = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", plain):
        raise CellProblem(column, f"{text[:40]!r} is no number", "write it as 30 or 0.5, without a unit")
    return float(plain)


def origin_of(column: str, text: str) -> str | float | date:
    """What a cell of `ORIGIN` says; raises `CellProblem`."""
    longest = LONGEST.get(column, _LONGEST_WORD)
    if len(text) > longest:
        raise CellProblem(column, f"it has more than {longest} characters", "make it shorter")
    if column == "cost":
        return number_of(column, text)
    if column == "currency":
        if not re.fullmatch(r"[A-Za-z]{3}", text):
            raise CellProblem(column, f"{text[:40]!r} is no currency", "write its three letters, such as EUR")
        return text.upper()
    if column == "installed":
        try:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
                raise ValueError
            return date.fromisoformat(text)
        except ValueError as error:
            raise CellProblem(column, f"{text[:40]!r} is no date", "write it as 2024-05-31") from error
    return text


def streams_of(cell: Callable[[str], str]) -> dict[str, str]:
    """`url` and `sub_url`, from the cells of those names or from address, vendor and channel. Raises `CellProblem`."""
    url, address = cell("url"), cell("address")
    if url and address:
        raise CellProblem("url", "url and address are both given", "give one of them")
    if url:
        return {"url": url} | ({"sub_url": sub} if (sub := cell("sub_url")) else {})
    if not address:
        remedy = "give url, or address and vendor"
        if cell("device_url"):
            remedy += "; `lamppost camera device` and the console ask a device for its streams"
        raise CellProblem("url", "where its video comes from is missing", remedy)
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"] or 0) > 65_535:
        raise CellProblem("address", f"{_shown(address)} is no address", "write it as 10.20.0.11, 10.20.0.11:554 or camera.example.org")
    channel = cell("channel") or "1"
    if not _CHANNEL.fullmatch(channel):
        raise CellProblem("channel", f"{channel[:40]!r} is no channel", "channels are counted from 1 to 999")
    main, smaller = _paths(cell)
    if not main:
        raise CellProblem(
            "vendor" if cell("vendor") else "address",
            "no stream path is known of this vendor" if cell("vendor") else "without a vendor its stream path is not known",
            f"give one of {', '.join(sorted(_VENDOR_PATHS))} as vendor, or stream_path, or url",
        )
    # A certificate is shown over TLS alone.
    scheme = "rtsps" if cell("certificate_sha256") else "rtsp"
    made = {"url": _filled("stream_path", main, address, channel, scheme)}
    if sub := cell("sub_url"):
        return made | {"sub_url": sub}
    return made | ({"sub_url": _filled("sub_path", smaller, address, channel, scheme)} if smaller else {})


def check_path(column: str, text: str) -> None:
    """Raises `CellProblem` for a pattern of a stream's path that cannot be filled."""
    _filled(column, text, "host", "1", "rtsp")


def address_of(column: str, url: str) -> str:
    """The host that an address of a stream or of a device names; empty where it is a file or simulated. Raises `CellProblem`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        raise CellProblem(column, "this is no address", "write it as rtsp://10.20.0.11/stream1") from None
    return host if parts.scheme in ("rtsp", "rtsps", "http", "https") else ""


def check_device_url(url: str, certificate: str) -> None:
    """Raises `CellProblem` for what is no address of a device."""
    host = address_of("device_url", url)
    parts = urlsplit(url)
    if not host or parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise CellProblem("device_url", "this is no address of a device", "write it as http://10.20.0.11 or https://10.20.0.11:8443")
    if certificate and parts.scheme != "https":
        raise CellProblem("device_certificate_sha256", "without TLS there is no certificate", "use https:// in device_url, or leave it out")


def _paths(cell: Callable[[str], str]) -> tuple[str, str]:
    main, smaller = _VENDOR_PATHS.get(cell("vendor").strip().lower(), ("", ""))
    own = cell("stream_path")
    return (own, cell("sub_path")) if own else (main, cell("sub_path") or smaller)


def _filled(column: str, pattern: str, address: str, channel: str, scheme: str) -> str:
    filled = pattern.replace("{address}", address).replace("{channel}", channel)
    if _HOLE.search(filled):
        raise CellProblem(column, "it holds braces that nothing is known of", "use {address} and {channel}, and no other")
    if filled.startswith(("rtsp://", "rtsps://")):
        return filled
    if not filled.startswith("/"):
        raise CellProblem(column, "a path begins with /", "write it as /stream{channel}, or as rtsp://{address}:8554/stream{channel}")
    return f"{scheme}://{address}{filled}"


def _shown(address: str) -> str:
    """Without what may be a password before an @."""
    return repr(address.rpartition("@")[2][:60])
