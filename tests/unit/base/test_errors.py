"""The tree in the docstring is the tree of classes, and an error is one line for a person."""

import inspect
import re

import pytest

from lamppost.base import errors
from lamppost.base.errors import ConfigError, LamppostError, StoreError


def _printed() -> dict[str, str]:
    """Class and parent as the docstring draws them."""
    assert errors.__doc__ is not None
    drawing = errors.__doc__.split("```")[1].strip().splitlines()
    parents: list[str] = []
    tree: dict[str, str] = {}
    for line in drawing:
        match = re.match(r"^([│├└─ ]*)(\w+)", line)
        assert match is not None, line
        depth = len(match[1]) // 4
        parents = [*parents[:depth], match[2]]
        tree[match[2]] = parents[-2] if depth else "Exception"
    return tree


def test_the_printed_tree_is_the_tree_of_classes() -> None:
    classes = {name: kind for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)}
    assert _printed() == {name: kind.__bases__[0].__name__ for name, kind in classes.items()}


@pytest.mark.parametrize("kind", [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, LamppostError)])
def test_an_error_is_one_line_with_problem_and_remedy(kind: type[LamppostError]) -> None:
    error = kind("the disk is full", remedy="free some space")
    assert (error.problem, error.remedy, str(error)) == ("the disk is full", "free some space", "the disk is full — free some space")
    assert str(kind("the disk is full")) == "the disk is full"
    assert kind.__doc__


def test_exit_codes() -> None:
    assert (StoreError("x").exit_code, ConfigError("x").exit_code) == (1, 2)
