"""All routes that there are, from the OpenAPI document: what is made of it misses none, whatever is added later."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIWebSocketRoute

from asked_routes import ROWS, Asked, Row
from furnished_node import CAMERAS
from lamppost.api.app import RESOURCES
from lamppost.api.permit import API, ON_KEY, PERMISSION_KEY, permit_of
from lamppost.model.access import Permission


@dataclass(frozen=True)
class Operation:
    """A method of a path, or a WebSocket, below `/api/v1`."""

    method: str
    path: str
    permission: Permission | None
    on: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def row(self) -> Row:
        return ROWS[self.key]

    @property
    def is_change(self) -> bool:
        return self.method not in ("GET", "SOCKET")

    def is_asked_by(self, asked: Asked) -> bool:
        """Whether that is a request of this route, and of no other."""
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(self.path))
        return re.fullmatch(pattern, asked.path.partition("?")[0]) is not None


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            permission = Permission(operation[PERMISSION_KEY]) if PERMISSION_KEY in operation else None
            yield Operation(method.upper(), path.removeprefix(API), permission, operation[ON_KEY])
    for _, router in RESOURCES:
        for route in router.routes:
            if isinstance(route, APIWebSocketRoute):
                yield Operation("SOCKET", route.path, *permit_of(route))


def cameras_of(row: Row) -> tuple[str, ...]:
    return {"camera": tuple(CAMERAS), "list": ("", *CAMERAS), "node": ("",), "self": ("",)}[row.about]
