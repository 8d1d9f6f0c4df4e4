"""Audit and disarm over HTTP, with digest authentication, against the simulated camera of each vendor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lamppost.base.clock import SystemClock
from lamppost.cameras.audit import audit_device
from lamppost.cameras.disarm import Order, disarm_device, plan_disarm
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.web import DeviceAddress, DeviceWeb
from lamppost.model.devices import Ability, Audit, Level
from lamppost.model.disarming import Disarm, DisarmState
from lamppost.model.networks import CameraNetworks

VENDORS = ("hikvision", "dahua", "axis")
CLOCK = SystemClock()


@contextmanager
def asked(vendor: str, *, password: str = "plum-42-tin", **how: object) -> Iterator[tuple[SimulatedCamera, DeviceWeb]]:
    with SimulatedCamera(vendor, password="plum-42-tin", **how) as camera:  # type: ignore[arg-type]
        networks = CameraNetworks(["127.0.0.0/8"])
        with DeviceWeb(DeviceAddress.of(camera.url), networks, CLOCK, username="admin", password=password) as web:
            yield camera, web


def audit(camera: SimulatedCamera, web: DeviceWeb) -> Audit:
    return audit_device("plaza", web, CLOCK, identity=camera.identity)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_armed_camera_is_told_for_what_it_is_and_disarmed(vendor: str) -> None:
    with asked(vendor) as (camera, web):
        before = audit(camera, web)
        assert (before.detect, before.capture, before.recognise) == (Level.YES,) * 3
        assert before.armament.is_armed is Level.YES
        rows: list[Disarm] = []
        plan = plan_disarm(web, CLOCK, camera.identity)
        order = Order("plaza", "ada", "the council has decided so")
        done = disarm_device(order, plan, web, CLOCK, rows.append, lambda: audit(camera, web))
        assert done.state is DisarmState.DONE, done
        assert audit(camera, web).armament.is_armed is Level.NO
        assert audit(camera, web).armament.libraries == before.armament.libraries


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_wrong_password_is_unknown(vendor: str) -> None:
    with asked(vendor, password="wrong", most=None, is_armed=False) as (camera, web):
        found = audit(camera, web)
        assert {found.level(ability) for ability in Ability} == {Level.UNKNOWN}


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_camera_that_is_able_to_do_nothing_is_never_called_able(vendor: str) -> None:
    with asked(vendor, most=None, is_armed=False) as (camera, web):
        found = audit(camera, web)
        assert Level.YES not in {found.level(ability) for ability in Ability}
        assert found.armament.is_armed is not Level.YES
