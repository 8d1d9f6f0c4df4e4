"""What a device is able to do: said where it says so, and never denied where it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.dialect import DeviceHealth
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.replies import FAULTS, Fault, PlayedDevice, Variant
from lamppost.cameras.web import Reply
from lamppost.model.devices import Ability, Audit, DeviceIdentity, Level, Outcome

VENDORS = tuple(dialect.name for dialect in DIALECTS)
VARIANTS = {f"{variant.vendor}-{variant.name}": variant for vendor in VENDORS for variant in Variant.all(vendor)}
Y, N, U = Level.YES, Level.NO, Level.UNKNOWN
LEVELS = {
    "hikvision-armed": (Y, Y, Y),
    "hikvision-off": (Y, Y, Y),
    "hikvision-incapable": (N, N, N),
    "hikvision-partial": (U, U, U),
    "hikvision-older": (Y, U, U),
    "hikvision-channels": (Y, Y, N),
    "hikvision-terminal": (Y, Y, Y),
    "hikvision-hidden": (U, U, U),
    "hikvision-mixed": (Y, Y, N),
    "hikvision-strange": (U, U, U),
    "dahua-armed": (Y, Y, Y),
    "dahua-off": (Y, Y, Y),
    "dahua-incapable": (U, U, U),  # it denies in one answer, and answers two questions with an error
    "dahua-plain": (U, U, U),
    "dahua-partial": (Y, Y, U),
    "dahua-older": (Y, Y, U),
    "dahua-channels": (Y, Y, U),
    "dahua-traits": (Y, Y, U),
    "dahua-strange": (Y, Y, Y),
    "axis-armed": (Y, Y, Y),
    "axis-off": (Y, Y, Y),
    "axis-incapable": (N, N, N),
    "axis-plain": (U, U, U),
    "axis-partial": (U, U, U),
    "axis-older": (Y, U, U),
    "axis-channels": (Y, U, U),
    "axis-disguised": (U, U, U),
    "axis-strange": (U, U, U),
}
ARMED = {  # is armed, has a library, follows; libraries, entries
    "hikvision-armed": (Y, Y, Y, 2, 42),
    "hikvision-off": (N, N, N, 0, None),
    "hikvision-channels": (Y, U, Y, 0, None),
    "hikvision-terminal": (U, Y, U, 1, 120),
    "hikvision-hidden": (U, U, N, 0, None),
    "hikvision-mixed": (Y, N, N, 0, None),
    "hikvision-strange": (U, N, N, 0, None),
    "dahua-armed": (Y, Y, Y, 2, 42),
    "dahua-off": (N, N, N, 0, 0),
    "dahua-older": (Y, U, U, None, None),
    "dahua-traits": (Y, U, N, None, None),
    "dahua-strange": (U, N, N, 0, 0),
    "axis-armed": (Y, U, Y, None, None),
    "axis-off": (N, U, N, None, None),
    "axis-plain": (N, U, U, None, None),
    "axis-disguised": (U, U, U, None, None),
    "axis-strange": (U, U, U, None, None),
}


def audit(variant: Variant, faults: dict[str, Fault] | None = None, identity: DeviceIdentity | None = None) -> Audit:
    web = PlayedDevice(variant, faults or {})
    return audit_device("plaza", web, ManualClock(), identity=identity or DeviceIdentity(vendor=variant.vendor))


def levels(found: Audit) -> tuple[Level, ...]:
    return tuple(found.level(ability) for ability in Ability)


BEFORE = {name: audit(variant) for name, variant in VARIANTS.items()}


def check(name: str, found: Audit) -> None:
    """A fault takes nothing away but knowledge."""
    for ability in Ability:
        now, was = found.level(ability), BEFORE[name].level(ability)
        assert not (now is N and ability in VARIANTS[name].able), f"{name}: a false no"
        assert now is not N or was is N, f"{name}: {ability} became a no"
        assert now is not Y or was is Y


@pytest.mark.parametrize("name", VARIANTS)
def test_each_kind_of_device_is_told_for_what_it_is(name: str) -> None:
    assert levels(BEFORE[name]) == LEVELS[name]


@pytest.mark.parametrize("name", ARMED)
def test_what_is_switched_on_is_told_with_counts_alone(name: str) -> None:
    armament = BEFORE[name].armament
    assert (armament.is_armed, armament.has_library, armament.auto_tracking, armament.libraries, armament.entries) == ARMED[name]
    assert bool(armament.armed) is (armament.is_armed is Y)


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_vendor_has_six_kinds_of_device_at_least(vendor: str) -> None:
    assert sum(variant.vendor == vendor for variant in VARIANTS.values()) >= 6


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_device_that_answers_nothing_well_is_unknown(name: str, fault: str) -> None:
    found = audit(VARIANTS[name], {"*": FAULTS[fault]})
    check(name, found)
    if fault != "cut off":
        assert set(levels(found)) == {U}
        assert all(evidence.outcome is not Outcome.ANSWERED for evidence in found.evidence)


@pytest.mark.parametrize("name", [name for name, found in BEFORE.items() if N in levels(found)])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_question_without_an_answer_takes_a_no_away(name: str, fault: str) -> None:
    bearing = {finding.evidence for finding in BEFORE[name].findings} | set(range(len(BEFORE[name].evidence)))
    for number in bearing:
        question = BEFORE[name].evidence[number].question
        asked = next(one for one in VARIANTS[name].replies if one.startswith(question)) if question.startswith("POST") else question
        check(name, audit(VARIANTS[name], {asked: FAULTS[fault]}))
    every = [finding for finding in BEFORE[name].findings if finding.ability is Ability.RECOGNISE and finding.level is N]
    assert len({finding.evidence for finding in every}) >= 2, "a no rests on more than one answer"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_set_of_faults_makes_a_no_or_takes_a_yes_to_one(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(VARIANTS)))
    questions = sorted(VARIANTS[name].replies)
    chosen = data.draw(st.lists(st.sampled_from(questions), min_size=1, unique=True))
    faults = {question: FAULTS[data.draw(st.sampled_from(sorted(FAULTS)))] for question in chosen}
    found = audit(VARIANTS[name], faults)
    check(name, found)
    for ability in Ability:
        assert not (BEFORE[name].level(ability) is Y and found.level(ability) is N)


def test_a_no_needs_every_question_about_it() -> None:
    variant = VARIANTS["hikvision-incapable"]
    for question in ("GET /ISAPI/Intelligent/FDLib/capabilities", "GET /ISAPI/AccessControl/capabilities", "GET /ISAPI/Intelligent/FDLib"):
        found = audit(variant, {question: FAULTS["404"]})
        expected = U if question != "GET /ISAPI/Intelligent/FDLib" else N  # the list of libraries is a matter of how it is set
        assert found.recognise is expected


def test_a_device_under_another_name_is_asked_in_its_makers_dialect() -> None:
    for name in ("hikvision-armed", "dahua-armed", "axis-armed"):
        found = audit(VARIANTS[name], identity=DeviceIdentity(vendor="Invented Brand"))
        assert found.dialects == (name.partition("-")[0],)
        assert found.recognise is Y


@pytest.mark.parametrize("fault", ["401", "403", "500", "timeout", "page", "empty"])
def test_a_device_that_may_speak_a_dialect_and_does_not_say_so_is_unknown(fault: str) -> None:
    found = audit(VARIANTS["hikvision-incapable"], {"*": FAULTS[fault]}, identity=DeviceIdentity(vendor="Invented Brand"))
    assert found.dialects == ()
    assert levels(found) == (U, U, U)
    assert {finding.level for finding in found.findings} == {U}


def test_who_a_device_is_and_how_it_is_comes_from_its_dialect() -> None:
    serials, healths = {}, {}
    for dialect in DIALECTS:
        web = PlayedDevice(VARIANTS[f"{dialect.name}-armed"])
        identity = dialect.identify(web)
        assert identity is not None
        assert dialect.speaks(identity)
        serials[dialect.name], healths[dialect.name] = (identity.serial, identity.model, bool(identity.firmware)), dialect.health(web)
    assert serials == {
        "hikvision": ("iDS-2CD7A46G0/P-IZHSY20220418AAWRJ00000001", "iDS-2CD7A46G0/P-IZHSY", True),
        "dahua": ("8A0C3E7PAG00001", "DH-IPC-HFW5442E-ZE", True),
        "axis": ("B8A44F000001", "Q6135-LE", True),
    }
    assert all(isinstance(health, DeviceHealth) and health.uptime_s == 86400 and len(health.storage) == 1 for health in healths.values())
    assert healths["hikvision"].temperature_c == 41.5
    assert healths["dahua"].storage[0].free_bytes == 62_534_090_752 - 31_267_045_376


@pytest.mark.parametrize("name", VARIANTS)
def test_no_fault_makes_a_camera_that_is_armed_one_that_is_not(name: str) -> None:
    for question in VARIANTS[name].replies:
        for fault in FAULTS:
            was, now = BEFORE[name].armament, audit(VARIANTS[name], {question: FAULTS[fault]}).armament
            assert now.is_armed is not N or was.is_armed is N, (question, fault)
            assert now.has_library is not N or was.has_library is N, (question, fault)
            assert now.auto_tracking is not N or was.auto_tracking is N, (question, fault)


@pytest.mark.parametrize("name", ["VideoAnalyseGlobal", "VideoAnalyseRule", "FaceRecognitionEventHandler", "LeSmartTrack"])
def test_a_table_that_may_lack_lines_does_not_say_that_nothing_is_armed(name: str) -> None:
    def unsaid(whole: Reply) -> Reply:
        return Reply(whole.status, {"content-type": "text/plain"}, whole.content)

    question = f"GET /cgi-bin/configManager.cgi?action=getConfig&name={name}"
    armament = audit(VARIANTS["dahua-off"], {question: unsaid}).armament
    assert (armament.is_armed, armament.auto_tracking) == ((U, N), (U, U), (U, N), (N, U))[
        ("VideoAnalyseGlobal", "VideoAnalyseRule", "FaceRecognitionEventHandler", "LeSmartTrack").index(name)
    ]
