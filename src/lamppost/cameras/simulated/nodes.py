"""Reads the XML that clients send to a simulated camera, with its namespaces; it may be hostile, and has no DTD."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

_MOST_DEPTH: Final = 64
_MOST_NODES: Final = 5000


@dataclass(slots=True)
class Node:
    """An element: `prefixes` are those that hold where it stands, names of attributes are without theirs."""

    namespace: str
    name: str
    attributes: Mapping[str, str]
    prefixes: Mapping[str, str]
    text: str = ""
    children: list[Node] = field(default_factory=list["Node"])

    def all(self) -> Iterator[Node]:
        """Everything in it, in order, without itself."""
        for child in self.children:
            yield child
            yield from child.all()

    def each(self, name: str) -> Iterator[Node]:
        """Every element called `name` in it, whatever its namespace."""
        return (node for node in self.all() if node.name == name)

    def first(self, name: str) -> Node | None:
        return next(self.each(name), None)

    def value(self, name: str, default: str = "") -> str:
        """The text of the first element called `name` in it."""
        found = self.first(name)
        return default if found is None else found.text.strip()

    def own(self, name: str) -> list[Node]:
        """The children called `name`."""
        return [child for child in self.children if child.name == name]


class _Reader:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0
        self._declared: dict[str, str] = {}

    def declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= _MOST_DEPTH or self._count > _MOST_NODES:
            raise ValueError("this is too much XML")
        outer: Mapping[str, str] = self._open[-1].prefixes if self._open else {}
        space, _, local = name.rpartition(" ")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        node = Node(space, local, plain, {**outer, **self._declared} if self._declared else outer)
        self._declared = {}
        if self._open:
            self._open[-1].children.append(node)
        elif self.root is None:
            self.root = node
        self._open.append(node)

    def end(self, _name: str) -> None:
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].text += text


def read(content: bytes) -> Node:
    """The root element of `content`; raises `ValueError` for what is no XML, or XML with a DTD."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartNamespaceDeclHandler = reader.declare
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError("this is no XML") from error
    if reader.root is None:
        raise ValueError("this is no XML")
    return reader.root


def _refuse(*_: object) -> None:
    raise ValueError("a DTD is not read")
