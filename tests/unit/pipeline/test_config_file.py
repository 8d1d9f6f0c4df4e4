"""Tables and words are changed in the file, comments stay, and of two at once one is told."""

from __future__ import annotations

import json
import threading
import tomllib
from pathlib import Path

import pytest

from lamppost.base.errors import ConfigChanged, ConfigError
from lamppost.pipeline.config_file import ConfigFile

CUSTODIANS = json.dumps(["age1" + letter * 58 for letter in "qpz"])
TEXT = f"""# ours
data = "data"
# site = "nothing"

[sealing]
custodians = {CUSTODIANS}
threshold = 2

[masking]
# how late
look_back_s = 0.4  # measured in June

[[camera]]
name = "gate"
url = "sim://plaza"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "lamppost.toml"
    path.write_text(TEXT)
    return path


def test_a_table_and_a_word_are_changed_and_every_other_line_stays(path: Path) -> None:
    file = ConfigFile(path)
    file.set_table("masking", {"preset": "all"})
    file.set_table("retention", {"sealed_days": 7.0})
    file.set_top({"site": "Old Town"})
    file.replace()
    text = path.read_text()
    assert all(line in text.splitlines() for line in TEXT.splitlines())
    found = tomllib.loads(text)
    assert (found["site"], found["masking"], found["retention"]) == (
        "Old Town",
        {"look_back_s": 0.4, "preset": "all"},
        {"sealed_days": 7.0},
    )


def test_what_is_taken_out_has_its_default_again(path: Path) -> None:
    file = ConfigFile(path)
    file.set_table("masking", {"look_back_s": None})
    file.replace()
    assert ConfigFile(path).before.masking.look_back_s == 0.5
    assert "# how late" in path.read_text()


def test_what_serve_would_refuse_is_not_written(path: Path) -> None:
    file = ConfigFile(path)
    file.set_table("masking", {"look_back_s": 99})
    with pytest.raises(ConfigError, match="look_back_s"):
        file.replace()
    assert path.read_text() == TEXT


def test_a_revision_tells_of_its_camera_alone(path: Path) -> None:
    before = ConfigFile(path)
    file = ConfigFile(path)
    file.add("park", {"url": "sim://plaza?seed=2"})
    file.replace()
    after = ConfigFile(path)
    assert after.revision("gate") == before.revision("gate")
    assert after.revision() != before.revision()
    assert before.revision("park") == ""
    after.set("gate", {"preset": "all"})
    after.replace()
    assert ConfigFile(path).revision("gate") != before.revision("gate")


def test_of_many_at_once_each_that_was_not_told_has_its_change_in_the_file(path: Path) -> None:
    start, kept, told = threading.Barrier(8), list[str](), list[str]()

    def add(name: str) -> None:
        file = ConfigFile(path)
        file.add(name, {"url": "sim://plaza"})
        start.wait()
        try:
            file.replace()
            kept.append(name)
        except ConfigChanged:
            told.append(name)

    threads = [threading.Thread(target=add, args=(f"camera-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 1
    assert len(told) == 7
    assert [camera.name for camera in ConfigFile(path).before.camera] == ["gate", *kept]
