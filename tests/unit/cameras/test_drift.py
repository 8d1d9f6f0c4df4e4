"""What comes back raises an alarm; what was asked once in vain does not, and hides nothing either."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lamppost.cameras.audit import compare, last_known
from lamppost.model.devices import Armament, Audit, DeviceIdentity, Level

NO, YES, UNKNOWN = Level.NO, Level.YES, Level.UNKNOWN
OFF = Armament(is_armed=NO, has_library=NO, libraries=0, entries=0, auto_tracking=NO)
ON = Armament(is_armed=YES, has_library=YES, libraries=1, entries=3, armed=("rule A",), auto_tracking=YES)


def audit(recognise: Level = NO, armament: Armament = OFF, firmware: str = "1.0", number: int = 0) -> Audit:
    return Audit(f"a{number}", "gate", number, DeviceIdentity(firmware=firmware), NO, NO, recognise, armament, (), (), ("onvif",))


def test_what_comes_back_is_told_line_by_line() -> None:
    drift = compare(audit(), audit(YES, ON, "1.1"))
    assert drift == (
        "it is able to recognise faces",
        "something with faces is switched on",
        "switched on: rule A",
        "a library of faces is attached",
        "more libraries of faces: 1, before 0",
        "more entries in libraries of faces: 3, before 0",
        "it follows persons by itself",
        "its firmware is 1.1, before 1.0",
    )


def test_what_was_switched_off_is_no_drift() -> None:
    assert compare(audit(YES, ON), audit(NO, OFF)) == ()


def test_what_never_said_no_is_new_when_it_says_yes() -> None:
    assert "it is able to recognise faces" in compare(audit(UNKNOWN), audit(YES))
    assert "something with faces is switched on" in compare(audit(NO, Armament(has_library=NO)), audit(NO, ON))


def test_a_device_that_never_said_anything_has_nothing_to_come_back() -> None:
    assert last_known([audit(UNKNOWN, Armament())]) is not None  # it has said that it does not detect
    silent = replace(audit(UNKNOWN, Armament()), detect=UNKNOWN, capture=UNKNOWN)
    assert last_known([silent, silent]) is None


@pytest.mark.parametrize("failures", [1, 3])
def test_a_question_that_failed_hides_nothing_and_raises_nothing(failures: int) -> None:
    silent = [audit(UNKNOWN, Armament(), firmware="", number=number) for number in range(failures)]
    off, on = last_known([*silent, audit()]), last_known([*silent, audit(YES, ON)])
    assert off is not None
    assert on is not None
    assert "it is able to recognise faces" in compare(off, audit(YES, ON))
    assert compare(on, audit(YES, ON)) == ()


def test_each_thing_is_known_from_the_newest_audit_that_was_told_it() -> None:
    newest = replace(audit(UNKNOWN, Armament(has_library=YES)), detect=YES)
    known = last_known([newest, audit(YES, ON), audit(NO, OFF)])
    assert known is not None
    assert (known.detect, known.recognise, known.armament.has_library, known.armament.armed) == (YES, YES, YES, ("rule A",))
    assert last_known([]) is None
