"""Cameras are turned by people: whatever is detected, followed, counted or told of has no way to a head."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from source_trees import trees

TURNS = {
    "lamppost.cameras.onvif.ptz",
    "lamppost.pipeline.covering",
    "lamppost.pipeline.head_line",
    "lamppost.pipeline.heads",
    "lamppost.pipeline.helm",
    "lamppost.pipeline.steering",
    "lamppost.pipeline.tours",
}
# Who may: the routes of operators, the server that they are served by, the part that holds the cover, and the command line.
OPERATORS = {
    *("api/app.py", "api/ptz.py", "api/server.py"),
    *(f"{module.removeprefix('lamppost.').replace('.', '/')}.py" for module in TURNS),
}
SEES = (
    "detect/",
    "track/",
    "events/",
    "mask/",
    "notify/",
    "decode/",
    "ingest/",
    "record/",
    "pipeline/rule",
    "pipeline/counting",
    "pipeline/analy",
)


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that is named in an import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def reaches(start: str, graph: dict[str, set[str]]) -> set[str]:
    """All modules of ours that `start` imports, and those that these import, and so on."""
    found, waiting = set[str](), [start]
    while waiting:
        for module in graph.get(waiting.pop(), set()) - found:
            found.add(module)
            waiting.append(module)
    return found


def module_of(path: str) -> str:
    return "lamppost." + path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_only_operators_have_a_way_to_a_head() -> None:
    importers = {path for path, tree in trees().items() if TURNS & set(imported(tree))}
    assert importers, "nobody turns anything: the names above are old"
    assert importers <= OPERATORS


def test_what_sees_reaches_no_head_by_any_way() -> None:
    known = {module_of(path) for path in trees()}
    assert known >= TURNS
    graph = {module_of(path): set(imported(tree)) & known for path, tree in trees().items()}
    seeing = [module_of(path) for path in trees() if path.startswith(SEES)]
    assert len(seeing) > 50
    assert {module for module in seeing if TURNS & reaches(module, graph)} == set()


def test_an_import_inside_a_function_is_seen() -> None:
    tree = ast.parse("def follow():\n    from lamppost.pipeline import steering\n")
    assert "lamppost.pipeline.steering" in set(imported(tree))
