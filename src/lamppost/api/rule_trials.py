"""What rules would have counted: tried on the masked video of the last minutes, before anybody has to trust them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from lamppost.api.context import Context
from lamppost.api.moments import Time
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.api.rules import GivenRules, RulesBody, checked_rules
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission
from lamppost.model.books import Rendition
from lamppost.model.happening import Measure, PlaceKind
from lamppost.model.rules import RuleBook
from lamppost.model.vision import Preset
from lamppost.pipeline.rule_trial import TrialOrder, segments_of
from lamppost.pipeline.trial_desk import Trial, TrialDesk
from lamppost.store.counting import Bucket, CountReader, Wanted

MOST_SEGMENTS: Final = 2000
_MINUTE_US: Final = 60 * US_PER_S
_WHOLE_MINUTE_MS: Final = 55_000  # of which so much was observed
# By how often much of the picture was masked: crossings that were found of 100 that were counted live, on simulated streets.
_FOUND: Final = ((0.1, 97), (0.5, 90), (0.9, 65), (1.1, 30))

router = APIRouter()

Editor = Annotated[Identity, Depends(Permit(Permission.EDIT_RULES))]


class TrialBody(BaseModel):
    """Rules, and on how much of the past they are to be tried."""

    model_config = ConfigDict(extra="forbid")

    rules: GivenRules
    minutes: int = Field(ge=1, le=60)


class TrialStarted(BaseModel):
    """Ask for it again and again, until it is done; it is kept for ten minutes."""

    id: str


class LineCompared(BaseModel):
    """A line that is there already, in the minutes that were observed both ways."""

    minutes: int
    trial: int = Field(description="Crossings that the trial found, both ways.")
    live: int = Field(description="Crossings that were counted when it happened.")


class LineTried(BaseModel):
    """Crossings of a line."""

    name: str
    forward: int
    backward: int
    observed_s: float
    compared: LineCompared | None = Field(description="Null for a line that is new, or where nothing was counted live.")


class ZoneTried(BaseModel):
    """Who came into a zone, and who left it."""

    name: str
    entries: int
    exits: int
    most: int = Field(description="The most that were in it at once.")
    observed_s: float


class EventTried(BaseModel):
    """An event that would have been raised."""

    type: str
    rule: str
    at: Time


class TrialResult(BaseModel):
    """What would have been counted. It is an estimate: `note` says of what kind."""

    lines: list[LineTried]
    zones: list[ZoneTried]
    events: list[EventTried] = Field(description="200 at most.")
    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    crowded_share: float = Field(description="How often so much of the picture was masked that masks flow together; 0 to 1.")
    note: str


class TrialNow(BaseModel):
    """How far a trial is, and what came of it."""

    state: Literal["running", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    result: TrialResult | None
    problem: str


@router.post("/cameras/{camera}/rules/trial", status_code=HTTPStatus.ACCEPTED)
def start_trial(camera: str, body: TrialBody, identity: Editor) -> TrialStarted:
    """Try rules on the masked video of the last minutes. One trial runs at a time; nothing but counts comes out."""
    context = identity.context
    book = checked_rules(RulesBody.model_construct(rules=body.rules))
    order = _order(context, camera, book, body.minutes)
    context.act("rules_tried", identity.name, camera, {"minutes": body.minutes})
    trial = _desk(context).start(camera, order)
    if trial is None:
        raise Problem(
            HTTPStatus.CONFLICT,
            "other rules are being tried just now",
            kind="busy",
            remedy="try again when that is over, five minutes at most",
            headers={"Retry-After": "10"},
        )
    return TrialStarted(id=trial.id)


@router.get("/cameras/{camera}/rules/trial/{trial_id}")
def show_trial(camera: str, trial_id: str, identity: Editor) -> TrialNow:
    """How far a trial is, and what came of it."""
    trial = _found(identity.context, camera, trial_id)
    result = _result(identity.context, trial, trial.result) if trial.result is not None else None
    return TrialNow(state=trial.state.value, progress=trial.progress, result=result, problem=trial.problem)


@router.delete("/cameras/{camera}/rules/trial/{trial_id}", status_code=HTTPStatus.NO_CONTENT)
def cancel_trial(camera: str, trial_id: str, identity: Editor) -> None:
    """End a trial that nobody waits for any more."""
    context = identity.context
    _desk(context).cancel(_found(context, camera, trial_id).id)


def _desk(context: Context) -> TrialDesk:
    return context.keep(TrialDesk, lambda: TrialDesk(context.clock))


def _found(context: Context, camera: str, trial_id: str) -> Trial:
    trial = _desk(context).find(camera, trial_id)
    if trial is None:
        raise not_found("trial")
    return trial


def _order(context: Context, camera: str, book: RuleBook, minutes: int) -> TrialOrder:
    settings = context.camera(camera)
    if settings is None:
        raise not_found("camera")
    preset = settings.preset or context.settings.masking.preset
    if preset is Preset.ALL:
        raise Problem(
            HTTPStatus.CONFLICT, "all of this camera's picture is covered: there is nothing to try rules on", kind="nothing-to-try"
        )
    to_us = context.clock.wall_us()
    from_us = to_us - minutes * _MINUTE_US
    rows = context.index.segments(camera, Rendition.MASKED, from_us, to_us, limit=MOST_SEGMENTS)
    if not rows:
        raise Problem(
            HTTPStatus.CONFLICT,
            f"there is no masked video of the last {minutes} minutes",
            kind="nothing-to-try",
            remedy="is the camera recorded and masked?",
        )
    segments = segments_of([(context.folder.root / row.path, row.start_us) for row in rows])
    interval_s = context.settings.analysis.interval_s
    return TrialOrder(book, segments, from_us, to_us, reads_masks=preset is Preset.MOTION, interval_s=interval_s)


def _result(context: Context, trial: Trial, told: dict[str, Any]) -> TrialResult:
    settings = context.camera(trial.camera)
    in_force = settings.rules.line if settings is not None and settings.rules is not None else ()
    same = {line.name for line in trial.book.line if line in in_force}
    live = _live(context, trial.camera, told["from_us"], told["to_us"]) if same else {}
    return TrialResult(
        lines=[
            LineTried(**_without(line, "minutes"), compared=_compared(line, live) if line["name"] in same else None)
            for line in told["lines"]
        ],
        zones=[ZoneTried(**zone) for zone in told["zones"]],
        events=[EventTried(type=event["type"], rule=event["rule"], at=event["at_us"]) for event in told["events"]],
        from_us=told["from_us"],
        to_us=told["to_us"],
        crowded_share=told["crowded_share"],
        note=_note(told),
    )


def _without(fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != key}


def _live(context: Context, camera: str, from_us: int, to_us: int) -> dict[tuple[str, int], int]:
    """Crossings that were counted live, by line and minute, in the minutes that were observed whole."""
    found: dict[tuple[str, int], int] = {}
    if from_us >= to_us:
        return found
    wanted = Wanted(from_us, to_us, Bucket.MINUTE, ZoneInfo("UTC"), cameras=(camera,), measures=(Measure.FORWARD, Measure.BACKWARD))
    with CountReader(context.folder) as reader:
        if camera not in {place.camera for place in reader.places()}:
            return found
        for count in reader.read(wanted):
            if count.place.kind is PlaceKind.LINE and count.count is not None and count.observed_s * 1000 >= _WHOLE_MINUTE_MS:
                key = count.place.name, count.start_us
                found[key] = found.get(key, 0) + count.count
    return found


def _compared(line: Mapping[str, Any], live: Mapping[tuple[str, int], int]) -> LineCompared | None:
    both = [
        (crossings, live[line["name"], minute_us])
        for minute_us, observed_ms, crossings in line["minutes"]
        if observed_ms >= _WHOLE_MINUTE_MS and (line["name"], minute_us) in live
    ]
    if not both:
        return None
    return LineCompared(minutes=len(both), trial=sum(trial for trial, _ in both), live=sum(counted for _, counted in both))


def _note(told: Mapping[str, Any]) -> str:
    """What a person has to know of these figures."""
    found = next(found for share, found in _FOUND if told["crowded_share"] < share)
    words = [
        "Counted from the masked video, by its masks: an estimate.",
        f"As crowded as it was, about {found} of 100 crossings are found on simulated streets; people who stay together count as one.",
        "Events that depend on how long somebody stays may begin and end at other times.",
    ]
    if told["widened"]:
        words.append(f"Masks do not tell kinds apart: everything was counted at {', '.join(told['widened'])}.")
    if told["left_out"]:
        words.append(f"{told['left_out']} more events are not listed.")
    return " ".join(words)
