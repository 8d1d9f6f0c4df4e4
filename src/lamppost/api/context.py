"""What every route is given: the node as it is now, its books, and who is there to ask who somebody is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, cast

from fastapi.requests import HTTPConnection

from lamppost.access.desk import AccessDesk
from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.model.sites import site_id
from lamppost.store.act_pages import ActPages
from lamppost.store.counting import CountReader
from lamppost.store.device_book import DeviceBook
from lamppost.store.event_pages import EventPages
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter

Kept = TypeVar("Kept")

BY_SERVER: Final = "the server"
"""Who has a device in hand, as the others are told."""


class NodeView(Protocol):
    """The node as the supervisor told of it last."""

    @property
    def settings(self) -> Settings:
        """What is in force; passwords of cameras are left out."""
        ...

    @property
    def state(self) -> Mapping[str, Any]:
        """`node_state` of the supervisor: cameras, processes, alarms; empty before it has told anything."""
        ...


@dataclass(slots=True)
class Context:
    """One for each application; `config` is None where the configuration is nobody's file."""

    folder: DataFolder
    clock: Clock
    node: NodeView
    journal: JournalWriter
    desk: AccessDesk
    config: Path | None
    started_us: int
    _kept: dict[type, object] = field(default_factory=dict[type, object], init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def settings(self) -> Settings:
        return self.node.settings

    @property
    def index(self) -> Index:
        """The index, opened when it is first asked for; raises `StoreError` while there is none."""
        return self.keep(Index, lambda: Index(self.folder))

    @property
    def events(self) -> EventPages:
        """Events, in pages; as `index`."""
        return self.keep(EventPages, lambda: EventPages(self.folder))

    @property
    def acts(self) -> ActPages:
        """Acts, in pages; as `index`."""
        return self.keep(ActPages, lambda: ActPages(self.folder))

    @property
    def counts(self) -> CountReader:
        """Counts; as `index`."""
        return self.keep(CountReader, lambda: CountReader(self.folder))

    @property
    def devices(self) -> DeviceBook:
        """What is known of the devices behind the cameras; made when it is first asked for."""
        return self.keep(DeviceBook, lambda: DeviceBook(self.folder))

    def keep(self, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        """The one `kind` of this application, for what a resource must know from one request to the next."""
        with self._lock:
            if kind not in self._kept:
                self._kept[kind] = make()
            return cast(Kept, self._kept[kind])

    def close(self) -> None:
        for kept in self._kept.values():
            if (close := getattr(kept, "close", None)) is not None:
                close()

    def camera(self, name: str) -> CameraSettings | None:
        """The settings of a configured camera."""
        return next((camera for camera in self.settings.camera if camera.name == name), None)

    def site_of(self, camera: str) -> str:
        """The id of the site of a camera; one that is not configured any more belongs to none."""
        settings = self.camera(camera)
        return "" if settings is None else site_id(settings.site or self.settings.site)

    def act(self, kind: str, actor: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Put an act on the record, durable on return; raises `StoreError`. Before what it tells of is answered."""
        now_us = self.clock.wall_us()
        self.journal.append(Act(timed_id(now_us), kind, now_us, actor, subject, json.dumps(dict(detail))))


def context_of(connection: HTTPConnection) -> Context:
    """The context, as a dependency of a route."""
    context = connection.app.state.context
    assert isinstance(context, Context)  # noqa: S101 - put there when the application was made
    return context
