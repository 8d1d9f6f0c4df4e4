"""One journal record as one line of text that proves itself: `crc32hex json`.

The checksum covers the JSON bytes. A line is written by one `write()`, so a
kill loses at most the line being written, and a reader can tell a line cut
short from one that was changed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from types import MappingProxyType, NoneType
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

from lamppost.base.errors import StoreError
from lamppost.model.books import RECORD_TYPES, JournalRecord

MAX_LINE_BYTES: Final = 256 * 1024
_CRC_CHARS: Final = 8


class LineDamaged(ValueError):
    """The line is not what was written."""


class LineUnknown(ValueError):
    """The line is whole, but of a kind that this version does not know."""


def encode_line(record: JournalRecord) -> bytes:
    """`record` as a line, with its newline; raises `StoreError` above 256 KiB."""
    content: dict[str, object] = {"type": record.TYPE}
    for name in _NAMES[record.TYPE]:
        content[name] = getattr(record, name)
    # ASCII only: no character of a string can look like the end of the line.
    text = json.dumps(content, separators=(",", ":")).encode("ascii")
    if len(text) > MAX_LINE_BYTES:
        raise StoreError(f"a journal record of type {record.TYPE} has {len(text)} bytes, more than {MAX_LINE_BYTES}")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode_line(line: bytes) -> JournalRecord:
    """The record of a line without its newline; raises `LineDamaged` or `LineUnknown`."""
    text = line[_CRC_CHARS + 1 :]
    # Compared as bytes: reading the number would let a flipped letter case pass.
    if line[: _CRC_CHARS + 1] != b"%08x " % zlib.crc32(text):
        raise LineDamaged("the checksum does not match")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise LineUnknown("not JSON") from error
    if not isinstance(content, dict):
        raise LineUnknown("not a JSON object")
    return _build(cast("dict[str, Any]", content))


def _build(content: dict[str, Any]) -> JournalRecord:
    kind = content.pop("type", None)
    record_type = _TYPES.get(kind) if isinstance(kind, str) else None
    if record_type is None:
        raise LineUnknown(f"record type {kind!r}")
    readers = _READERS[record_type.TYPE]
    if content.keys() != readers.keys():
        names = ", ".join(sorted(content.keys() ^ readers.keys()))
        raise LineUnknown(f"record type {kind!r} with other fields: {names}")
    try:
        return record_type(**{name: readers[name](value) for name, value in content.items()})
    except ValueError as error:
        raise LineUnknown(f"record type {kind!r}: {error}") from error


def _plain(wanted: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # `type` and not `isinstance`: true is no number.
        if type(value) is not wanted:
            raise ValueError(f"{value!r} is not of type {wanted.__name__}")
        return value

    return read


_text = _plain(str)
_list = _plain(list)


def _optional(inner: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else inner(value)


def _texts(value: Any) -> tuple[str, ...]:
    items: list[Any] = _list(value)
    return tuple(_text(item) for item in items)


def _reader(hint: Any) -> Callable[[Any], Any]:
    """How a field of that type is read from JSON."""
    if get_origin(hint) is tuple:
        return _texts
    options = get_args(hint)
    if NoneType in options:
        (inner,) = (option for option in options if option is not NoneType)
        return _optional(_reader(inner))
    if issubclass(hint, StrEnum):
        return cast("Callable[[Any], Any]", hint)  # raises ValueError for a value it does not have
    return _plain(hint)


def _readers(record_type: type[JournalRecord]) -> Mapping[str, Callable[[Any], Any]]:
    hints = get_type_hints(record_type)
    return MappingProxyType({field.name: _reader(hints[field.name]) for field in fields(record_type)})


_TYPES: Final = MappingProxyType({record_type.TYPE: record_type for record_type in RECORD_TYPES})
_NAMES: Final = MappingProxyType({record_type.TYPE: tuple(field.name for field in fields(record_type)) for record_type in RECORD_TYPES})
_READERS: Final = MappingProxyType({record_type.TYPE: _readers(record_type) for record_type in RECORD_TYPES})
