"""The models folder holds pinned files and entries that passed the gate; whatever else lies there is told and never loaded."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest

from lamppost.base.errors import ModelError
from lamppost.detect import shelf as module
from lamppost.detect.catalogue import BUILT_IN, CENTERFACE, YUNET_N
from lamppost.detect.shelf import ModelShelf, State, Verdict

EXAMPLE = (Path(__file__).parents[2] / "assets" / "model_entry.toml").read_bytes()
ENTRY = dataclasses.replace(YUNET_N, sha256=hashlib.sha256(b"weights").hexdigest())


@pytest.fixture
def shelf(tmp_path):
    return ModelShelf(tmp_path / "data" / "models")


def test_without_a_folder_the_built_in_entries_are_there(shelf):
    assert shelf.entries() == BUILT_IN
    assert [shelf.state(entry) for entry in BUILT_IN] == [State.BUNDLED, *[State.ABSENT] * 3]
    assert shelf.verify() == (Verdict("centerface"),)
    assert not shelf.folder.exists()


def test_a_pinned_file_is_kept(shelf):
    place = shelf.put(ENTRY, b"weights")
    assert place.read_bytes() == b"weights"
    assert shelf.is_good(ENTRY)
    assert shelf.state(ENTRY) is State.PULLED
    assert [path.name for path in shelf.folder.iterdir()] == [ENTRY.file]


def test_another_file_leaves_no_trace(shelf):
    with pytest.raises(ModelError, match="not the pinned file"):
        shelf.put(ENTRY, b"wights")
    assert not shelf.folder.exists()


def test_it_is_durable_before_it_has_its_name(shelf, monkeypatch):
    written = []
    monkeypatch.setattr(module, "write_durable", lambda path, content: written.append((path, content)))
    place = shelf.put(ENTRY, b"weights")
    assert written == [(place, b"weights")]


def test_an_added_entry_is_found_by_everybody_after(shelf):
    entry = shelf.add(EXAMPLE, "mine.toml")
    again = ModelShelf(shelf.folder)
    assert again.find("yolox-tiny") == entry
    assert again.entries() == (*BUILT_IN, entry)
    with pytest.raises(ModelError, match="there is a model yolox-tiny already"):
        again.add(EXAMPLE, "mine.toml")


def test_a_refused_entry_leaves_no_trace(shelf):
    with pytest.raises(ModelError, match="says what a person is like"):
        shelf.add(EXAMPLE.replace(b'"dog"', b'"man"'), "mine.toml")
    assert not shelf.folder.exists()


def test_an_entry_that_was_changed_behind_our_back_passes_the_gate_again(shelf):
    shelf.add(EXAMPLE, "mine.toml")
    (shelf.folder / "yolox-tiny.toml").write_bytes(EXAMPLE.replace(b'"box_and_score"', b'"landmarks"'))
    assert shelf.entries() == BUILT_IN
    with pytest.raises(ModelError, match="no part of a box or a score"):
        shelf.find("yolox-tiny")
    assert [each.name for each in shelf.verify() if each.problem] == ["yolox-tiny.toml"]


def test_a_built_in_entry_cannot_be_replaced_by_a_file(shelf):
    shelf.folder.mkdir(parents=True)
    (shelf.folder / "centerface.toml").write_bytes(EXAMPLE.replace(b'"yolox-tiny"', b'"centerface"'))
    assert shelf.find("centerface") is CENTERFACE
    assert any("centerface.toml" in each.name and each.problem for each in shelf.verify())


def test_a_file_called_otherwise_than_its_model_is_refused(shelf):
    shelf.folder.mkdir(parents=True)
    (shelf.folder / "other.toml").write_bytes(EXAMPLE)
    with pytest.raises(ModelError, match="describes a model yolox-tiny"):
        shelf.find("other")


def test_verify_finds_what_is_altered_and_what_nobody_asked_for(shelf):
    shelf.folder.mkdir(parents=True)
    (shelf.folder / YUNET_N.file).write_bytes(b"altered")
    (shelf.folder / "stray.onnx").write_bytes(b"?")
    good, altered, stray = shelf.verify()
    assert good == Verdict("centerface")
    assert (altered.name, "not the pinned file" in altered.problem) == ("yunet-n", True)
    assert (stray.name, "no entry names this file" in stray.problem) == ("stray.onnx", True)


def test_an_unknown_name_tells_the_known_ones(shelf):
    with pytest.raises(ModelError, match="no model 'arcface'") as caught:
        shelf.find("arcface")
    assert "centerface, yunet-n, yunet-s, yolox-nano" in caught.value.remedy
