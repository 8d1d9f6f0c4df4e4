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
from lamppost.model.devices import Audit, DeviceIdentity, Level, Outcome
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep

MOST_CHANGES: Final = 500
MOST_SETTINGS: Final = 500
SHORTEST_AUTHORISATION: Final = 10
LONGEST_AUTHORISATION: Final = 2000
LONGEST_REFERENCE: Final = 200
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

    `audit` asks the device again at the end: what is armed still makes it `partial` at best.
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
    still = Level.YES in (after.armament.is_armed, after.armament.auto_tracking)
    done = replace(done, audit_after=after.audit_id, state=_state(done, is_armed=still, is_whole=plan.is_whole))
    keep(done)
    return done


def roll_back(
    disarm: Disarm, by: str, authorisation: str, web: Asker, clock: Clock, keep: Keep, *, dialects: Sequence[Dialect] = DIALECTS
) -> Disarm:
    """Put back what is not of faces; raises `ConfigError` for a wrong authorisation, and what `keep` raises.

    The disarm stays as it was, and can be rolled back again, where nothing that may be put back was; its steps say what was not.
    """
    check_authorisation(authorisation)
    by_name = {dialect.name: dialect for dialect in dialects}
    steps: list[DisarmStep] = []
    is_whole = True
    state = replace(disarm, rolled_back_us=clock.wall_us(), rolled_back_by=by, rollback_authorisation=authorisation.strip())
    for setting in saved_settings(disarm.saved):
        step = DisarmStep(f"{setting.place} {setting.kind}"[:200], "", setting.value[:100], is_begun=True)
        keep(replace(state, rollback_steps=(*steps, step)))
        try:
            if setting.dialect not in by_name:
                raise ConfigError(f"no dialect is called {setting.dialect[:40]}")
            has_changed = by_name[setting.dialect].put_back(web, setting)
            step = replace(step, is_done=True, problem="" if has_changed else "it was so already")
        except (CameraError, ConfigError) as error:
            step = replace(step, problem=error.problem[:200])
            is_whole = False
        steps.append(step)
    is_some = any(step.is_done for step in steps)
    reached = DisarmState.ROLLED_BACK if is_whole or is_some else disarm.state
    state = replace(state, state=reached, rollback_steps=tuple(steps))
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


def _state(disarm: Disarm, *, is_armed: bool, is_whole: bool) -> DisarmState:
    are_done = [step.is_done for step in disarm.steps]
    if not are_done:
        return DisarmState.FAILED if is_armed or disarm.problems else DisarmState.DONE
    # What could not be asked may be armed, and was not switched off.
    if all(are_done) and not is_armed and is_whole:
        return DisarmState.DONE
    return DisarmState.PARTIAL if any(are_done) else DisarmState.FAILED
