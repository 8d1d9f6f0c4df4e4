"""Audit and disarm over HTTP, with digest authentication, against the simulated camera of each vendor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.cameras.audit import audit_device, onvif_of
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.replies import FAULTS, Fault
from lamppost.cameras.disarm import Order, disarm_device, plan_disarm
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.state import Rule
from lamppost.cameras.web import DeviceAddress, DeviceWeb, Reply
from lamppost.model.devices import Ability, Audit, Level
from lamppost.model.disarming import Disarm, DisarmState
from lamppost.model.networks import CameraNetworks

VENDORS = ("onvif", "hikvision", "dahua", "axis")
CLOCK = SystemClock()


@contextmanager
def asked(vendor: str, *, is_known: bool = True, **how: object) -> Iterator[tuple[SimulatedCamera, DeviceWeb]]:
    with SimulatedCamera(vendor, password="plum-42-tin", **how) as camera:  # type: ignore[arg-type]
        networks = CameraNetworks(["127.0.0.0/8"])
        with DeviceWeb(
            DeviceAddress.of(camera.url), networks, CLOCK, username="admin", password="plum-42-tin" if is_known else "wrong"
        ) as web:
            yield camera, web


def audit(camera: SimulatedCamera, web: DeviceWeb) -> Audit:
    return audit_device("plaza", web, CLOCK, identity=camera.identity, always=onvif_of(web, CLOCK, "admin"))


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_armed_camera_is_told_for_what_it_is_and_disarmed(vendor: str) -> None:
    with asked(vendor) as (camera, web):
        before = audit(camera, web)
        assert (before.detect, before.capture, before.recognise) == (Level.YES,) * 3
        assert before.armament.is_armed is Level.YES
        rows: list[Disarm] = []
        onvif = onvif_of(web, CLOCK, "admin")
        plan = plan_disarm(web, CLOCK, camera.identity, always=onvif)
        order = Order("plaza", "ada", "the council has decided so")
        done = disarm_device(order, plan, web, CLOCK, rows.append, lambda: audit(camera, web), dialects=(*onvif, *DIALECTS))
        # Where there is no maker's dialect to ask in, ONVIF alone does not say that nothing is.
        assert done.state is (DisarmState.UNCONFIRMED if vendor == "onvif" else DisarmState.DONE), done
        assert audit(camera, web).armament.is_armed is (Level.UNKNOWN if vendor == "onvif" else Level.NO)
        assert audit(camera, web).armament.libraries == before.armament.libraries


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wrong_password_is_unknown(vendor: str) -> None:
    with asked(vendor, is_known=False, most=None, is_armed=False) as (camera, web):
        found = audit(camera, web)
        assert {found.level(ability) for ability in Ability} == {Level.UNKNOWN}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_camera_that_is_able_to_do_nothing_is_never_called_able(vendor: str) -> None:
    with asked(vendor, most=None, is_armed=False) as (camera, web):
        found = audit(camera, web)
        assert Level.YES not in {found.level(ability) for ability in Ability}
        assert found.armament.is_armed is not Level.YES


class Deaf:
    """Lets the answers to one ONVIF question go wrong."""

    def __init__(self, web: DeviceWeb, operation: str, fault: Fault) -> None:
        self.web, self.operation, self.fault, self.address = web, operation, fault, web.address
        self.heard = 0

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        answer = self.web.ask(method, path, content, headers, timeout_s=timeout_s)
        if f":{self.operation}".encode() not in content and f"<{self.operation}".encode() not in content:
            return answer
        self.heard += 1
        return self.fault(answer)


@pytest.mark.parametrize("fault", ["400", "401", "403", "404", "500", "timeout", "empty", "page as XML", "wrong letters", "error in XML"])
def test_no_onvif_question_that_goes_wrong_is_a_no(fault: str) -> None:
    operations = ("GetServices", "GetEventProperties", "GetSupportedRules", "GetRules", "GetRuleOptions", "GetSupportedAnalyticsModules")
    with asked("hikvision", most=None, is_armed=False) as (camera, web):
        assert audit(camera, web).recognise is Level.NO
        for operation in (*operations, "GetAnalyticsModules", "GetSupportedMetadata", "GetAnalyticsConfigurations"):
            deaf = Deaf(web, operation, FAULTS[fault])
            found = audit_device("plaza", deaf, CLOCK, identity=camera.identity, always=onvif_of(deaf, CLOCK, "admin"))  # type: ignore[arg-type]
            assert deaf.heard, operation
            if operation == "GetServices" and any(one.question.startswith("tan:GetSupportedRules") for one in found.evidence):
                continue  # it was asked in the old way where its services are, and all of them have answered
            assert {found.level(ability) for ability in Ability} == {Level.UNKNOWN}, operation


def test_a_rule_for_objects_that_looks_for_faces_is_armed() -> None:
    with asked("hikvision", most=None, is_armed=False) as (camera, web):
        camera.state.rules["yard"] = Rule("tt:ObjectDetection", {"ClassFilter": "Human"})
        assert audit(camera, web).armament.is_armed is Level.NO
        camera.state.rules["yard"] = Rule("tt:ObjectDetection", {"ClassFilter": "Human HumanFace"})
        found = audit(camera, web)
        assert (found.armament.is_armed, found.detect) == (Level.YES, Level.YES)
        assert any("yard" in what for what in found.armament.armed)
        plan = plan_disarm(web, CLOCK, camera.identity, always=onvif_of(web, CLOCK, "admin"))
        assert not any("yard" in change.what for change in plan.changes), "it looks for others, too"
        assert any("yard" in problem for problem in plan.problems)
        camera.state.rules["yard"] = Rule("tt:ObjectDetection", {"ClassFilter": "HumanFace"})
        plan = plan_disarm(web, CLOCK, camera.identity, always=onvif_of(web, CLOCK, "admin"))
        assert any("yard" in change.what for change in plan.changes)


class Sleepy:
    """Answers when its time is almost over."""

    def __init__(self, web: DeviceWeb, clock: ManualClock) -> None:
        self.web, self.clock, self.address = web, clock, web.address

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        self.clock.advance(min(timeout_s or 5.0, 4.9))
        return self.web.ask(method, path, content, headers)


def test_a_device_that_is_slow_is_asked_in_its_makers_dialect_all_the_same() -> None:
    with asked("hikvision", most=None) as (camera, web):
        clock = ManualClock()
        sleepy, began_s = Sleepy(web, clock), clock.monotonic_s()
        found = audit_device("plaza", sleepy, clock, identity=camera.identity, always=onvif_of(sleepy, clock, "admin"))  # type: ignore[arg-type]
        assert clock.monotonic_s() - began_s < 60
        asked_in_its_own = [each for each in found.evidence if "/ISAPI/" in each.question and each.http_status is not None]
        assert len(asked_in_its_own) >= 4
