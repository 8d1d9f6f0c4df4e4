"""An event as others read it: MQTT, webhooks, files and the console carry this one document.

Every field's description is its documentation; the JSON Schema in the reference is made from this model. What it has no
field for cannot be published: no follower's number, no way through the picture, no place in it or on the map.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lamppost.base.clock import format_utc
from lamppost.base.logging import redact
from lamppost.model.books import Severity
from lamppost.model.happening import EventChange, EventType, Phase
from lamppost.model.rules import CountedKind, Way

SCHEMA_ID: Final = "urn:lamppost:event:1"
SCHEMA_NAME: Final = "lamppost/event/1"
# What the node tells of itself and of its connection to cameras, beside what it sees (EventType).
NODE_TYPES: Final = (
    "camera_lost",
    "clock_off",
    "device_doubled",
    "device_exchanged",
    "device_moved",
    "index_failing",
    "journal_failing",
    "notify_failing",
    "process_failing",
    "process_silent",
    "recording_failing",
    "recording_held",
    "retention_failing",
    "server_failing",
    "store_slow",
)
# What devices tell of themselves, and what was noticed of them when they were asked.
DEVICE_TYPES: Final = (
    "camera_found_again",
    "device_drifted",
    "device_health",
    "device_input",
    "device_output",
    "device_storage",
    "device_tamper",
    "firmware_changed",
)
KNOWN_TYPES: Final = (*(event_type.value for event_type in EventType), *NODE_TYPES, *DEVICE_TYPES)
_LONGEST_NOTE: Final = 500
_DECIMALS: Final = 3

_Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", json_schema_extra={"format": "date-time"}, max_length=24)
]
_Name = Annotated[str, Field(min_length=1, max_length=63)]


class _Document(BaseModel):
    # Every field is in every document, null where there is nothing to say; the schema asks for all of them.
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        serialize_by_alias=True,
        json_schema_serialization_defaults_required=True,
    )


class EventSnapshot(_Document):
    """A picture of an event, masked like all that leaves the node."""

    file: str = Field(min_length=1, max_length=512, description="Where it lies, relative to the node's data folder.")
    url: str | None = Field(default=None, max_length=2048, description="Where it can be fetched; null where nothing serves it.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file, in hexadecimal.")


class EventDocument(_Document):
    """What is known of one event after one change. The last change holds all that those before it said."""

    model_config = ConfigDict(title="Lamppost event", json_schema_extra={"$id": SCHEMA_ID})

    # BaseModel has a method `schema` of its own.
    schema_name: Literal["lamppost/event/1"] = Field(
        default=SCHEMA_NAME,
        alias="schema",
        description="This format and its version. A later version may change fields or their meaning; a new type does not change it.",
    )
    id: str = Field(min_length=1, max_length=64, description="Random, the same from start to end. It tells nothing but when it began.")
    sequence: int = Field(
        ge=0,
        description="Rises from change to change of an event. Of two documents with one id, that with the higher number is newer; "
        "with the same number they are one, delivered twice.",
    )
    phase: Phase = Field(description="`start`, `update` where it grew worse, or `end`.")
    type: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,62}$",
        description="What happens. New types may come: treat an unknown one by its severity.",
        examples=list(KNOWN_TYPES),
    )
    severity: Severity = Field(description="`info`, `warning` or `alarm`. It rises while an event lasts, and never falls.")
    site: str | None = Field(max_length=128, description="Which city, campus or installation; null where none was set.")
    camera: str | None = Field(max_length=63, description="Which camera; null where it concerns the node.")
    rule: _Name | None = Field(default=None, description="The rule that raised it; null where no rule did.")
    place: _Name | None = Field(default=None, description="The line or zone of the rule; null where no rule raised it.")
    kind: CountedKind | None = Field(
        default=None, description="`person`, `bicycle`, `vehicle` or `object`, where all that it is made of is of one kind."
    )
    count: int | None = Field(
        default=None,
        ge=0,
        description="How many: crossings of a line or goings the wrong way in all, otherwise the most at one time.",
    )
    value: float | None = Field(default=None, description="The worst that was measured so far, in `unit`.")
    unit: str | None = Field(
        default=None,
        max_length=16,
        description="Of `value` and `limit`: `s`, `m`, `per_m2`, or empty where they are plain numbers.",
        examples=["", "s", "m", "per_m2"],
    )
    limit: float | None = Field(default=None, description="What `value` is held against, as the rule says.")
    level: int | None = Field(default=None, ge=1, description="The highest step of a crowd's density, from 1 on.")
    ways: tuple[Way, ...] = Field(default=(), description="Of a line: the ways that were taken, `forward`, `backward` or both.")
    note: str = Field(default="", max_length=_LONGEST_NOTE, description="One line for a person; may be empty.")
    started: _Moment = Field(description="Since when it has been so: ISO 8601, UTC.")
    updated: _Moment = Field(description="When it changed last.")
    ended: _Moment | None = Field(default=None, description="Up to when it was so; null while it lasts. It may lie before `updated`.")
    snapshot: EventSnapshot | None = Field(default=None, description="A masked picture of it; null where there is none, or none yet.")

    @model_validator(mode="after")
    def _ends_when_it_has_ended(self) -> EventDocument:
        if (self.phase is Phase.END) != (self.ended is not None):
            raise ValueError("an event has `ended` in the phase `end`, and in no other")
        return self


def event_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of what is published."""
    schema = EventDocument.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema.pop("$id")} | schema


def detail_of(change: EventChange) -> str:
    """What `books.EventOpened`, `EventUpdated` and `EventEnded` keep of a change beside its times: one JSON object."""
    detail: dict[str, Any] = {"rule": change.rule, "place": change.place} | asdict(change.findings)
    for name in ("value", "limit"):
        if detail[name] is not None:
            detail[name] = round(detail[name], _DECIMALS)
    # An empty unit says that the value is a plain number.
    return json.dumps({name: value for name, value in detail.items() if (name == "unit" and value == "") or value not in (None, "", ())})


def document_of(
    *,
    event_id: str,
    sequence: int,
    phase: Phase,
    kind: str,
    severity: Severity,
    camera: str | None,
    start_us: int,
    end_us: int | None,
    detail: str,
    updated_us: int | None = None,
    site: str | None = None,
    snapshot: EventSnapshot | None = None,
) -> EventDocument:
    """The document of a row of `events`, named as its columns are (`kind` is the type).

    `updated_us` is when it changed last, None: when it began or ended. What `detail` has no room for here stays out of it.
    Raises `ValidationError` when a field cannot be published, which is a bug.
    """
    known = _Detail.read(detail)
    is_end = phase is Phase.END
    ended_us = max(start_us, end_us if end_us is not None else start_us) if is_end else None
    latest_us = max(moment for moment in (start_us, ended_us, updated_us) if moment is not None)
    return EventDocument(
        id=event_id,
        sequence=sequence,
        phase=phase,
        type=kind,
        severity=severity,
        site=site,
        camera=camera,
        rule=known.rule or None,
        place=known.place or None,
        kind=known.kind,
        count=known.count,
        value=known.value,
        unit=known.unit,
        limit=known.limit,
        level=known.level,
        ways=known.ways,
        note=_one_line("; ".join(filter(None, (known.problem, known.note)))),
        started=format_utc(start_us),
        updated=format_utc(latest_us),
        ended=None if ended_us is None else format_utc(ended_us),
        snapshot=snapshot,
    )


class _Detail(BaseModel):
    """What `detail` of an event may say: as `detail_of` writes it, or the `problem` of an alarm."""

    model_config = ConfigDict(extra="ignore")

    rule: str = ""
    place: str = ""
    kind: CountedKind | None = None
    count: int | None = None
    value: float | None = None
    unit: str | None = None
    limit: float | None = None
    level: int | None = None
    ways: tuple[Way, ...] = ()
    note: str = ""
    problem: str = ""

    @classmethod
    def read(cls, detail: str) -> _Detail:
        """An event is told of even when its detail cannot be read."""
        try:
            return cls.model_validate_json(detail)
        except ValidationError:
            return cls(note="what was known of it beside this cannot be read")


def _one_line(text: str) -> str:
    """Without line ends and passwords, and not too long."""
    line = " ".join(redact(text).split())
    return line if len(line) <= _LONGEST_NOTE else line[: _LONGEST_NOTE - 1] + "…"
