"""From a rules file to the lines, zones and rules of a camera, and from each mistake in it to one line.

The format is described in `docs/reference/rules.md`.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from lamppost.base.errors import ConfigError
from lamppost.base.toml_places import TomlPlaces
from lamppost.model.mistakes import DISAGREEMENT, Mistake, Place, dotted, mistakes_of
from lamppost.model.rules import NAME, CalibrationPoints, RuleBook

MOST_BYTES: Final = 1 << 20  # all that a rules file may hold fits into a fifth of it
MINIMAL: Final = '[[line]] with name = "gate" and points = [[0.1, 0.5], [0.9, 0.5]]'
_REMEDY: Final = "see docs/reference/rules.md"
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_BOUNDS: Final = frozenset({"greater_than_equal", "less_than_equal"})
_COORDINATES: Final = frozenset({"points", "image", "direction"})
# What stands for a part that is wrong in itself, so that what refers to it can be looked at all the same.
_SQUARE: Final = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
_STAND_IN_CALIBRATION: Final = {"points": [{"image": corner, "map_m": corner} for corner in _SQUARE]}


def load_rules(path: Path) -> RuleBook:
    """Read and validate the whole of `path`; raises `ConfigError` with one line for each mistake, and its line in the file."""
    return parse_rules(_read(path), path)


def parse_rules(content: bytes, path: Path) -> RuleBook:
    """The rules in `content`, the bytes of `path`; as `load_rules`."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not text in UTF-8", remedy=_REMEDY) from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {_syntax(str(error), text)}", remedy=_REMEDY) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets a thousand deep
        raise ConfigError(f"{path}: this is not TOML that can be read", remedy=_REMEDY) from error
    try:
        book = RuleBook.model_validate(tables)
    except ValidationError as error:
        places = TomlPlaces(text)
        found = sorted((places.line_of(mistake.place), mistake.text) for mistake in _all_mistakes(tables, error))
        raise ConfigError("\n".join(f"{path}: line {line}: {mistake}" for line, mistake in found)) from error
    if book.is_empty:
        raise ConfigError(f"{path}: there is nothing to count in it", remedy=f"the least is one table, such as {MINIMAL}")
    if book.calibration is not None:
        _check_ground(book.calibration, f"{path}: line {TomlPlaces(text).line_of(('calibration',))}")
    return book


def check_rules(tables: object) -> tuple[RuleBook | None, tuple[Mistake, ...]]:
    """The rules that `tables` are, as a rules file has them, and every mistake; None where there is one."""
    try:
        book = RuleBook.model_validate(tables)
    except ValidationError as error:
        found = _all_mistakes(cast("dict[str, Any]", tables), error) if isinstance(tables, dict) else iter(_found(error))
        return None, tuple(found)
    # Imported here: who counts without a calibration need not wait for what computes one.
    from lamppost.events.scene_reader import SceneReader

    try:
        SceneReader(book)
    except ConfigError as error:
        return None, (Mistake(("calibration",), DISAGREEMENT, str(error)),)
    return book, ()


def _check_ground(points: CalibrationPoints, where: str) -> None:
    # Imported here: who counts without a calibration need not wait for what computes one.
    from lamppost.events.calibration import GroundPlane

    try:
        GroundPlane(points)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.problem}", remedy=error.remedy) from error


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ConfigError(f"{path} is a folder, and no rules file", remedy=_REMEDY)
        # A pipe would be waited for, and serve waits for nobody.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{path} is no file of text", remedy=_REMEDY)
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no rules file at {path}", remedy=_REMEDY) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="it must be a text file that this user may read") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{path} has more than {MOST_BYTES >> 20} MiB", remedy=_REMEDY)
    return content


def _syntax(message: str, text: str) -> str:
    """What tomllib says, its line first."""
    found = _PLACE.search(message)
    if found is None:
        return f"this is not TOML: {message}"
    said = _PLACE.sub("", message)
    if found["line"] is None:
        return f"line {text.rstrip().count(chr(10)) + 1}: this is not TOML: {said} at its end"
    return f"line {found['line']}: this is not TOML: {said}, at column {found['column']}"


def _all_mistakes(tables: dict[str, Any], error: ValidationError) -> Iterator[Mistake]:
    """What is wrong with single parts; and then how the parts do not fit, as far as that can be seen."""
    first = _without_repetition(_found(error))
    yield from first
    if all(mistake.kind == DISAGREEMENT for mistake in first) or any(len(mistake.place) < 2 for mistake in first):
        return
    mended, numbers = _mended(tables, {mistake.place[:2] for mistake in first})
    try:
        RuleBook.model_validate(mended)
    except ValidationError as second:
        for mistake in _found(second):
            if mistake.kind == DISAGREEMENT:
                what, number, *more = mistake.place
                number = numbers[cast("int", number)] if what == "rule" else number
                yield Mistake((what, number, *more), mistake.kind, mistake.text)


def _mended(tables: Mapping[str, Any], wrong: set[Place]) -> tuple[dict[str, Any], list[int]]:
    """The tables with something right in place of each wrong line and zone, without wrong rules, and the numbers of those left."""
    mended: dict[str, Any] = {}
    lost: set[object] = set()  # names that cannot be used: who watches them cannot be judged
    for what in ("line", "zone"):
        parts: list[Any] = list(tables.get(what, ()))
        for index, part in enumerate(parts):
            if (what, index) in wrong:
                name = cast("dict[str, object]", part).get("name") if isinstance(part, dict) else None
                if not (isinstance(name, str) and NAME.fullmatch(name)):
                    lost.add(name if isinstance(name, str) else None)
                    name = f"{what}_{index}_{'x' * 40}"
                parts[index] = {"name": name, "points": _SQUARE} | ({"area_m2": 1.0} if what == "zone" else {})
        mended[what] = parts
    rules: list[Any] = tables.get("rule", [])
    numbers = [
        index
        for index, rule in enumerate(rules)
        if ("rule", index) not in wrong and not lost.intersection((rule.get("line"), rule.get("zone")))
    ]
    mended["rule"] = [rules[number] for number in numbers]
    if "calibration" in tables:
        mended["calibration"] = _STAND_IN_CALIBRATION
    return mended, numbers


def _found(error: ValidationError) -> tuple[Mistake, ...]:
    return mistakes_of(error, RuleBook, noun="a key of rules")


def _without_repetition(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Who counts in pixels is told so once for each line or zone, and not for each number."""
    kept: dict[Place, Mistake] = {}
    for mistake in mistakes:
        place = mistake.place
        key = next((index for index in range(len(place) - 1, -1, -1) if isinstance(place[index], str)), 0)
        if mistake.kind in _BOUNDS and place and place[key] in _COORDINATES and key < len(place) - 1:
            place = place[: key + 1]
            text = f"{dotted(place)}: coordinates are shares of the picture's width and height, from 0 to 1, and no pixels"
            mistake = Mistake(mistake.place, mistake.kind, text)
        kept.setdefault(place, mistake)
    return tuple(kept.values())
