"""A device is asked what is due, later and later where it is away, and not at all where it is another one."""

from __future__ import annotations

import dataclasses

from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraRefused, CameraUnreachable, ConfigError, DeviceBusy, StoreError, UnreadableReply
from lamppost.model.books import EventClosed, EventEnded, EventOpened
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import DeviceEvent, DeviceEventKind, DeviceIdentity
from lamppost.pipeline.caring import AWAY_CAP_S, DEAF_S, REFUSED_CAP_S, DeviceCare
from scripted_device import IDENTITY, CareScene

INPUT = DeviceEvent(DeviceEventKind.INPUT, True, "door", None)


def live(scene: CareScene, care: DeviceCare, for_s: float) -> list[float]:
    """Give it its turns for so long; the pauses between them."""
    clock = scene.clock
    assert isinstance(clock, ManualClock)
    end_s, pauses = clock.monotonic_s() + for_s, []
    while clock.monotonic_s() < end_s:
        pause_s = care.turn()
        pauses.append(pause_s)
        clock.advance(max(pause_s, 0.01))
    return pauses


def opened(scene: CareScene, kind: str) -> list[EventOpened]:
    return [record for record in scene.records if isinstance(record, EventOpened) and record.kind == kind]


def test_it_is_met_and_then_asked_what_is_due() -> None:
    scene = CareScene(ManualClock(), settings=DeviceSettings(health_s=60, audit_h=1))
    care = scene.care()
    assert care.report.is_reachable is None
    live(scene, care, 7200)
    asked = {word: scene.device.asked.count(word) for word in ("identity", "health", "audit", "listen")}
    assert 2 <= asked["identity"] <= 4, "each hour"
    assert 115 <= asked["health"] <= 140
    assert 2 <= asked["audit"] <= 4
    assert asked["listen"] > 2000
    assert scene.book.known == IDENTITY
    assert care.report.is_reachable is True
    assert care.report.audits == asked["audit"]
    assert scene.device.open == 1


def test_an_audit_that_is_young_is_not_made_again() -> None:
    scene = CareScene(ManualClock())
    scene.book.audited_us = scene.clock.wall_us() - 23 * 3600 * 1_000_000
    care = scene.care()
    live(scene, care, 3000)
    assert scene.device.asked.count("audit") == 0
    live(scene, care, 700)
    assert scene.device.asked.count("audit") == 1


def test_one_that_is_away_is_asked_later_and_later_and_met_anew() -> None:
    scene = CareScene(ManualClock())
    care = scene.care()
    live(scene, care, 10)
    scene.device.trouble = CameraUnreachable("it cannot be reached")
    scene.device.asked.clear()
    pauses = live(scene, care, 3600)
    assert len(scene.device.asked) < 150
    assert max(pauses) <= AWAY_CAP_S
    assert min(pauses[-20:]) >= AWAY_CAP_S / 2
    assert care.report.is_reachable is False
    assert care.report.problem == "it cannot be reached"
    scene.device.trouble = None
    scene.device.asked.clear()
    live(scene, care, AWAY_CAP_S + 5)
    assert scene.device.asked[0] == "identity"
    assert "health" in scene.device.asked
    assert care.report.problem == ""
    assert scene.device.open == 1, "no connection is left behind"


def test_one_that_refuses_is_hardly_asked() -> None:
    scene = CareScene(ManualClock())
    scene.device.trouble = CameraRefused("wrong password")
    care = scene.care()
    live(scene, care, 86_400)
    assert scene.device.asked.count("identity") < 110
    assert care.report.is_reachable is True
    assert REFUSED_CAP_S > AWAY_CAP_S


def test_a_password_that_was_being_changed_is_tried_where_one_is_refused() -> None:
    tried: list[str] = []
    scene = CareScene(ManualClock())
    scene.device.trouble = CameraRefused("wrong password")

    def mend(camera: object) -> bool:
        tried.append("mended")
        return True

    scene.mend = mend
    assert scene.care().turn() < 5
    assert tried == ["mended"]


def test_another_device_in_its_place_gets_no_password_until_somebody_takes_it_for_the_right_one() -> None:
    scene = CareScene(ManualClock())
    scene.book.known = IDENTITY
    scene.device.who = dataclasses.replace(IDENTITY, serial="SN-2")
    care = scene.care()
    live(scene, care, 3600)
    assert scene.device.asked == ["identity"], "asked once, and never again"
    assert care.report.stranger == "SN-2"
    assert care.report.problem == "the device at its address has the number SN-2, and not SN-1; what it sends is recorded as the camera's"
    assert scene.book.known == IDENTITY
    assert scene.device.open == 0
    scene.book.known = scene.device.who  # somebody has looked
    live(scene, care, 30)
    assert care.report.stranger == ""
    assert "health" in scene.device.asked


def test_another_firmware_is_told_and_audited_at_once() -> None:
    scene = CareScene(ManualClock())
    scene.book.known = IDENTITY
    scene.book.audited_us = scene.clock.wall_us()
    scene.book.drift = ("something with faces is switched on",)
    scene.device.who = dataclasses.replace(IDENTITY, firmware="2.0")
    care = scene.care()
    live(scene, care, 5)
    assert "1.0 became 2.0" in opened(scene, "firmware_changed")[0].detail
    assert len(scene.book.audits) == 1
    (drifted,) = opened(scene, "device_drifted")
    assert "switched on" in drifted.detail
    assert drifted.severity == "alarm"
    live(scene, care, 3600)
    assert len(opened(scene, "firmware_changed")) == 1


def test_one_that_somebody_works_on_is_audited_later_and_is_well() -> None:
    scene = CareScene(ManualClock())
    scene.busy = DeviceBusy("the device of gate is being disarmed by a command")
    care = scene.care()
    live(scene, care, 300)
    assert (care.report.is_reachable, care.report.problem, care.report.audits) == (True, "", 0)
    assert scene.device.asked.count("identity") == 1, "nothing follows about the device"
    scene.busy = None
    live(scene, care, 60)
    assert care.report.audits == 1


def test_what_it_tells_ends_when_it_is_gone_and_after_one_lost_answer_it_does_not() -> None:
    scene = CareScene(ManualClock())
    care = scene.care()
    live(scene, care, 5)
    scene.device.events = [INPUT]
    live(scene, care, 5)
    assert len(opened(scene, "device_input")) == care.report.events == 1
    scene.device.trouble = CameraUnreachable("away")
    care.turn()
    assert not [record for record in scene.records if isinstance(record, EventEnded | EventClosed)]
    live(scene, care, 20)
    assert len([record for record in scene.records if isinstance(record, EventEnded)]) == 1


def test_one_that_tells_nothing_is_well_all_the_same() -> None:
    scene = CareScene(ManualClock())
    scene.device.deaf = UnreadableReply("no events")
    care = scene.care()
    live(scene, care, DEAF_S)
    assert scene.device.asked.count("listen") <= 3
    assert scene.device.asked.count("health") > 5
    assert care.report.is_reachable is True


def test_after_its_video_was_away_it_is_asked_who_it_is() -> None:
    scene = CareScene(ManualClock())
    care = scene.care()
    live(scene, care, 20)
    scene.device.asked.clear()
    care.meet_again()
    care.turn()
    assert scene.device.asked == ["identity", "profiles"]
    assert (scene.device.talks, scene.device.open) == (2, 1), "on a new connection: its name may lead elsewhere now"


def test_a_book_that_cannot_be_written_ends_nothing() -> None:
    scene = CareScene(ManualClock())
    care = scene.care()

    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    scene.book.note_health = refuse  # type: ignore[method-assign]
    live(scene, care, 300)
    assert scene.device.asked.count("health") < 15
    assert scene.device.asked.count("listen") > 50


def test_what_is_wrong_in_its_settings_is_told_and_tried_again_soon() -> None:
    """Not a bug of ours, with a traceback every five minutes: its password file may be away for a moment."""
    scene = CareScene(ManualClock())
    scene.device.trouble = ConfigError("camera gate: its password_file cannot be read")
    care = scene.care()
    live(scene, care, 10)
    assert care.report.problem == "camera gate: its password_file cannot be read"
    scene.device.trouble = None
    live(scene, care, 60)
    assert care.report.problem == ""
    assert "health" in scene.device.asked


def test_it_leaves_when_it_is_closed_and_asks_no_more() -> None:
    scene = CareScene(ManualClock())
    care = scene.care()
    live(scene, care, 5)
    scene.device.events = [INPUT]
    live(scene, care, 5)
    care.close()
    assert scene.device.open == 0
    assert isinstance(scene.records[-1], EventEnded)
    scene.device.asked.clear()
    care.turn()
    assert scene.device.asked == []


def test_devices_are_told_apart_by_what_both_say() -> None:
    assert DeviceIdentity(serial="1").is_another(DeviceIdentity(serial="2"))
    assert not DeviceIdentity(serial="1", vendor="ACME").is_another(DeviceIdentity(serial="1", vendor="Acme Inc."))
    assert not DeviceIdentity(serial="1").is_another(DeviceIdentity(mac="00:11:22:33:44:55"))
    assert DeviceIdentity(mac="00:11:22:33:44:54").is_another(DeviceIdentity(mac="00:11:22:33:44:55"))


def test_one_that_is_put_back_is_met_again() -> None:
    scene = CareScene(ManualClock())
    scene.book.known = IDENTITY
    scene.device.who = dataclasses.replace(IDENTITY, serial="SN-2")
    care = scene.care()
    live(scene, care, 60)
    care.meet_again()  # its video was away
    live(scene, care, 600)
    assert scene.device.asked == ["identity", "identity"], "asked once more, and still another one"
    scene.device.who = IDENTITY
    care.meet_again()
    live(scene, care, 30)
    assert care.report.stranger == ""
    assert "health" in scene.device.asked
