"""A node for tests of the API: a real data folder and journal, settings as one likes, and somebody for every bearer token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from lamppost.access.desk import SignedIn
from lamppost.api.app import create_app
from lamppost.api.context import Context
from lamppost.base.clock import ManualClock
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.store.index_file import make_index
from lamppost.store.journal import JournalWriter

CUSTODIANS = ["age1" + letter * 58 for letter in "qpz"]


@dataclass(slots=True)
class TokenDesk:
    """Takes `ROLE@SCOPE[+ROLE@SCOPE…]` for a token: `operator@camera:plaza+viewer@*`."""

    def of_session(self, cookie: str, *, is_use: bool = True) -> SignedIn | None:
        return self.of_token(cookie)

    def of_token(self, token: str) -> SignedIn | None:
        try:
            grants = tuple(Grant(Role(role), Scope.parse(scope)) for role, _, scope in (part.partition("@") for part in token.split("+")))
        except ValueError:
            return None
        return SignedIn(f"id-{token}", token, token, grants, None, "", 4_102_444_800_000_000)


@dataclass(slots=True)
class GivenNode:
    """What the supervisor would have told."""

    settings: Settings
    state: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def make_settings(data: Path, **tables: Any) -> Settings:
    """Settings with two cameras, `plaza` of the site `Old Town` and `bridge` of `Harbour`."""
    cameras = [{"name": "plaza", "url": "sim://plaza?seed=1"}, {"name": "bridge", "url": "sim://plaza?seed=2", "site": "Harbour"}]
    wanted = {"data": str(data), "site": "Old Town", "sealing": {"custodians": CUSTODIANS, "threshold": 2}, "camera": cameras}
    return Settings.model_validate(wanted | tables)


@dataclass(slots=True)
class ServedNode:
    """The application on a data folder of its own."""

    context: Context
    app: FastAPI

    @classmethod
    def make(cls, folder: Path, **tables: Any) -> ServedNode:
        data = DataFolder(folder)
        make_index(data.index).dispose()
        clock = ManualClock()
        journal = JournalWriter(data.journal / "server", clock=clock)
        node = GivenNode(make_settings(folder, **tables))
        context = Context(data, clock, node, journal, TokenDesk(), config=None, started_us=clock.wall_us())
        return cls(context, create_app(context))

    def client(self, grants: str = "administrator@*") -> TestClient:
        return TestClient(self.app, headers={"Authorization": f"Bearer {grants}"} if grants else {}, raise_server_exceptions=True)

    def close(self) -> None:
        self.context.journal.close()
        self.context.close()
