"""A changed configuration is read whole, once, and not while somebody is still writing it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import ConfigError
from lamppost.model.settings import SealingSettings, Settings
from lamppost.pipeline.reloading import LOOK_S, ConfigWatch

SETTINGS = Settings(sealing=SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2))


class Scene:
    def __init__(self, root: Path) -> None:
        self.path = root / "lamppost.toml"
        self.path.write_text("one")
        self.clock = ManualClock()
        self.read: list[str] = []
        self.watch = ConfigWatch(self.path, self._load, self.clock)

    def _load(self) -> Settings:
        self.read.append(self.path.read_text())
        return SETTINGS

    def look(self) -> Settings | None:
        self.clock.advance(LOOK_S)
        return self.watch.poll()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_file_is_read_when_it_has_changed_and_is_still(scene: Scene) -> None:
    assert scene.look() is None
    for text in ("two, half", "two, half and more", "two, whole and done"):
        scene.path.write_text(text)
        assert scene.look() is None
    assert scene.look() is SETTINGS
    assert scene.read == ["two, whole and done"]
    assert scene.look() is None, "once"


def test_who_asks_is_answered_at_once_and_without_a_change(scene: Scene) -> None:
    scene.watch.ask()
    assert scene.watch.poll() is SETTINGS
    assert scene.watch.poll() is None
    scene.path.write_text("changed")
    scene.watch.ask()
    assert scene.watch.poll() is SETTINGS
    assert scene.look() is None, "what was read when it was asked for is not read again"
    assert scene.read == ["one", "changed"]


def test_a_file_that_is_gone_is_told_once(scene: Scene) -> None:
    scene.path.unlink()
    assert scene.look() is None, "an editor may be putting another in its place"
    with pytest.raises(ConfigError, match="is gone"):
        scene.look()
    assert scene.look() is None
    scene.path.write_text("back again")
    assert scene.look() is None
    assert scene.look() is SETTINGS
