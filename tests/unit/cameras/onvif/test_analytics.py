"""ONVIF says yes or nothing of what a device is able to do; of what is set, no takes every answer. Only what is of faces is removed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable
from lamppost.cameras.dialects.dialect import Change, Interview, Setting
from lamppost.cameras.dialects.interview import MOST_S
from lamppost.cameras.onvif.analytics import OnvifAnalytics
from lamppost.cameras.onvif.analytics_parts import MODULE, RULE, parts_in
from lamppost.cameras.onvif.xml import parse
from lamppost.cameras.simulated.state import Rule
from lamppost.cameras.web import Reply
from lamppost.model.devices import Ability, Armament, Level, conclude
from onvif_devices import CLOCK, Canned, Recording, device, envelope, fault, recorded, reply, simulated

VENDORS = ("onvif", "dahua", "hikvision", "axis")
WRONG: Mapping[str, Reply] = {
    "a fault": fault("ActionNotSupported", 500, "Receiver"),
    "refused": reply(b"", 401, www_authenticate='Digest realm="x", nonce="y"'),
    "forbidden": reply(b"<html/>", 403),
    "not found": reply(b"<html/>", 404),
    "broken": reply(b"", 500),
    "empty": reply(b""),
    "an empty envelope": reply(envelope("")),
    "another answer": reply(envelope("<tan:SomethingResponse/>")),
    "a page": reply(b"<html/>", 200, "text/html"),
    "cut off": reply(envelope("<tan:GetRulesResponse/>")[:-30]),
}


@pytest.fixture(scope="module")
def plain() -> Mapping[str, Reply]:
    """The answers of a device that has nothing to do with faces."""
    with simulated("onvif", most=None, is_armed=False) as (_, web):
        recording = Recording(web)
        audited(recording)
        return recording.answers


def audited(web: object, clock: object = CLOCK) -> tuple[Armament, Interview]:
    interview = Interview(web, clock)  # type: ignore[arg-type]
    return OnvifAnalytics(device(web), CLOCK).audit(interview), interview


def levels(interview: Interview) -> set[Level]:
    return {conclude(interview.findings, ability) for ability in Ability}


def rules(*each: str) -> Reply:
    return reply(envelope(f"<tan:GetRulesResponse>{''.join(each)}</tan:GetRulesResponse>"))


def rule(name: str, kind: str, **items: str) -> str:
    inside = "".join(f'<tt:SimpleItem Name="{key}" Value="{value}"/>' for key, value in items.items())
    return f'<tan:Rule Name="{name}" Type="{kind}"><tt:Parameters>{inside}</tt:Parameters></tan:Rule>'


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_armed_device_gives_itself_away(vendor: str) -> None:
    with simulated(vendor) as (_, web):
        armament, interview = audited(web)
    assert armament.is_armed is Level.YES
    assert levels(interview) == {Level.YES}
    assert "rule MyFaceSeenRule (tt:ObjectDetection)" in armament.armed
    assert Level.NO not in {finding.level for finding in interview.findings}


def test_a_device_without_faces_is_never_called_unable_and_nothing_is_armed(plain: Mapping[str, Reply]) -> None:
    armament, interview = audited(Canned(plain))
    assert armament.is_armed is Level.NO
    assert Level.NO not in {finding.level for finding in interview.findings}


@pytest.mark.parametrize("wrong", WRONG)
def test_no_question_that_goes_wrong_becomes_a_no(wrong: str, plain: Mapping[str, Reply]) -> None:
    for operation in (name for name in plain if name != "GetServices"):
        armament, interview = audited(Canned({**plain, operation: WRONG[wrong]}))
        assert Level.NO not in {finding.level for finding in interview.findings}
        assert levels(interview) == ({Level.UNKNOWN} if operation != "GetServiceCapabilities" else levels(interview)), operation
        if operation in ("GetRules", "GetAnalyticsModules", "GetAnalyticsConfigurations", "GetVideoAnalyticsConfigurations"):
            assert armament.is_armed is Level.UNKNOWN, operation
    armament, interview = audited(Canned({"*": WRONG[wrong]}))
    assert (armament, levels(interview)) == (Armament(), {Level.UNKNOWN})


@pytest.mark.parametrize(
    "said",
    [
        rule("r", "", Sensitivity="1"),
        rule("r", "tt:LineDetector", Note="Face the station"),
        '<tan:Rule Name="r" Type="tt:X"><tt:Parameters><tt:ElementItem Name="y"><Face/></tt:ElementItem></tt:Parameters></tan:Rule>',
        '<tan:Other Name="r" Type="tt:LineDetector"/>',
        '<x:Rules xmlns:x="urn:x"><x:Rule Name="r" Type="x:FaceCompare"/></x:Rules>',
        *["".join(rule(f"r{n}", "tt:LineDetector") for n in range(200)) + rule("last", "tt:FaceRecognition")],
    ],
)
def test_a_rule_that_is_not_understood_is_no_no(said: str, plain: Mapping[str, Reply]) -> None:
    armament, _ = audited(Canned({**plain, "GetRules": rules(said)}))
    assert armament.is_armed is not Level.NO


@pytest.mark.parametrize(
    ("said", "armed"),
    [
        (rule("a", "tt:FaceRecognition"), Level.YES),
        ('<x:Rule xmlns:x="urn:x" Name="a" Type="y:FaceCompare"/>', Level.YES),
        (rule("a", "tt:ObjectDetection", ClassFilter="Human Face"), Level.YES),
        (rule("a", "x:HumanTraitDetector"), Level.YES),
        (rule("a", "x:Intrusion", FaceSnap="true"), Level.YES),
        (rule("a", "tt:LineDetector", FaceSnap="false"), Level.NO),
        (rule("Face of the town hall", "tt:LineDetector", ClassFilter="Human"), Level.NO),
        (rule("a", "x:VisitorInsight"), Level.UNKNOWN),
        (rule("a", "tt:ObjectDetection", ClassFilter="Human Visitor"), Level.UNKNOWN),
        (rule("a", "tt:LineDetector", Insight="true"), Level.UNKNOWN),
        ("", Level.NO),
    ],
)
def test_what_a_rule_looks_for_says_whether_it_is_armed(said: str, armed: Level, plain: Mapping[str, Reply]) -> None:
    armament, _ = audited(Canned({**plain, "GetRules": rules(said)}))
    assert armament.is_armed is armed


def test_more_configurations_than_are_asked_are_no_no(plain: Mapping[str, Reply]) -> None:
    many = "".join(
        f'<tr2:Configurations token="c{n}"><tt:Name>x</tt:Name><tt:UseCount>1</tt:UseCount></tr2:Configurations>' for n in range(9)
    )
    configurations = reply(envelope(f"<tr2:GetAnalyticsConfigurationsResponse>{many}</tr2:GetAnalyticsConfigurationsResponse>"))
    armament, _ = audited(Canned({**plain, "GetAnalyticsConfigurations": configurations}))
    assert armament.is_armed is not Level.NO


def test_a_slow_device_takes_no_longer_than_an_audit_may(plain: Mapping[str, Reply]) -> None:
    clock = ManualClock()

    class Slow(Canned):
        def ask(self, *args: object, **options: object) -> Reply:
            clock.advance(4.9)
            return super().ask(*args, **options)  # type: ignore[arg-type]

    began_s = clock.monotonic_s()
    _, interview = audited(Slow(plain), clock)
    assert clock.monotonic_s() - began_s < MOST_S + 5.0
    assert levels(interview) == {Level.UNKNOWN}


def test_a_device_that_goes_silent_is_not_asked_on_and_on(plain: Mapping[str, Reply]) -> None:
    def gone(content: bytes) -> Reply:
        raise CameraUnreachable("gone")

    canned = Canned({"GetServices": plain["GetServices"], "*": gone})
    assert audited(canned)[0].is_armed is Level.UNKNOWN
    assert len(canned.asked) <= 4


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_disarm_removes_what_is_of_faces_and_nothing_else_and_reads_back(vendor: str) -> None:
    with simulated(vendor) as (camera, web):
        camera.state.rules["Face of the town hall"] = Rule("tt:LineDetector", {"ClassFilter": "Human"})
        dialect = OnvifAnalytics(device(web), CLOCK)
        plan = dialect.plan(Interview(web, CLOCK))
        assert plan.problems == ()
        assert {change.key for change in plan.changes} == {"rule MyFaceRule", "rule MyFaceSeenRule", "module MyFaceModule"}
        for change in plan.changes:
            assert dialect.read_back(web, change) == change.now
            dialect.change(web, change)
            assert dialect.read_back(web, change) == change.then
        assert set(camera.state.rules) == {"MyMotionDetectorRule", "MyLineRule", "Face of the town hall"}
        assert set(camera.state.modules) == {"MyCellMotionModule"}
        deleted = [each.operation for each in camera.requests if "Delete" in each.operation]
        for change in plan.changes:
            dialect.change(web, change)  # it is gone: nothing is asked to be removed
        assert [each.operation for each in camera.requests if "Delete" in each.operation] == deleted


def test_a_rule_that_looks_for_faces_among_other_things_is_left_to_a_person() -> None:
    with simulated("onvif", is_armed=False) as (camera, web):
        camera.state.rules["Gate"] = Rule("tt:ObjectDetection", {"ClassFilter": "Human Face"})
        dialect = OnvifAnalytics(device(web), CLOCK)
        plan = dialect.plan(Interview(web, CLOCK))
        assert plan.changes == ()
        assert "Gate" in plan.problems[0]


def test_what_has_changed_since_the_plan_is_not_removed() -> None:
    with simulated("onvif") as (camera, web):
        dialect = OnvifAnalytics(device(web), CLOCK)
        change = next(change for change in dialect.plan(Interview(web, CLOCK)).changes if change.key == "rule MyFaceRule")
        camera.state.rules["MyFaceRule"] = Rule("tt:LineDetector", {})
        for wanted in (change, replace(change, key="rule MyLineRule"), replace(change, key="user admin")):
            with pytest.raises(CameraRefused):
                dialect.change(web, wanted)
        assert not [each for each in camera.requests if "Delete" in each.operation]
        with pytest.raises(CameraRefused):
            dialect.put_back(web, Setting("onvif", "x", "y", "z", "1"))


def test_a_name_that_is_not_one_of_its_own_is_not_removed_by(plain: Mapping[str, Reply]) -> None:
    twice = (rule("Gate", "tt:FaceRecognition"), rule("Gate", "tt:LineDetector"))
    for each in (twice, (rule("Gate ", "tt:FaceRecognition"), rule("Gate", "tt:LineDetector")), (rule("", "tt:FaceRecognition"),)):
        canned = Canned({**plain, "GetRules": rules(*each)})
        dialect = OnvifAnalytics(device(canned), CLOCK)
        plan = dialect.plan(Interview(canned, CLOCK))
        assert (plan.changes, len(plan.problems)) == ((), 1)
        with suppress(CameraRefused):
            dialect.change(canned, Change("onvif", "x", "c", "rule Gate", "present", "absent"))
        assert "DeleteRules" not in canned.operations


def test_what_cannot_be_read_back_is_an_error_and_never_gone(plain: Mapping[str, Reply]) -> None:
    change = Change("onvif", "x", "c", "rule Gate", "present", "absent")
    for wrong in WRONG.values():
        dialect = OnvifAnalytics(device(Canned({**plain, "GetRules": wrong})), CLOCK)
        with pytest.raises(CameraError):
            dialect.read_back(Canned({}), change)
        with pytest.raises(CameraError):
            dialect.change(Canned({}), change)


def test_rules_and_modules_are_told_apart() -> None:
    root = parse(rules(rule("a", "tt:FaceRecognition")).content)
    assert [part.key for part in parts_in(root, "c", RULE).all] == ["rule a"]
    assert (parts_in(root, "c", MODULE).all, parts_in(root, "c", MODULE).is_whole) == ((), False)


def test_a_device_by_heart_is_asked_as_one_on_the_network() -> None:
    armament, interview = audited(Canned(recorded("onvif")))
    assert (armament.is_armed, levels(interview)) == (Level.YES, {Level.YES})
