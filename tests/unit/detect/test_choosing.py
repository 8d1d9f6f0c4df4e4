"""What is on the shelf decides what can be found, and what is missing is said."""

from __future__ import annotations

import dataclasses

from lamppost.detect.catalogue import CENTERFACE, YOLOX_NANO, YUNET_N
from lamppost.detect.choosing import choose_detectors
from lamppost.detect.shelf import ModelShelf
from lamppost.model.vision import Kind

PLATES = dataclasses.replace(YOLOX_NANO, name="plates", labels=("license plate",), kinds=(Kind.PLATE,))
HEADS = dataclasses.replace(YOLOX_NANO, name="heads", labels=("head", "person"), kinds=(Kind.HEAD, Kind.PERSON))


def test_an_empty_shelf_has_what_comes_with_lamppost(tmp_path):
    assert ModelShelf(tmp_path / "absent").present() == (CENTERFACE,)


def test_what_was_pulled_is_there(tmp_path):
    (tmp_path / YOLOX_NANO.file).write_bytes(b"its hash is looked at when it is loaded")
    assert ModelShelf(tmp_path).present() == (CENTERFACE, YOLOX_NANO)


def test_as_few_as_find_everything_are_chosen():
    choice = choose_detectors((CENTERFACE, YOLOX_NANO, PLATES, HEADS), {Kind.FACE, Kind.PERSON, Kind.VEHICLE, Kind.PLATE})
    assert [entry.name for entry in choice.entries] == ["yolox-nano", "centerface", "plates"]
    assert choice.covered == {Kind.FACE, Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE, Kind.PLATE}
    assert choice.missing == frozenset()


def test_of_equals_the_first_is_chosen():
    assert choose_detectors((CENTERFACE, YUNET_N), {Kind.FACE}).entries == (CENTERFACE,)


def test_what_nobody_finds_is_said_and_a_person_is_no_head():
    choice = choose_detectors((CENTERFACE, YOLOX_NANO), {Kind.HEAD, Kind.PLATE, Kind.FACE})
    assert choice.entries == (CENTERFACE,)
    assert choice.missing == {Kind.HEAD, Kind.PLATE}
    assert choose_detectors((), {Kind.FACE}).missing == {Kind.FACE}
    assert choose_detectors((CENTERFACE,), ()).entries == ()
