"""Writes the rules of a camera as a person would, and leaves what is the same, with its comments, as it stands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import tomlkit
from pydantic import BaseModel
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import ConfigError
from lamppost.model.rules import RuleBook
from lamppost.pipeline.rules_file import parse_rules

_LISTS: Final = ("line", "zone", "rule")
_TABLES: Final = ("calibration", "heat_map")
_LONG_LINE: Final = 100
_HEADER: Final = re.compile(r"\[\[?[a-z_]+\]\]?\s*(?:#.*)?")


def render_rules(book: RuleBook, before: str = "") -> str:
    """The text of a rules file that says `book`, made of what it said `before`; what has its default is left out.

    Parts that say the same as before stay as they were written, in their place; comments stand as long as what they stand
    by. Raises `ConfigError` where `before` cannot be changed by a program.
    """
    try:
        document = tomlkit.parse(before)
    except TOMLKitError as error:
        raise ConfigError("the rules file cannot be changed by a program", remedy="change it by hand") from error
    tables = cast("dict[str, Any]", document)
    for name in _LISTS:
        _put_list(tables, name, getattr(book, name))
    for name in _TABLES:
        part = getattr(book, name)
        if part is None:
            tables.pop(name, None)
            continue
        if not isinstance(tables.get(name), Table):
            tables.pop(name, None)
            tables[name] = tomlkit.table()
        _fill(tables[name], part)
    text = document.as_string()
    return text if text == before else _spaced(text)


def write_rules(path: Path, book: RuleBook, before: str, *, first: Callable[[], object] | None = None) -> None:
    """Put `book` at `path`, durable on return; raises `ConfigError`, and `StoreError` where it cannot be written.

    `first` is that of `write_durable`.
    """
    content = render_rules(book, before).encode()
    if parse_rules(content, path) != book:
        # Nothing is known that does this: it would have to be something odd in what was there before.
        content = render_rules(book).encode()
    make_directory(path.parent, 0o755)
    write_durable(path.resolve(), content, 0o644, first=first)


def _put_list(tables: dict[str, Any], name: str, parts: Sequence[BaseModel]) -> None:
    before = tables.get(name)
    known = {_name(table): table for table in before.body} if isinstance(before, AoT) else {}
    wanted = [cast(Any, part).name for part in parts]
    if not parts:
        tables.pop(name, None)
        return
    if isinstance(before, AoT) and _keeps_order(list(known), wanted) and len(known) == len(before.body):
        for gone in [each for each in known if each not in wanted]:
            del cast(Any, before)[[_name(table) for table in before.body].index(gone)]
    else:
        tables.pop(name, None)
        tables[name] = before = tomlkit.aot()
        known = {}
    for part, called in zip(parts, wanted, strict=True):
        table = known.get(called)
        if table is None:
            table = tomlkit.table()
            _fill(table, part)
            cast(Any, before).append(table)
        else:
            _fill(table, part)


def _keeps_order(before: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether those that stay do so in their order, and new ones come after them."""
    staying = [name for name in before if name in wanted]
    return list(wanted[: len(staying)]) == staying


def _name(table: Table) -> str:
    return str(cast("dict[str, Any]", table).get("name"))


def _fill(table: Table, part: BaseModel) -> None:
    """Make `table` say `part`, and touch nothing of it that says so already."""
    settings = cast("dict[str, Any]", table)
    wanted = part.model_dump(mode="json", exclude_defaults=True)
    whole = part.model_dump(mode="json")
    plain = table.unwrap()
    for key in [key for key in plain if key not in wanted and (whole.get(key) is None or plain[key] != whole[key])]:
        del settings[key]
    for key, value in _in_reading_order(wanted).items():
        if key not in plain or plain[key] != _without_none(value):
            settings[key] = _item(_without_none(value))


def _in_reading_order(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Names and types first."""
    first = [key for key in ("name", "type", "line", "zone") if key in fields]
    return {key: fields[key] for key in (*first, *(key for key in fields if key not in first))}


def _without_none(value: object) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in cast("dict[str, Any]", value).items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in cast("list[object]", value)]
    return value


def _item(value: object) -> Any:
    """As TOML; a long list has a line for each of its items."""
    if not isinstance(value, list):
        return value
    items = cast("list[object]", value)
    array = cast(Any, tomlkit.array())  # its own types say nothing of what it holds
    for item in items:
        if isinstance(item, dict):
            inline = cast(Any, tomlkit.inline_table())
            inline.update(item)
            array.append(inline)
        else:
            array.append(item)
    has_tables = any(isinstance(item, dict) for item in items)
    array.multiline(has_tables or len(array.as_string()) > _LONG_LINE)
    return array


def _spaced(text: str) -> str:
    """A blank line before each table, where there is neither one nor a comment."""
    spaced: list[str] = []
    for line in text.strip("\n").splitlines():
        if _HEADER.fullmatch(line) and spaced and spaced[-1].strip() and not spaced[-1].startswith("#"):
            spaced.append("")
        spaced.append(line)
    return "\n".join([*spaced, ""]) if spaced else ""
