"""Cameras are shared evenly, and stay where they are."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.carriers import NotifySettings
from lamppost.model.settings import CameraSettings, FleetSettings, SealingSettings, Settings
from lamppost.pipeline.fleet import Role, assign, process_names

NAMES = st.lists(st.text(alphabet="abcdef", min_size=1, max_size=4), unique=True, max_size=40)


def settings(cameras: int, **fleet: int) -> Settings:
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    named = tuple(CameraSettings(name=f"cam-{number}", url="sim://plaza") for number in range(cameras))
    return Settings(sealing=sealing, camera=named, fleet=FleetSettings(**fleet))


@pytest.mark.parametrize(
    ("cameras", "cores", "recorders", "analysts"),
    [(1, 2, 1, 1), (1, 16, 1, 1), (100, 2, 1, 2), (101, 2, 2, 2), (1000, 4, 4, 4), (250, 16, 3, 16)],
)
def test_few_processes_for_many_cameras(cameras: int, cores: int, recorders: int, analysts: int) -> None:
    assert len(process_names(Role.RECORDER, settings(cameras), cores)) == recorders
    assert len(process_names(Role.ANALYST, settings(cameras), cores)) == analysts
    assert process_names(Role.BOOKKEEPER, settings(cameras), cores) == ("bookkeeper",)


def test_a_notifier_is_there_where_somebody_is_to_be_told() -> None:
    assert process_names(Role.NOTIFIER, settings(1), 1) == ()
    told = settings(1).model_copy(update={"notify": (NotifySettings(name="b", type="mqtt", url="mqtt://broker.example"),)})
    assert process_names(Role.NOTIFIER, told, 1) == ("notifier",)


def test_a_caretaker_is_there_where_a_camera_has_a_device() -> None:
    assert process_names(Role.CARETAKER, settings(3), 1) == ()
    for more in ({"url": "rtsps://192.0.2.1/"}, {"url": "sim://plaza", "device_url": "http://192.0.2.1"}):
        camera = CameraSettings(name="gate", **more)
        assert process_names(Role.CARETAKER, settings(1).model_copy(update={"camera": (camera,)}), 1) == ("caretaker",)


def test_the_configuration_may_say_how_many() -> None:
    assert process_names(Role.RECORDER, settings(10, recorders=3), 1) == ("recorder-1", "recorder-2", "recorder-3")
    assert len(process_names(Role.ANALYST, settings(2, analysts=8), 1)) == 2, "none is without a camera"


@given(NAMES, st.integers(min_value=1, max_value=7))
def test_loads_differ_by_one_at_most(cameras: list[str], count: int) -> None:
    processes = [f"recorder-{number}" for number in range(count)]
    fleet = assign(cameras, processes)
    assert list(fleet.homes) == cameras
    loads = Counter({process: 0 for process in processes})
    loads.update(fleet.homes.values())
    assert max(loads.values()) - min(loads.values()) <= 1
    assert sorted(camera for process in processes for camera in fleet.of(process)) == sorted(cameras)


@given(NAMES, NAMES)
def test_nobody_moves_who_has_a_home(before: list[str], after: list[str]) -> None:
    first = assign(before, ["a", "b"])
    second = assign(after, ["a", "b", "c"], first.homes)
    assert all(second.homes[camera] == first.homes[camera] for camera in after if camera in first.homes)


def test_a_process_that_is_gone_gives_its_cameras_to_the_others() -> None:
    fleet = assign(["x", "y"], ["a"], {"x": "b", "y": "a"})
    assert dict(fleet.homes) == {"x": "a", "y": "a"}
