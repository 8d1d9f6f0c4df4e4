"""From what pydantic says of a file's tables to one line for each mistake, in the words of who wrote the file.

Values are never shown: one of them may be a password. What is suggested in place of one is known here already.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

Place = tuple[str | int, ...]
DISAGREEMENT: Final = "disagreement"
"""The kind of a mistake in how parts fit together: its text names the parts itself."""

_SHOULD = re.compile(r"^(?:Input|Tuple|String|List|Value) should (be|have)\b")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at `place` of a file. `kind` is pydantic's name for it; `text` names the place and ends without a stop."""

    place: Place
    kind: str
    text: str


def mistakes_of(
    error: ValidationError, model: type[BaseModel], *, noun: str = "a setting", hidden: Collection[str] = ()
) -> tuple[Mistake, ...]:
    """Every mistake that `error` tells of tables that should have been a `model`; a key is called `noun`.

    Keys that are `hidden` are suggested to nobody.
    """
    found = tuple(_mistake(item, model, noun, hidden) for item in error.errors(include_url=False))
    inner = {mistake.place[:-1] for mistake in found}
    # A list with a wrong item is also called too short, which it is not.
    return tuple(mistake for mistake in found if mistake.kind != "too_short" or mistake.place not in inner)


def dotted(place: Iterable[str | int]) -> str:
    """A place as it is read aloud: `rule[2].points[1]`; who counts lines counts from 1."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'north'?`, or nothing where none of `known` is near."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _mistake(item: Any, model: type[BaseModel], noun: str, hidden: Collection[str]) -> Mistake:
    kind, said = str(item["type"]), _SHOULD.sub(r"must \1", str(item["msg"]).removeprefix("Value error, "))
    place, models = _walk(item["loc"], model)
    where = dotted(place)
    if kind == "extra_forbidden":
        _, owners = _walk(item["loc"][:-1], model)
        known = [key for owner in owners for key in owner.model_fields if key not in hidden]
        suggestion = did_you_mean(str(place[-1]), known) or f"; known here: {', '.join(known)}"
        return Mistake(place, kind, f"{where} is not {noun}{suggestion}")
    if kind == DISAGREEMENT:
        return Mistake(place, kind, said)
    if kind == "missing":
        return Mistake(place, kind, f"{where or 'a table'} is missing")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return _wrong_tag(item, place, [tag for tag in map(_tag, models) if tag])
    if kind in ("enum", "literal_error"):
        known = re.findall(r"'([^']*)'", str(item["ctx"]["expected"]))
        said = f"{said}{did_you_mean(str(item['input']), known)}"
    return Mistake(place, kind, f"{where}: {said}".removeprefix(": "))


def _wrong_tag(item: Any, place: Place, known: list[str]) -> Mistake:
    """A table that may be one of several says wrongly which, or not at all."""
    place = (*place, str(item["ctx"]["discriminator"]).strip("'"))
    if item["type"] == "union_tag_not_found":
        return Mistake(place, item["type"], f"{dotted(place)} is missing; known here: {', '.join(known)}")
    suggestion = did_you_mean(str(item["ctx"]["tag"]), known) or f"; known here: {', '.join(known)}"
    return Mistake(place, item["type"], f"{dotted(place)} is none that there is{suggestion}")


def _walk(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[Place, list[type[BaseModel]]]:
    """`location` as the file has it, without the tags of unions in it, and the models that may stand there."""
    place: Place = ()
    models = [model]
    for part in location:
        tagged = [each for each in models if len(models) > 1 and _tag(each) == part]
        if tagged:
            models = tagged
            continue
        place = (*place, part)
        if isinstance(part, str):
            models = [inner for each in models if part in each.model_fields for inner in _models_in(each.model_fields[part].annotation)]
    return place, models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    arguments = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
    return [model for argument in arguments for model in _models_in(argument)]


def _tag(model: type[BaseModel]) -> str | None:
    """What a model of a union is told by: the one word that a field of it may be."""
    for field in model.model_fields.values():
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1:
            return str(get_args(field.annotation)[0])
    return None
