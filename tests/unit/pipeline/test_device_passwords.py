"""A password is changed on the device so that, whenever all of it stops, one that works is known and found."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, ConfigError, StoreError
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import Fields
from lamppost.pipeline.device_access import device_password
from lamppost.pipeline.device_passwords import LENGTH, check_password, make_password, rotate, settle
from lamppost.store.device_locks import DeviceWork

OLD, NEW = "old-lantern-1", "new-lantern-2"
GATE = CameraSettings(name="gate", url="rtsp://192.0.2.7/main", username="op", password=OLD, device_url="https://192.0.2.7")


class PowerCut(BaseException):
    """Ends everything where it is raised; what was durable stays."""


@dataclass
class World:
    """A device, a book of passwords and a configuration; `cut` counts steps until the power is cut."""

    device: str = OLD
    video: str | None = None  # where video has a user of its own
    kept: dict[str, str] = field(default_factory=dict[str, str])
    settings: CameraSettings = GATE
    acts: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    log: list[str] = field(default_factory=list[str])
    cut: int = 1_000_000
    answers: Callable[[str], CameraError | None] = lambda _step: None
    ignores: bool = False
    proves: Callable[[str], bool] = lambda _password: True  # whether it asks for a password at all
    offered: list[str] = field(default_factory=list[str])

    def _step(self, name: str) -> None:
        self.log.append(name)
        self.cut -= 1
        if self.cut <= 0:
            raise PowerCut

    @contextmanager
    def alone(self, camera: str, work: DeviceWork) -> Iterator[None]:
        assert camera == "gate"
        yield

    def current(self, camera: CameraSettings) -> str | None:
        return self.kept[camera.credential] if camera.credential else camera.resolved_password()

    def keep(self, camera: str, password: str) -> str:
        self._step("before keep")
        number = f"{len(self.log):016x}"
        self.kept[number] = password
        self._step("after keep")
        return number

    def password(self, credential: str) -> str:
        return self.kept[credential]

    def forget(self, credential: str) -> None:
        self._step("before forget")
        self.kept.pop(credential, None)
        self._step("after forget")

    def pending(self, camera: CameraSettings) -> tuple[str, ...]:
        return tuple(reversed([number for number in self.kept if number != self.settings.credential]))

    @contextmanager
    def talk(self, camera: CameraSettings, password: str | None) -> Iterator[_Talk]:
        self._step("talk")
        yield _Talk(self, device_password(camera, password))

    def check_stream(self, camera: CameraSettings, password: str) -> None:
        self._step("stream")
        if password != (self.video or self.device):
            raise CameraRefused("the video is refused")

    def name(self, camera: CameraSettings, fields: Fields, first: Callable[[], object]) -> None:
        self._step("before name")
        first()
        self.settings = CameraSettings.model_validate(
            {
                **self.settings.model_dump(exclude={"password", "password_file", "rules"}),
                **{k: v for k, v in fields.items() if v is not None},
            }
        )
        self._step("after name")

    def act(self, camera: str, detail: Mapping[str, Any]) -> None:
        self._step("act")
        self.acts.append(detail)


@dataclass
class _Talk:
    world: World
    password: str

    def sign_in(self) -> bool:
        self.world._step("sign in")
        self.world.offered.append(self.password)
        if (error := self.world.answers("sign in")) is not None:
            raise error
        if not self.world.proves(self.password):
            return False
        if self.password != self.world.device:
            raise CameraRefused("wrong password")
        return True

    def set_password(self, username: str, new: str) -> None:
        self.world._step("before set")
        if self.password != self.world.device:
            raise CameraRefused("wrong password")
        if not self.world.ignores:
            self.world.device = new
        self.world._step("after set")
        if (error := self.world.answers("set")) is not None:
            raise error


def test_the_device_takes_it_and_the_configuration_names_it() -> None:
    world = World()
    rotate(GATE, NEW, world)
    assert world.device == NEW
    assert world.current(world.settings) == NEW
    assert list(world.kept.values()) == [NEW]
    assert world.log.index("after keep") < world.log.index("act") < world.log.index("before set") < world.log.index("before name")
    rotate(world.settings, "third-lantern-3", world)
    assert list(world.kept.values()) == ["third-lantern-3"], "the one before is forgotten"
    assert [act.get("in_clear") for act in world.acts] == [False, None] * 2
    assert not any(word in str(act) for act in world.acts for word in (OLD, NEW, "third"))


def test_over_http_it_is_sent_only_where_somebody_says_that_it_may_be_read() -> None:
    gate = GATE.model_copy(update={"device_url": None})
    world = World(settings=gate)
    with pytest.raises(ConfigError, match=r"could read the new password.*--in-clear"):
        rotate(gate, NEW, world)
    assert (world.log, world.device) == ([], OLD), "nothing was asked"
    rotate(gate, NEW, world, in_clear=True)
    assert world.device == NEW
    assert world.acts[0] == {"user": "op", "in_clear": True}


def steps() -> int:
    world = World()
    rotate(GATE, NEW, world)
    return len(world.log)


@pytest.mark.parametrize("again", [1_000_000, 1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("cut", range(1, steps() + 1))
def test_after_a_power_cut_anywhere_one_that_works_is_known_and_found(cut: int, again: int) -> None:
    world = World(cut=cut)
    with pytest.raises(PowerCut):
        rotate(GATE, NEW, world)
    world.cut = 1_000_000
    assert world.device in {OLD, *world.kept.values()}
    assert world.device in {world.current(world.settings), *(world.kept[number] for number in world.pending(world.settings))}
    if world.current(world.settings) != world.device:
        world.cut = again
        with contextlib.suppress(PowerCut):
            settle(world.settings, world)
        world.cut = 1_000_000
        if world.current(world.settings) != world.device:
            assert settle(world.settings, world)
    assert world.current(world.settings) == world.device
    world.cut = 1_000_000
    rotate(world.settings, "third-lantern-3", world)
    assert list(world.kept.values()) == ["third-lantern-3"], "nothing is left behind"


def test_one_that_only_says_that_it_took_it_keeps_the_old_one() -> None:
    world = World(ignores=True)
    with pytest.raises(CameraRefused, match="has not taken"):
        rotate(GATE, NEW, world)
    assert (world.device, world.kept) == (OLD, {})


def test_one_whose_video_has_other_users_is_set_back() -> None:
    world = World(video=OLD)
    with pytest.raises(CameraRefused, match="video"):
        rotate(GATE, NEW, world)
    assert (world.device, world.kept, world.settings) == (OLD, {}, GATE)


def test_one_that_takes_it_and_then_fails_to_say_so_has_taken_it() -> None:
    world = World(answers=lambda step: CameraUnreachable("cut off") if step == "set" else None)
    rotate(GATE, NEW, world)
    assert world.current(world.settings) == world.device == NEW


def test_one_that_is_gone_in_the_middle_leaves_both_known() -> None:
    gone: list[bool] = []

    def answers(step: str) -> CameraError | None:
        if step == "set":
            gone.append(True)
        return CameraUnreachable("gone") if gone else None

    world = World(answers=answers)
    with pytest.raises(CameraUnreachable):
        rotate(GATE, NEW, world)
    assert world.current(world.settings) == OLD
    assert list(world.kept.values()) == [NEW]
    assert not settle(world.settings, world), "as long as it is gone"
    world.answers = lambda _step: None
    assert settle(world.settings, world)
    assert world.current(world.settings) == NEW


def test_one_that_asks_nobody_for_a_password_is_not_touched() -> None:
    world = World(proves=lambda _password: False)
    with pytest.raises(CameraRefused, match="asks for no password"):
        rotate(GATE, NEW, world)
    assert (world.device, world.kept, world.acts, world.settings) == (OLD, {}, [], GATE)


@pytest.mark.parametrize("says", ["yes", "no"])
@pytest.mark.parametrize("is_taken", [True, False])
def test_one_that_proves_nothing_leaves_both_known_and_the_old_one_named(says: str, is_taken: bool) -> None:
    """It answers everybody since it was told: whether it says yes or no, and whatever it did."""
    told: list[bool] = []

    def answers(step: str) -> CameraError | None:
        if step != "set":
            return None
        told.append(True)
        return CameraRefused("against its policy") if says == "no" else None

    world = World(ignores=not is_taken, answers=answers, proves=lambda _password: not told)
    with pytest.raises(CameraRefused, match=r"both passwords are kept, and the old one stays named.*--settle"):
        rotate(GATE, NEW, world)
    assert world.settings == GATE
    assert list(world.kept.values()) == [NEW]
    assert not settle(GATE, world), "as long as nothing is proven"
    told.clear()
    assert settle(GATE, world) is is_taken


def test_one_that_refuses_the_new_one_and_then_the_old_one_leaves_both_known() -> None:
    def answers(step: str) -> CameraError | None:
        return CameraRefused("locked") if step == "sign in" and NEW in world.offered else None

    world = World(ignores=True, answers=answers)
    with pytest.raises(CameraRefused, match="both passwords are kept"):
        rotate(GATE, NEW, world)
    assert list(world.kept.values()) == [NEW]


def test_a_refused_password_is_offered_once() -> None:
    world = World(ignores=True)
    with pytest.raises(CameraRefused):
        rotate(GATE, NEW, world)
    assert world.offered == [OLD, NEW, OLD]


def test_only_the_newest_are_offered_so_that_no_account_is_locked() -> None:
    world = World(device="somebody-elses", kept={f"{number:016x}": f"never-set-{number}" for number in range(5)})
    assert not settle(GATE, world)
    assert world.offered == ["never-set-4", "never-set-3"]
    world.offered.clear()
    assert not settle(GATE, world, most=1)
    assert world.offered == ["never-set-4"]


def test_one_that_refuses_the_old_one_is_not_touched() -> None:
    world = World(device="somebody-elses")
    with pytest.raises(CameraRefused):
        rotate(GATE, NEW, world)
    assert (world.kept, world.acts, world.device) == ({}, [], "somebody-elses")


def test_a_record_that_cannot_be_written_leaves_the_device_alone() -> None:
    world = World()

    def refuse(*_: object) -> None:
        raise StoreError("full")

    world.act = refuse  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        rotate(GATE, NEW, world)
    assert world.device == OLD


def test_a_password_within_the_address_goes_out_of_it() -> None:
    camera = CameraSettings(name="gate", url=f"rtsp://op:{OLD}@192.0.2.7:8554/main", sub_url=f"rtsp://op:{OLD}@192.0.2.7/sub")
    world = World(settings=camera)
    world.current = lambda _camera: OLD  # type: ignore[method-assign]
    rotate(camera, NEW, world, in_clear=True)
    assert (world.settings.url, world.settings.sub_url) == ("rtsp://192.0.2.7:8554/main", "rtsp://192.0.2.7/sub")
    assert world.settings.username == "op"


def test_made_ones_are_strong_and_taken_everywhere() -> None:
    made = {make_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        check_password(password)
        assert len(password) == LENGTH


@given(st.text(max_size=40))
def test_what_some_device_may_not_take_is_refused_and_not_repeated(password: str) -> None:
    is_usable = password.isascii() and password.isprintable() and not set(password) & set("\"'\\&<>%:@/?#= ") and 8 <= len(password) <= 32
    with contextlib.nullcontext() if is_usable else pytest.raises(ConfigError) as refused:
        check_password(password)
    assert refused is None or len(password) < 5 or password not in str(refused.value)


def test_a_password_that_stands_in_the_address_is_set_again_where_the_video_is_refused() -> None:
    gate = CameraSettings(name="gate", url=f"rtsp://op:{OLD}@192.0.2.7/main")
    world = World(settings=gate, video="another-one-3")
    with pytest.raises(CameraRefused):
        rotate(gate, NEW, world, in_clear=True)
    assert world.device == OLD
    assert world.kept == {}
