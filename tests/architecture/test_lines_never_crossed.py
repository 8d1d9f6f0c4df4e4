"""Nothing here could identify anybody: no word for it, no field for it, no output that would serve it."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from lamppost.detect.catalogue import CENTERFACE
from lamppost.detect.entry import OutputRole
from lamppost.model.books import JournalRecord
from lamppost.model.vision import Box, Detection, Kind, Mask, MaskedFrame, Observation, Track
from source_trees import is_docstring, trees

IDENTIFICATION = re.compile(
    r"embedding|embedder|enrol|watch_?list|recogni[sz]|re_?identif|(?:^|_)re_?id(?:_|$)|gallery|landmark|face_?print|faceprint"
    r"|biometric|cosine|similarity|(?:^|_)(?:gender|sex|ethnic\w*|race|emotion\w*|mood|ocr|anpr|lpr)(?:_|$)"
    r"|age_(?:group|estimat|years)|(?:estimate|guess|person|face)_age|plate_(?:text|number|read)|read_plate|gait|(?:person|body|face|by)_appearance"
)
EMPTY_WORDS = re.compile(r"(?:^|_)(?:utils?|utility|helpers?|managers?|processors?|misc|info)(?:_|$)")
OF_LIBRARIES = {"get_extra_info"}  # what a library calls what we have to answer to
# Said in the code's own words only to be refused, or because a library calls something else so: a path, and what the sentence must hold.
REFUSALS: dict[str, str] = {
    "detect/admission.py": "landmark|keypoint|key_point",  # names of outputs that no entry may ask for
    "bench/tracking.py": "similarity_scores",  # what trackeval calls the overlaps of boxes
}
# Here one word is said of what cameras of others are able to do, so that a city learns of it and switches it off. The floors see to it
# that `cameras/` sees no picture. Every other word stays forbidden here, too.
AUDITING: tuple[str, ...] = (
    "cameras/",
    "model/devices.py",
    "store/device_",
    "pipeline/caretaker",
    "pipeline/device_",
    "api/audit",
    "api/device_",
    "cli/audit",
    "cli/device_",
    "cli/simulate.py",
)
AUDITED = re.compile(r"(?i)recogni[sz](?:ed|es|e|ing|er|tion)?(?![a-z])")


def said_of_others(path: str, text: str) -> str:
    """`text` without the one word, where the audit says it."""
    return AUDITED.sub("", text) if path.startswith(AUDITING) else text


def snake(name: str) -> str:
    """`FaceGallery` and `faceGallery` as `face_gallery`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that the code itself gives or uses."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            yield line, node.id
        elif isinstance(node, ast.Attribute):
            yield line, node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield line, node.name
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield line, node.arg
        elif isinstance(node, ast.alias):
            yield line, node.asname or node.name


def definitions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_docstring(node, tree):
            yield node.lineno, node.value


def test_no_identifier_speaks_of_identification() -> None:
    names = ((path, line, name) for path, tree in trees().items() for line, name in identifiers(tree))
    found = [f"{path}:{line} {name}" for path, line, name in names if IDENTIFICATION.search(said_of_others(path, snake(name)))]
    assert found == []


def test_no_string_of_the_code_speaks_of_identification() -> None:
    found = [
        f"{path}:{line} {text}"
        for path, tree in trees().items()
        for line, text in strings(tree)
        if IDENTIFICATION.search(said_of_others(path, text.lower())) and not (path in REFUSALS and REFUSALS[path] in text)
    ]
    assert found == []


def test_no_file_is_named_after_identification_or_after_nothing() -> None:
    for path in trees():
        for part in path.removesuffix(".py").split("/"):
            assert not IDENTIFICATION.search(part), path
            assert not EMPTY_WORDS.search(part), path


def test_nothing_is_named_util_helper_manager_or_processor() -> None:
    found = [
        f"{path} {name}"
        for path, tree in trees().items()
        for name in definitions(tree)
        if EMPTY_WORDS.search(snake(name)) and name not in OF_LIBRARIES
    ]
    assert found == []


@pytest.mark.parametrize(
    "name",
    [
        "face_embedding",
        "enrolled",
        "WatchList",
        "recogniseFace",
        "recognize",
        "ReId",
        "reid_track",
        "FaceGallery",
        "landmarks",
        "estimate_age",
        "gender",
    ],
)
def test_a_forbidden_word_is_found(name: str) -> None:
    assert IDENTIFICATION.search(snake(name))


@pytest.mark.parametrize(
    "name",
    [
        *("age_recipient", "AgeSealer", "stage", "trace", "present", "read_id", "message", "image", "identity"),
        *("package_name", "_skip_appearance", "is_suspect"),
    ],
)
def test_an_innocent_word_is_not(name: str) -> None:
    assert not IDENTIFICATION.search(snake(name))


@pytest.mark.parametrize(
    ("path", "text", "is_found"),
    [
        ("cameras/audit.py", "can_recognise", False),
        ("cameras/onvif/analytics.py", "tt:FaceRecognition", False),
        ("cameras/audit.py", "face_embedding", True),
        ("cameras/audit.py", "faces_recognisable", True),
        ("detect/audit.py", "can_recognise", True),
        ("mask/cameras/audit.py", "can_recognise", True),
    ],
)
def test_what_cameras_of_others_are_able_to_do_is_said_where_it_is_asked_and_nowhere_else(path: str, text: str, is_found: bool) -> None:
    assert bool(IDENTIFICATION.search(said_of_others(path, snake(text)))) is is_found


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Box, ("x0", "y0", "x1", "y1")),
        (Detection, ("kind", "box", "score")),
        (Observation, ("detections", "doubts", "is_settled", "is_scene_change", "things", "uncovered")),
        (Track, ("track_id", "kind", "box", "is_seen")),
        (Mask, ("x0", "y0", "x1", "y1", "fill")),
        (MaskedFrame, ("i420", "pts_90k", "wall_us", "masks", "covered", "is_full_range")),
    ],
)
def test_what_is_seen_has_room_for_a_kind_and_a_place_and_nothing_else(kind: type, fields: tuple[str, ...]) -> None:
    assert tuple(field.name for field in dataclasses.fields(kind)) == fields
    assert not hasattr(kind(*([0] * len(fields))), "__dict__"), "slots: nothing can be hung on it"


def test_kinds_are_things_and_no_attributes() -> None:
    assert {kind.value for kind in Kind} == {"face", "head", "plate", "person", "bicycle", "vehicle", "object"}


def test_a_network_is_read_for_place_and_score_alone() -> None:
    assert {role.value for role in OutputRole} == {"score", "objectness", "size", "offset", "box", "box_and_score"}
    assert "540" not in CENTERFACE.output_names  # five points of a face
    assert len(CENTERFACE.output_names) == 3


@pytest.mark.parametrize("record", get_args(JournalRecord), ids=lambda record: record.TYPE)
def test_no_record_has_room_for_a_track_or_a_place_of_a_person(record: type) -> None:
    for field in dataclasses.fields(record):
        assert not re.search(r"track|box|face|person|plate|score|(?:^|_)[xy]\d?(?:_|$)", field.name)
