"""The server process: the console and the API, on one address, as long as the node runs.

An address that cannot be had, or a certificate that cannot be read, is told and
tried again: it ends no process, and recording never notices.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Generator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from lamppost.access.desk import Desk
from lamppost.api.access_log import AccessLog
from lamppost.api.app import create_app
from lamppost.api.camera_passwords import sweep_passwords
from lamppost.api.context import Context
from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.model.server_settings import ServerSettings, split_listen
from lamppost.model.sites import sites_of
from lamppost.pipeline.child import STATUS_INTERVAL_S, ChildContext, open_journal, parse_settings, run_child
from lamppost.pipeline.control import Message
from lamppost.pipeline.covering import Covering
from lamppost.pipeline.metrics import NodeCollector
from lamppost.pipeline.node_state import ToldNode

RETRY_S: Final = 2.0
BACKLOG: Final = 512
KEEP_ALIVE_S: Final = 30
LAST_ANSWERS_S: Final = 1  # for who is being answered when the server stops
LONGEST_MESSAGE_BYTES: Final = 64 * 1024  # that a WebSocket may send us; it has little to say
CERTIFICATE_LOOK_S: Final = 60.0


class Orders:
    """Takes what the supervisor tells: the state of the node, changed settings, and that a camera is covered."""

    def __init__(self) -> None:
        self.covering = Covering()
        self.node: ToldNode | None = None
        self._waiting: list[Message] = []
        self._mutex = threading.Lock()

    def begin(self, node: ToldNode) -> None:
        """From now on `node` is told; what came before it was there is told now."""
        with self._mutex:
            self.node = node
            waiting, self._waiting = self._waiting, []
        for message in waiting:
            self.take(message)

    def take(self, message: Message) -> None:
        """From the control thread."""
        for descriptor in message.descriptors:
            os.close(descriptor)
        if message.body.get("order") == "covered":
            self.covering.take_answer(int(message.body["number"]))
            return
        with self._mutex:
            node = self.node
            if node is None:
                self._waiting = [*self._waiting[-1:], message]
                return
        match message.body.get("order"):
            case "node":
                node.state = MappingProxyType(message.body["state"])
            case "settings":
                _use(node, message.body.get("settings"))
            case _:
                pass


def _use(node: ToldNode, settings: Any) -> None:
    try:
        node.settings = parse_settings(settings)
    except ValidationError as error:
        # Not the error's text: it quotes values, and one may be a secret.
        get_logger("server").error("new settings cannot be read and change nothing", mistakes=error.error_count())


class _Server(uvicorn.Server):
    """Stops when it is told to; signals are the process's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Serving:
    """Listens where the settings say, and begins anew when they say something else."""

    def __init__(self, context: ChildContext, served: Context, node: ToldNode, desk: Desk) -> None:
        self._context = context
        self._desk = desk
        self._node = node
        self._app = create_app(served)
        self._app.state.metrics = CollectorRegistry()
        self._app.state.metrics.register(NodeCollector(node))
        self._gate = AccessLog(self._app, context.clock)
        self._log = get_logger("server")
        self._problem = ""
        self._address = ""

    async def run(self) -> None:
        """Serve until told to stop."""
        report = asyncio.create_task(self._report())
        try:
            while not self._context.stop.is_set():
                wanted = self._node.settings.server
                if not wanted.listen:
                    self._address = self._problem = ""
                    await self._wait_for_change(wanted, None)
                    continue
                server, sockets = self._open(wanted)
                if server is None:
                    await self._wait_for_change(wanted, RETRY_S)
                    continue
                serving = asyncio.create_task(server.serve(sockets=sockets))
                await self._wait_for_change(wanted, None, server)
                server.should_exit = True
                await serving
        finally:
            report.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await report

    def _open(self, wanted: ServerSettings) -> tuple[_Server | None, list[socket.socket]]:
        try:
            listener = _listen(wanted.listen)
        except OSError as error:
            self._trouble(f"the console cannot be served at {wanted.listen}: {error.strerror or error}")
            return None, []
        config = uvicorn.Config(
            self._gate,
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=LONGEST_MESSAGE_BYTES,
            lifespan="on",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=LAST_ANSWERS_S,
            ssl_certfile=wanted.certificate_file,
            ssl_keyfile=wanted.key_file,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            listener.close()
            self._trouble(f"the console's certificate or key cannot be used: {error.strerror or error}")
            return None, []
        self._problem = ""
        host, port = listener.getsockname()[:2]
        self._address = wanted.public_url or f"{'https' if config.is_ssl else 'http'}://{_reachable(host)}:{port}"
        self._log.info("serving", address=self._address)
        return _Server(config), [listener]

    def _trouble(self, problem: str) -> None:
        self._address = ""
        if problem != self._problem:
            self._log.error("not served", problem=problem)
        self._problem = problem

    async def _wait_for_change(self, wanted: ServerSettings, for_s: float | None, server: _Server | None = None) -> None:
        """Until told to stop, until the settings of the server are others, or for so long; renewed certificates are taken over."""
        clock = self._context.clock
        began_s = looked_s = clock.monotonic_s()
        signature = _signature(wanted.certificate_file)
        while not self._context.stop.is_set() and self._node.settings.server == wanted:
            await asyncio.sleep(STATUS_INTERVAL_S / 2)
            now_s = clock.monotonic_s()
            if for_s is not None and now_s - began_s > for_s:
                return
            if server is not None and server.config.is_ssl and now_s - looked_s > CERTIFICATE_LOOK_S:
                looked_s = now_s
                signature = self._renew(server, wanted, signature)

    def _renew(self, server: _Server, wanted: ServerSettings, before: tuple[int, int] | None) -> tuple[int, int] | None:
        now = _signature(wanted.certificate_file)
        if now == before or now is None or server.config.ssl is None or wanted.certificate_file is None or wanted.key_file is None:
            return before
        try:
            server.config.ssl.load_cert_chain(wanted.certificate_file, wanted.key_file)
        except (OSError, ssl.SSLError) as error:
            self._log.error("a renewed certificate cannot be used; the one before stays", problem=str(error))
            return before
        self._log.info("a renewed certificate is used")
        return now

    async def _report(self) -> None:
        while True:
            figures: dict[str, Any] = {"requests": dict(self._gate.answered), "answer_times": self._gate.times.figures()}
            figures |= self._app.state.live.figures()
            figures["event_listeners"] = self._app.state.event_feed.listeners
            status = {"address": self._address, "server_problem": self._problem, "figures": figures}
            if self._address and (link := await asyncio.to_thread(self._desk.setup_link)) is not None:
                status["setup"] = f"{self._address}/setup#token={link}"
            self._context.channel.send(status)
            await asyncio.sleep(STATUS_INTERVAL_S)


def _listen(address: str) -> socket.socket:
    host, port = split_listen(address)
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - what was bound is told, and not bound here
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _signature(path: Path | None) -> tuple[int, int] | None:
    try:
        status = None if path is None else path.stat()
    except OSError:
        return None
    return None if status is None else (status.st_mtime_ns, status.st_ino)


def work(context: ChildContext, orders: Orders) -> None:
    """Serve until told to stop."""
    node = ToldNode(context.settings)
    orders.begin(node)
    with open_journal(context, context.name) as journal, contextlib.closing(_desk_of(context, node)) as desk:
        _tidy(context, desk)
        served = Context(context.folder, context.clock, node, journal, desk, context.config, context.clock.wall_us())
        orders.covering.connect(context.channel.send)
        served.keep(Covering, lambda: orders.covering)
        with contextlib.closing(served):
            uvloop.run(Serving(context, served, node, desk).run())


def _tidy(context: ChildContext, desk: Desk) -> None:
    """Undo what a server that was killed left half done; where that fails, this one serves all the same."""
    try:
        desk.book.forget_unanswered()
        removed = sweep_passwords(context.folder, context.config, context.clock.wall_us())
    except StoreError as error:
        get_logger("server").error("what the server before left half done stays", problem=str(error))
        return
    if removed:
        get_logger("server").warning("removed passwords of cameras that no configuration names", files=removed)


def _desk_of(context: ChildContext, node: ToldNode) -> Desk:
    return Desk(context.folder, context.clock, settings=lambda: node.settings.server, sites=lambda: sites_of(node.settings))


if __name__ == "__main__":
    from_supervisor = Orders()
    run_child(lambda context: work(context, from_supervisor), from_supervisor.take)
