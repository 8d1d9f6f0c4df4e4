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


class SceneOfMany(Scene):
    """A configuration whose lines name the files beside it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root = root
        self.problem = ""
        self.path.write_text("a.rules\n")
        (root / "a.rules").write_text("lines")
        self.watch = ConfigWatch(self.path, self._load_all, self.clock, beside=self._beside)

    def _beside(self) -> tuple[Path, ...]:
        return tuple(self.root / name for name in self.path.read_text().split()) if self.path.exists() else ()

    def _load_all(self) -> Settings:
        self.read.append(" ".join(path.read_text() for path in (self.path, *self._beside())))
        if self.problem:
            raise ConfigError(self.problem)
        return SETTINGS

    def looks(self, count: int) -> list[str]:
        """What came of so many looks."""
        found: list[str] = []
        for _ in range(count):
            try:
                found.append("read" if self.look() is SETTINGS else "")
            except ConfigError as error:
                found.append(str(error))
        return found


@pytest.fixture
def many(tmp_path: Path) -> SceneOfMany:
    return SceneOfMany(tmp_path)


def test_a_file_that_the_configuration_names_is_watched_as_well(many: SceneOfMany) -> None:
    assert many.looks(2) == ["", ""]
    (many.root / "a.rules").write_text("lines, half")
    assert many.looks(1) == [""]
    (many.root / "a.rules").write_text("lines and zones")
    assert many.looks(3) == ["", "read", ""]
    assert many.read == ["a.rules\n lines and zones"], "all of it, and once"


def test_a_bad_file_is_told_once_and_read_again_when_it_is_mended(many: SceneOfMany) -> None:
    many.problem = "line 3 is wrong"
    (many.root / "a.rules").write_text("lines, wrong")
    assert many.looks(4) == ["", "line 3 is wrong", "", ""]
    many.problem = ""
    (many.root / "a.rules").write_text("lines, right again")
    assert many.looks(2) == ["", "read"]


def test_a_file_that_is_named_only_now_is_watched_from_now_on_though_it_is_wrong(many: SceneOfMany) -> None:
    many.problem = "b.rules is not there"
    many.path.write_text("a.rules b.rules\n")
    (many.root / "b.rules").write_text("wrong")
    assert many.looks(3) == ["", "b.rules is not there", ""]
    many.problem = ""
    (many.root / "b.rules").write_text("right now")
    assert many.looks(2) == ["", "read"]
    many.path.write_text("b.rules\n")
    assert many.looks(2) == ["", "read"]
    (many.root / "a.rules").write_text("nobody cares any more")
    assert many.looks(3) == ["", "", ""]


def test_a_file_beside_that_goes_and_comes_is_a_change(many: SceneOfMany) -> None:
    (many.root / "a.rules").rename(many.root / "away")
    many.watch = ConfigWatch(many.path, lambda: SETTINGS, many.clock, beside=lambda: [many.root / "a.rules"])
    (many.root / "away").rename(many.root / "a.rules")
    assert many.looks(3) == ["", "read", ""]
    (many.root / "a.rules").unlink()
    assert many.looks(3) == ["", "read", ""]
