"""Every kind of act is known to be about cameras or not, and has words in the console."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from lamppost.model.acts import CAMERA_ACTS, OTHER_ACTS
from source_trees import PACKAGE, trees

WORDS = PACKAGE.parents[1] / "console" / "src" / "i18n"
WRITERS = ("act", "_act", "_add_act", "note", "record_act", "Act", "run_in_threadpool")
KIND = re.compile(r"[a-z]+(?:_[a-z]+)*")


def kinds_in(tree: ast.Module) -> Iterator[str]:
    """The first word in each call of what writes acts that may be a kind: names of kinds are literals."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
        if name in WRITERS:
            named = [each.value for each in call.keywords if each.arg == "kind"]
            words = [each.value for each in [*named, *call.args[:2]] if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            yield from [word for word in words if KIND.fullmatch(word)][:1]


def test_every_kind_is_about_cameras_or_not() -> None:
    assert not CAMERA_ACTS & OTHER_ACTS
    found = {kind for tree in trees().values() for kind in kinds_in(tree)}
    assert len(found) > 35
    assert found - CAMERA_ACTS - OTHER_ACTS == set()


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_kind_has_words(language: str) -> None:
    words = set(re.findall(r"kind_(\w+):", (WORDS / language / "acts.ts").read_text(encoding="utf-8"))) - {"any"}
    assert words == CAMERA_ACTS | OTHER_ACTS
