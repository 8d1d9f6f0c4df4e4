"""Switches off what a device does with faces, and its auto-tracking; says what became of each step.

Everything is told to `keep` before it is done and after, so that a crash leaves
what is true. A rollback puts back what is on a dialect's list of harmless things
and nothing else, whatever was saved. Libraries are never touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, ConfigError
from lamppost.base.ids import timed_id
from lamppost.cameras.audit import fitting
from lamppost.cameras.dialects.dialect import Asker, Change, Dialect, Interview, Plan, Setting
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.reading import fields_in, items_in
from lamppost.model.devices import Armament, Audit, DeviceIdentity, Level, Outcome
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep

MOST_CHANGES: Final = 500
MOST_SETTINGS: Final = 500
SHORTEST_AUTHORISATION: Final = 10
LONGEST_AUTHORISATION: Final = 2000
LONGEST_REFERENCE: Final = 200
NOT_CONFIRMED: Final = "the audit after it does not say that nothing with faces is on: its findings tell why"
NOT_SPOKEN: Final = "it speaks no maker's dialect that is known here: what ONVIF does not tell was not asked"
Keep = Callable[[Disarm], None]


@dataclass(frozen=True, slots=True)
class Order:
    """Who has a camera disarmed, and what allows it."""

    camera: str
    by: str
    authorisation: str
    reference: str = ""

    def check(self) -> None:
        """Raises `ConfigError` for an order that says too little, or too much."""
        check_authorisation(self.authorisation)
        if len(self.reference) > LONGEST_REFERENCE:
            raise ConfigError("the reference is too long", remedy=f"write {LONGEST_REFERENCE} letters at most")


def check_authorisation(authorisation: str) -> None:
    """Raises `ConfigError` for one that says too little, or too much."""
    if not SHORTEST_AUTHORISATION <= len(authorisation.strip()) <= LONGEST_AUTHORISATION:
        raise ConfigError(
            "the authorisation is missing, or says too little or too much",
            remedy=f"say who decided it and when, in {SHORTEST_AUTHORISATION} to {LONGEST_AUTHORISATION} letters",
        )


def plan_disarm(
    web: Asker, clock: Clock, identity: DeviceIdentity | None, *, always: Sequence[Dialect] = (), dialects: Sequence[Dialect] = DIALECTS
) -> Plan:
    """What a disarm would change, as the device is set just now."""
    interview = Interview(web, clock)
    spoken, _ = fitting(interview, identity, dialects)
    asked = [(dialect, Interview(web, clock)) for dialect in (*always, *spoken)]
    plans = [dialect.plan(each) for dialect, each in asked]
    evidence = [evidence for each in (interview, *(each for _, each in asked)) for evidence in each.evidence]
    doubts = [f"{evidence.question}: {evidence.problem}" for evidence in interview.evidence if evidence.problem]
    doubts += [] if spoken else [NOT_SPOKEN]
    return Plan(
        tuple(change for plan in plans for change in plan.changes)[:MOST_CHANGES],
        tuple(setting for plan in plans for setting in plan.settings)[:MOST_SETTINGS],
        (*doubts, *(problem for plan in plans for problem in plan.problems)),
        is_whole=not any(each.outcome is Outcome.FAILED for each in evidence),
    )


def disarm_device(
    order: Order,
    plan: Plan,
    web: Asker,
    clock: Clock,
    keep: Keep,
    audit: Callable[[], Audit],
    *,
    audit_before: str = "",
    dialects: Sequence[Dialect] = DIALECTS,
) -> Disarm:
    """Carry out `plan`, reading back each step; raises nothing of the device's, and what `keep` raises.

    `audit` asks the device again at the end: it is `done` only where the device says that nothing with faces is on.
    """
    order.check()
    at_us = clock.wall_us()
    done = Disarm(
        disarm_id=timed_id(at_us),
        camera=order.camera,
        at_us=at_us,
        by=order.by,
        authorisation=order.authorisation.strip(),
        reference=order.reference.strip(),
        state=DisarmState.FAILED,
        steps=tuple(DisarmStep(change.what, change.now, "") for change in plan.changes),
        saved=json.dumps([asdict(setting) for setting in plan.settings]),
        audit_before=audit_before,
        problems=plan.problems,
    )
    keep(done)
    by_name = {dialect.name: dialect for dialect in dialects}
    for number, change in enumerate(plan.changes):
        done = _with_step(done, number, replace(done.steps[number], is_begun=True))
        keep(done)
        done = _with_step(done, number, _carried_out(by_name[change.dialect], web, change, done.steps[number]))
        keep(done)
    after = audit()
    done = replace(done, audit_after=after.audit_id, state=_state(done, after.armament, is_whole=plan.is_whole))
    if after.armament.is_armed is Level.UNKNOWN:
        done = replace(done, problems=(*done.problems, NOT_CONFIRMED))
    keep(done)
    return done


def check_rollback(disarm: Disarm) -> None:
    """Raises `ConfigError` for a disarm that was rolled back, and for one that has changed nothing."""
    if disarm.state is DisarmState.ROLLED_BACK:
        raise ConfigError("this disarm was rolled back already", remedy="set the rest on the device itself, where it is needed")
    if not any(step.may_have_changed for step in disarm.steps):
        raise ConfigError("this disarm has changed nothing on the device", remedy="there is nothing to put back")


def roll_back(
    disarm: Disarm, by: str, authorisation: str, web: Asker, clock: Clock, keep: Keep, *, dialects: Sequence[Dialect] = DIALECTS
) -> Disarm:
    """Put back what is not of faces; raises `ConfigError` as `check_rollback` and for a wrong authorisation, and what `keep` raises.

    The disarm stays as it was, and can be rolled back again, where nothing was put back; its steps say why.
    """
    check_authorisation(authorisation)
    check_rollback(disarm)
    by_name = {dialect.name: dialect for dialect in dialects}
    steps: list[DisarmStep] = []
    is_some = False
    state = replace(disarm, rolled_back_us=clock.wall_us(), rolled_back_by=by, rollback_authorisation=authorisation.strip())
    for setting in saved_settings(disarm.saved):
        step = DisarmStep(f"{setting.place} {setting.kind}"[:200], "", setting.value[:100], is_begun=True)
        keep(replace(state, rollback_steps=(*steps, step)))
        try:
            if setting.dialect not in by_name:
                raise ConfigError(f"no dialect is called {setting.dialect[:40]}")
            has_changed = by_name[setting.dialect].put_back(web, setting)
            is_some = is_some or has_changed
            step = replace(step, is_done=True, problem="" if has_changed else "it was so already")
        except (CameraError, ConfigError) as error:
            step = replace(step, problem=error.problem[:200])
        steps.append(step)
    state = replace(state, state=DisarmState.ROLLED_BACK if is_some else disarm.state, rollback_steps=tuple(steps))
    keep(state)
    return state


def saved_settings(saved: str) -> Iterator[Setting]:
    """The settings that were saved; what is none of them is left out."""
    try:
        found: Any = json.loads(saved)
    except (ValueError, RecursionError):
        return
    for one in items_in(found)[:MOST_SETTINGS]:
        words = [fields_in(one).get(name) for name in ("dialect", "place", "kind", "key", "value")]
        if all(isinstance(word, str) and len(word) <= 300 for word in words):
            yield Setting(*map(str, words))


def _carried_out(dialect: Dialect, web: Asker, change: Change, step: DisarmStep) -> DisarmStep:
    """One step, done and read back."""
    try:
        dialect.change(web, change)
        after = dialect.read_back(web, change)
    except CameraError as error:
        return replace(step, problem=error.problem[:200])
    is_done = after == change.then
    return replace(
        step, after=after[:100], is_done=is_done, problem="" if is_done else f"it is {after[:60] or 'gone'}, and not {change.then}"
    )


def _with_step(disarm: Disarm, number: int, step: DisarmStep) -> Disarm:
    steps = (*disarm.steps[:number], step, *disarm.steps[number + 1 :])
    state = DisarmState.PARTIAL if any(one.is_done for one in steps) else DisarmState.FAILED
    return replace(disarm, steps=steps, state=state)


def _state(disarm: Disarm, after: Armament, *, is_whole: bool) -> DisarmState:
    """What has come of it. What could not be asked may be armed, and was not switched off."""
    are_done = [step.is_done for step in disarm.steps]
    is_told = is_whole and (bool(are_done) or after.is_armed is Level.NO or not disarm.problems)
    is_on = Level.YES in (after.is_armed, after.auto_tracking)
    if all(are_done) and is_told and not is_on:
        return DisarmState.DONE if after.is_armed is Level.NO else DisarmState.UNCONFIRMED
    return DisarmState.PARTIAL if any(are_done) else DisarmState.FAILED
