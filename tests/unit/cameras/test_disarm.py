"""A disarm switches off what was seen to be on, tells what became of each step, and nothing of faces ever comes back by us."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changing_device import ChangingDevice
from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraUnreachable, ConfigError
from lamppost.cameras.audit import audit_device, compare
from lamppost.cameras.dialects.dahua.questions import SWITCHES
from lamppost.cameras.dialects.dialect import Setting
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.replies import Variant
from lamppost.cameras.dialects.words import is_of_faces
from lamppost.cameras.disarm import NOT_CONFIRMED, NOT_SPOKEN, Order, disarm_device, plan_disarm, roll_back, saved_settings
from lamppost.cameras.web import Reply
from lamppost.model.devices import Armament, Audit, DeviceIdentity, Level
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep

VENDORS = ("hikvision", "dahua", "axis")
WORD = "Order of the council of 12 November 2026"
CLOCK = ManualClock()
STEP = DisarmStep("a rule", "true", "false", is_done=True, is_begun=True)


@dataclass
class Story:
    """A device that is disarmed, with every row that was kept."""

    device: ChangingDevice
    rows: list[Disarm] = field(default_factory=list[Disarm])

    @classmethod
    def of(cls, vendor: str, variant: str = "armed", **how: object) -> Story:
        return cls(ChangingDevice(Variant.read(vendor, variant), **how))  # type: ignore[arg-type]

    @property
    def identity(self) -> DeviceIdentity:
        return DeviceIdentity(vendor=self.device.variant.vendor)

    def audit(self) -> Audit:
        return audit_device("plaza", self.device, CLOCK, identity=self.identity)

    def disarm(self) -> Disarm:
        plan = plan_disarm(self.device, CLOCK, self.identity)
        return disarm_device(Order("plaza", "ada", WORD, "2026/17"), plan, self.device, CLOCK, self.rows.append, self.audit)

    def roll_back(self, done: Disarm) -> Disarm:
        return roll_back(done, "ada", WORD, self.device, CLOCK, self.rows.append)


@pytest.mark.parametrize("vendor", VENDORS)
def test_all_that_is_armed_is_switched_off_and_read_back(vendor: str) -> None:
    story = Story.of(vendor)
    before = story.audit()
    done = story.disarm()
    after = story.audit()
    assert done.state is DisarmState.DONE, done
    assert done.steps
    assert all(step.is_done and step.after and step.before != step.after for step in done.steps)
    assert (before.armament.is_armed, after.armament.is_armed) == (Level.YES, Level.NO)
    assert (before.armament.auto_tracking, after.armament.auto_tracking) == (Level.YES, Level.NO)
    assert (done.by, done.authorisation, done.reference) == ("ada", WORD, "2026/17")
    assert (after.armament.libraries, after.armament.entries) == (before.armament.libraries, before.armament.entries)
    assert compare(before, after) == ()
    assert {"something with faces is switched on", "it follows persons by itself"} <= set(compare(after, before))


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_request_of_a_disarm_reaches_a_library(vendor: str) -> None:
    story = Story.of(vendor)
    story.disarm()
    assert story.device.changes
    assert not any(
        word in change.lower() for change in story.device.changes for word in ("fdlib/", "faceserver", "faceregionserver", "delete")
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_off_needs_no_change(vendor: str) -> None:
    story = Story.of(vendor, "off")
    done = story.disarm()
    assert done.steps == ()
    assert story.device.changes == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_device_that_says_ok_and_changes_nothing_is_found_out(vendor: str) -> None:
    done = Story.of(vendor, ignores="").disarm()
    assert done.state is DisarmState.FAILED
    assert not any(step.is_done for step in done.steps)
    assert all(step.problem for step in done.steps)


@pytest.mark.parametrize(
    ("vendor", "ignored"), [("hikvision", "faceContrast"), ("dahua", "VideoAnalyseRule[0][0]"), ("axis", "facerecognition")]
)
def test_one_step_that_is_not_taken_makes_it_partial(vendor: str, ignored: str) -> None:
    done = Story.of(vendor, ignores=ignored).disarm()
    assert done.state is DisarmState.PARTIAL
    assert [step.is_done for step in done.steps].count(False) == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_device_that_is_gone_in_the_middle_leaves_what_was_done(vendor: str) -> None:
    done = Story.of(vendor, lasts=1).disarm()
    assert done.state is DisarmState.PARTIAL
    assert done.steps[0].is_done is (done.steps[0].after != "")
    assert all(not step.is_done and step.problem for step in done.steps[2:])


class Crash(Exception):
    """The power goes."""


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("after", [1, 2, 3, 4])
def test_a_crash_leaves_a_row_that_is_true(vendor: str, after: int) -> None:
    story = Story.of(vendor)

    def keep(row: Disarm) -> None:
        story.rows.append(row)
        if len(story.rows) == after:
            raise Crash

    plan = plan_disarm(story.device, CLOCK, story.identity)
    with pytest.raises(Crash):
        disarm_device(Order("plaza", "ada", WORD), plan, story.device, CLOCK, keep, story.audit)
    left = story.rows[-1]
    told = sum(step.is_done for step in left.steps)
    assert left.state is (DisarmState.PARTIAL if told else DisarmState.FAILED)
    assert told <= len(story.device.changes) <= sum(step.is_begun for step in left.steps), "no change was made that no row tells of"
    assert list(saved_settings(left.saved)) == list(plan.settings), "what was set before is kept before anything is changed"


@pytest.mark.parametrize("authorisation", ["", "yes", " " * 40, "x" * 2001])
def test_without_an_authorisation_nothing_is_done(authorisation: str) -> None:
    story = Story.of("dahua")
    plan = plan_disarm(story.device, CLOCK, story.identity)
    with pytest.raises(ConfigError, match="authorisation"):
        disarm_device(Order("plaza", "ada", authorisation), plan, story.device, CLOCK, story.rows.append, story.audit)
    done = story.disarm()
    kept = len(story.rows)
    with pytest.raises(ConfigError, match="authorisation"):
        roll_back(done, "ada", authorisation, story.device, CLOCK, story.rows.append)
    assert len(story.rows) == kept


def test_a_rollback_puts_back_what_suffered_and_is_not_of_faces() -> None:
    story = Story.of("dahua")
    done = story.disarm()
    rules = "GET /cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule"
    line = "table.VideoAnalyseRule[0][1].Enable="
    story.device.replace(rules, story.device.text(rules).replace(f"{line}true", f"{line}false"))  # the change of scene took it along
    rolled = story.roll_back(done)
    assert rolled.state is DisarmState.ROLLED_BACK
    assert [step.is_done for step in rolled.rollback_steps] == [True]
    assert f"{line}true" in story.device.text(rules)
    assert story.audit().armament.is_armed is Level.NO
    assert story.audit().armament.auto_tracking is Level.NO
    assert rolled.steps == done.steps
    assert rolled.audit_after == done.audit_after
    with pytest.raises(ConfigError, match="rolled back already"):
        story.roll_back(rolled)


@pytest.mark.parametrize("vendor", VENDORS)
def test_where_nothing_suffered_nothing_was_rolled_back(vendor: str) -> None:
    story = Story.of(vendor)
    done = story.disarm()
    story.device.changes.clear()
    rolled = story.roll_back(done)
    assert story.device.changes == []
    assert rolled.state is DisarmState.DONE
    assert all(step.problem == "it was so already" for step in rolled.rollback_steps)


def test_a_disarm_that_changed_nothing_is_not_rolled_back() -> None:
    gone = Story.of("hikvision")
    gone.device.lasts = -1
    failed = gone.disarm()
    ignored = Story.of("dahua", ignores="").disarm()
    unbegun = replace(ignored, steps=tuple(replace(step, is_begun=False) for step in ignored.steps))
    for row in (failed, ignored, unbegun):
        assert row.state is DisarmState.FAILED
        with pytest.raises(ConfigError, match="changed nothing"):
            gone.roll_back(row)
    assert len(gone.rows) == 2, "a rollback that is refused keeps nothing"


def test_a_disarm_that_broke_off_may_have_changed_something_and_is_rolled_back() -> None:
    story = Story.of("dahua")
    done = story.disarm()
    broken = replace(done, state=DisarmState.FAILED, steps=(replace(done.steps[0], is_done=False, after=""),))
    assert story.roll_back(broken).state is DisarmState.FAILED


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_rollback_never_arms_again(vendor: str) -> None:
    story = Story.of(vendor)
    done = story.disarm()
    story.device.changes.clear()
    story.roll_back(done)
    after = story.audit()
    assert after.armament.is_armed is Level.NO
    assert after.armament.auto_tracking is Level.NO
    assert not any(is_of_faces(change) for change in story.device.changes)


_PLACES = (
    *(
        "VideoAnalyseRule[0][0]",
        "VideoAnalyseRule[0][1]",
        "VideoAnalyseGlobal[0].Scene",
        "FaceRecognitionEventHandler[0]",
        "LeSmartTrack[0]",
    ),
    *("VideoAnalyseRule[0][1].Enable=false&LeSmartTrack[0]", "VideoAnalyseRule[0][1]&VideoAnalyseRule[0][0]"),
    *(
        "/ISAPI/Intelligent/channels/1/faceContrast",
        "/ISAPI/Smart/FaceDetect/1",
        "/ISAPI/Smart/IntelliTrace/1",
        "/ISAPI/Smart/LineDetection/1",
    ),
    *("/ISAPI/System/Video/inputs/channels/1/VCAResource", "/ISAPI/Smart/LineDetection/1/../FaceDetect/1"),
    *("/axis-cgi/applications/list.cgi", "/axis-cgi/analyticsmetadataconfig.cgi"),
)
_KINDS = (
    *(
        "CrossLineDetection",
        "FaceRecognition",
        "FaceDetection",
        "LineDetection",
        "FaceDetect",
        "FaceContrast",
        "IntelliTrace",
        "VCAResource",
    ),
    *("vmd", "facerecognition", "ptzautotracking", "vmd&action=start&package=facerecognition", ""),
)
_SAVED = st.builds(
    Setting,
    dialect=st.sampled_from([*VENDORS, "onvif", ""]),
    place=st.sampled_from(_PLACES),
    kind=st.sampled_from(_KINDS),
    key=st.sampled_from(["Enable", "enabled", "enable", "Status", "Type", "type", "TrackEnable", "Enable=false&LeSmartTrack[0].Enable"]),
    value=st.sampled_from(["true", "false", "Running", "FaceRecognition", "faceContrast", "3", "true&LeSmartTrack[0].Enable=true"]),
)


@settings(max_examples=200, deadline=None)
@given(vendor=st.sampled_from(VENDORS), saved=st.lists(_SAVED, max_size=8), is_begun_anew=st.booleans())
def test_no_saved_setting_whatever_it_says_arms_anything(vendor: str, saved: list[Setting], is_begun_anew: bool) -> None:
    story = Story.of(vendor, "off" if is_begun_anew else "armed")
    if not is_begun_anew:
        story.disarm()
    before = story.audit()
    row = Disarm("d", "plaza", 0, "ada", WORD, "", DisarmState.DONE, (STEP,), saved=json.dumps([asdict(one) for one in saved]))
    story.roll_back(row)
    assert compare(before, story.audit()) == ()


def test_a_rule_that_has_become_one_of_faces_is_left_alone() -> None:
    story = Story.of("dahua", "off")
    rules = "GET /cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule"
    row = Disarm("d", "plaza", 0, "ada", WORD, "", DisarmState.DONE, (STEP,))
    setting = {"dialect": "dahua", "place": "VideoAnalyseRule[0][0]", "kind": "CrossLineDetection", "key": "Enable", "value": "true"}
    for line in ("Class=FaceDetection", "ObjectTypes[0]=HumanFace", "TrackEnable=true", "Config.FaceSnap=1"):
        lines = ("Type=CrossLineDetection", "Enable=false", line)
        text = "".join(f"table.VideoAnalyseRule[0][0].{one}\r\n" for one in lines)
        story.device.replace(rules, text)
        rolled = story.roll_back(replace(row, saved=json.dumps([setting])))
        assert story.device.changes == []
        assert rolled.rollback_steps[0].problem


@pytest.mark.parametrize("saved", ["", "{", "[1]", '[{"dialect": "dahua"}]', '"x"', "[" * 5000, "null"])
def test_a_saved_document_that_is_none_is_empty(saved: str) -> None:
    assert list(saved_settings(saved)) == []


class Stranger:
    """A device that knows none of the questions, as one of a maker whose dialect is not spoken here does."""

    def ask(self, *given: Any, **options: Any) -> Reply:
        del given, options
        return Reply(404, {"content-type": "text/plain"}, b"not found")


def test_a_device_that_cannot_be_spoken_to_is_not_told_to_be_disarmed() -> None:
    web: Any = Stranger()
    identity = DeviceIdentity(vendor="Another Maker")
    plan = plan_disarm(web, CLOCK, identity)
    assert plan.problems == (NOT_SPOKEN,)
    rows: list[Disarm] = []
    done = disarm_device(
        Order("plaza", "ada", WORD), plan, web, CLOCK, rows.append, lambda: audit_device("plaza", web, CLOCK, identity=identity)
    )
    assert done.state is DisarmState.FAILED
    assert NOT_CONFIRMED in done.problems


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("variant", ["armed", "off"])
@pytest.mark.parametrize("level", Level)
def test_it_is_done_only_where_the_device_says_afterwards_that_nothing_is_on(vendor: str, variant: str, level: Level) -> None:
    story = Story.of(vendor, variant)
    plan = plan_disarm(story.device, CLOCK, story.identity)
    order = Order("plaza", "ada", WORD)
    done = disarm_device(
        *(order, plan, story.device, CLOCK, story.rows.append),
        lambda: replace(story.audit(), armament=Armament(is_armed=level)),
    )
    assert (done.state is DisarmState.DONE) is (level is Level.NO)
    assert (NOT_CONFIRMED in done.problems) is (level is Level.UNKNOWN)
    if variant == "armed" and level is not Level.NO:
        assert done.state is (DisarmState.PARTIAL if level is Level.YES else DisarmState.UNCONFIRMED)


def test_a_camera_that_follows_all_the_same_is_not_done() -> None:
    story = Story.of("hikvision")
    plan = plan_disarm(story.device, CLOCK, story.identity)
    following = Armament(is_armed=Level.NO, auto_tracking=Level.YES)
    done = disarm_device(
        *(Order("plaza", "ada", WORD), plan, story.device, CLOCK, story.rows.append),
        lambda: replace(story.audit(), armament=following),
    )
    assert done.state is DisarmState.PARTIAL


@pytest.mark.parametrize("name", SWITCHES)
def test_a_disarm_switches_off_whatever_the_audit_calls_armed(name: str) -> None:
    story = Story.of("dahua", "off")
    question = "GET /cgi-bin/configManager.cgi?action=getConfig&name=FaceRecognitionEventHandler"
    value = "true" if name == "Enable" else "1"
    story.device.replace(question, f"table.FaceRecognitionEventHandler[0].{name}={value}\r\n")
    assert story.audit().armament.is_armed is Level.YES
    assert story.disarm().state is DisarmState.DONE


def test_every_dialect_plans_without_a_device_that_answers() -> None:
    for dialect in DIALECTS:
        story = Story.of(dialect.name)
        story.device.lasts = -1
        plan = plan_disarm(story.device, CLOCK, story.identity)
        assert plan.changes == ()
        assert plan.problems
        done = story.disarm()
        assert done.state is DisarmState.FAILED, "nothing is known to be off"


def test_what_is_not_on_the_list_is_not_put_back_though_it_is_there() -> None:
    story = Story.of("dahua", "off")
    rules = "GET /cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule"
    lines = ("Type=NumberStat", "Enable=false")
    story.device.replace(rules, "".join(f"table.VideoAnalyseRule[0][0].{one}\r\n" for one in lines))
    setting = {"dialect": "dahua", "place": "VideoAnalyseRule[0][0]", "kind": "NumberStat", "key": "Enable", "value": "true"}
    rolled = story.roll_back(Disarm("d", "plaza", 0, "ada", WORD, "", DisarmState.DONE, (STEP,), saved=json.dumps([setting])))
    assert story.device.changes == []
    assert "nothing that a rollback puts back" in rolled.rollback_steps[0].problem
    assert rolled.state is DisarmState.DONE


class LateOnce:
    """Answers all questions but one."""

    def __init__(self, device: ChangingDevice, place: str) -> None:
        self.device, self.place, self.variant = device, place, device.variant

    def ask(self, method: str, path: str, *given: Any, **options: Any) -> Reply:
        if path.endswith(self.place):
            raise CameraUnreachable("it has not answered in time")
        return self.device.ask(method, path, *given, **options)


def test_what_could_not_be_asked_is_not_done() -> None:
    story = Story.of("hikvision")
    late: Any = LateOnce(story.device, "/faceContrast")
    plan = plan_disarm(late, CLOCK, story.identity)
    done = disarm_device(Order("plaza", "ada", WORD), plan, late, CLOCK, story.rows.append, story.audit)
    assert not plan.is_whole
    assert all(step.is_done for step in done.steps)
    assert done.state is DisarmState.PARTIAL
    late = LateOnce(story.device, "/faceContrast")
    silent = disarm_device(
        Order("plaza", "ada", WORD),
        plan,
        late,
        CLOCK,
        story.rows.append,
        lambda: audit_device("plaza", late, CLOCK, identity=story.identity),
    )
    assert silent.state is DisarmState.PARTIAL, "though the audit after it could not ask either"
