"""Serves a data folder on loopback as `lamppost serve` does, without the processes around it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import uvicorn
import uvloop

from lamppost.access.desk import AccessDesk
from lamppost.api.app import create_app
from lamppost.api.context import Context
from lamppost.base.clock import SystemClock
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.store.journal import JournalWriter

CUSTODIANS: Final = tuple("age1" + letter * 58 for letter in "qpz")


@dataclass(frozen=True, slots=True)
class Node:
    """What the supervisor would have told."""

    settings: Settings
    state: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def settings_of(folder: DataFolder, cameras: Mapping[str, str]) -> Settings:
    """Settings of a node with these cameras, each with its site."""
    simulated = [{"name": name, "site": site, "url": f"sim://plaza?seed={number}"} for number, (name, site) in enumerate(cameras.items())]
    wanted = {"sealing": {"custodians": list(CUSTODIANS), "threshold": 2}, "camera": simulated}
    return Settings.model_validate({"data": str(folder.root), **wanted})


@contextlib.contextmanager
def served(folder: DataFolder, settings: Settings, desk: AccessDesk) -> Generator[str]:
    """The address of a server in a thread of this process, with the loop and the parser of the real one."""
    with JournalWriter(folder.journal / "server", clock=SystemClock()) as journal:
        context = Context(folder, SystemClock(), Node(settings), journal, desk, None, 0)
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(context), http="httptools", log_config=None, access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            listener.close()
            context.close()
