"""Asks a device what it is able to do with faces and how it is set, and says what has come back since."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError
from lamppost.base.ids import timed_id
from lamppost.cameras.dialects.dialect import Asker, Dialect, Interview
from lamppost.cameras.dialects.interview import outcome_of
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.words import EVERY, together
from lamppost.cameras.onvif.analytics import OnvifAnalytics
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.web import DeviceWeb, Reply
from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Level, Outcome, conclude

_WHAT: Final = {
    Ability.DETECT: "it is able to detect faces",
    Ability.CAPTURE: "it is able to capture faces",
    Ability.RECOGNISE: "it is able to recognise faces",
}


def audit_device(
    camera: str,
    web: Asker,
    clock: Clock,
    *,
    identity: DeviceIdentity | None = None,
    always: Sequence[Dialect] = (),
    dialects: Sequence[Dialect] = DIALECTS,
) -> Audit:
    """Put every question to a device, in the dialects of `always` and in those that fit it; raises nothing but bugs.

    It takes less than a minute, whatever the device does.
    """
    made_us = clock.wall_us()
    interview = Interview(web, clock)
    spoken, identity = fitting(interview, identity, dialects)
    armaments = [dialect.audit(interview) for dialect in (*always, *spoken)]
    findings = interview.findings
    return Audit(
        audit_id=timed_id(made_us),
        camera=camera,
        made_us=made_us,
        identity=identity,
        detect=conclude(findings, Ability.DETECT),
        capture=conclude(findings, Ability.CAPTURE),
        recognise=conclude(findings, Ability.RECOGNISE),
        armament=_joined(armaments, has_maker=bool(spoken)),
        findings=findings,
        evidence=interview.evidence,
        dialects=tuple(dialect.name for dialect in (*always, *spoken)),
    )


def onvif_of(web: DeviceWeb, clock: Clock, username: str = "", password: str = "") -> tuple[Dialect, ...]:
    """ONVIF, which is spoken beside whatever else fits: for `always`."""
    return (OnvifAnalytics(OnvifDevice(web, clock, web.address.host, username=username, password=password), clock),)


def fitting(
    interview: Interview, identity: DeviceIdentity | None, dialects: Sequence[Dialect] = DIALECTS
) -> tuple[tuple[Dialect, ...], DeviceIdentity]:
    """The dialects that a device speaks, and who it is.

    A device that is sold under another name speaks its maker's dialect: where the name tells nothing, each is tried. One of which
    that is not known leaves every ability unknown.
    """
    known = identity or DeviceIdentity()
    named = tuple(dialect for dialect in dialects if dialect.speaks(known))
    if named:
        return named, known
    spoken: list[Dialect] = []
    for dialect in dialects:
        heard = _Listener(interview.web)
        try:
            said = dialect.identify(heard)
            problem = "" if heard.is_absent else "it cannot be told whether it speaks this dialect"
        except CameraError as error:
            said, problem = None, error.problem
        if said is not None:
            spoken.append(dialect)
            known = known if identity is not None and identity.vendor else said
        elif problem:
            interview.note(f"whether it speaks {dialect.name}", Outcome.FAILED, None, problem=problem, signs=EVERY)
    return tuple(spoken), known


def _says_something(audit: Audit) -> bool:
    set_so = audit.armament
    levels = (audit.detect, audit.capture, audit.recognise, set_so.is_armed, set_so.has_library, set_so.auto_tracking)
    return any(level is not Level.UNKNOWN for level in levels)


def last_known(audits: Sequence[Audit]) -> Audit | None:
    """What the device has said last of each thing, over `audits`, the newest first; None where none of them was told anything.

    A question that failed once must neither hide that something has come back, nor look like it when it is answered again.
    """
    if not any(map(_says_something, audits)):
        return None

    def level(of: Callable[[Audit], Level]) -> Level:
        return next((found for found in map(of, audits) if found is not Level.UNKNOWN), Level.UNKNOWN)

    def count(of: Callable[[Armament], int | None]) -> int | None:
        return next((found for audit in audits if (found := of(audit.armament)) is not None), None)

    armed = next((audit.armament.armed for audit in audits if audit.armament.is_armed is not Level.UNKNOWN), ())
    return replace(
        audits[0],
        identity=next((audit.identity for audit in audits if audit.identity.firmware), audits[0].identity),
        detect=level(lambda audit: audit.detect),
        capture=level(lambda audit: audit.capture),
        recognise=level(lambda audit: audit.recognise),
        armament=Armament(
            is_armed=level(lambda audit: audit.armament.is_armed),
            has_library=level(lambda audit: audit.armament.has_library),
            libraries=count(lambda armament: armament.libraries),
            entries=count(lambda armament: armament.entries),
            armed=armed,
            auto_tracking=level(lambda audit: audit.armament.auto_tracking),
        ),
    )


def compare(before: Audit, after: Audit) -> tuple[str, ...]:
    """What has come back or is new between two audits of one device, a line each; nothing that was switched off.

    What was unknown is new as well: many devices never say no. `before` is best what was known of several, see `last_known`.
    """
    drift = [what for ability, what in _WHAT.items() if before.level(ability) is not Level.YES is after.level(ability)]
    was, now = before.armament, after.armament
    if now.is_armed is Level.YES is not was.is_armed:
        drift.append("something with faces is switched on")
    drift += [f"switched on: {name}" for name in now.armed if name not in was.armed]
    if now.has_library is Level.YES is not was.has_library:
        drift.append("a library of faces is attached")
    for name, count, earlier in (("libraries", now.libraries, was.libraries), ("entries in libraries", now.entries, was.entries)):
        if count is not None and earlier is not None and count > earlier:
            drift.append(f"more {name} of faces: {count}, before {earlier}")
    if now.auto_tracking is Level.YES is not was.auto_tracking:
        drift.append("it follows persons by itself")
    if before.identity.firmware and after.identity.firmware and before.identity.firmware != after.identity.firmware:
        drift.append(f"its firmware is {after.identity.firmware}, before {before.identity.firmware}")
    return tuple(drift)


def _joined(armaments: Sequence[Armament], *, has_maker: bool) -> Armament:
    """What several dialects say of one device. Of libraries and tracking, those that know of them speak: ONVIF has no question.

    Where nobody was asked in the maker's own dialect, what ONVIF does not see may be armed all the same.
    """
    is_armed = together(one.is_armed for one in armaments)
    libraries = [one.has_library for one in armaments if one.has_library is not Level.UNKNOWN]
    tracking = [one.auto_tracking for one in armaments if one.auto_tracking is not Level.UNKNOWN]
    return Armament(
        is_armed=is_armed if has_maker or is_armed is Level.YES else Level.UNKNOWN,
        has_library=together(libraries),
        libraries=max((one.libraries for one in armaments if one.libraries is not None), default=None),
        entries=max((one.entries for one in armaments if one.entries is not None), default=None),
        armed=tuple(dict.fromkeys(name for one in armaments for name in one.armed)),
        auto_tracking=together(tracking),
    )


class _Listener:
    """Remembers whether all that was asked is absent."""

    def __init__(self, web: Asker) -> None:
        self._web = web
        self.is_absent = True

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        reply = self._web.ask(method, path, content, headers, timeout_s=timeout_s)
        self.is_absent = self.is_absent and outcome_of(reply)[0] is Outcome.ABSENT
        return reply
