"""An HTTP server that notes every request, and answers as it is told: with any status, late, or not at all."""

from __future__ import annotations

import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    """`is_taken` is false where it was answered with an error."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    is_taken: bool = True


@dataclass(frozen=True)
class Answer:
    """`reset` breaks the connection off without a word; `wait_s` is a pause before the answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    wait_s: float = 0.0
    reset: bool = False
    body: bytes = b"ok"


class FaultyServer:
    """Answers by `decide`; a request that is answered with 2xx was noted before the answer began."""

    def __init__(self, decide: Callable[[Request], Answer] = lambda _: Answer(), *, context: ssl.SSLContext | None = None) -> None:
        self.decide = decide
        self.requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        outer = self
        self._leaving = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                outer.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                pass  # who was reset complains

        self._server = Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def drain(self) -> list[Request]:
        found = []
        while not self.requests.empty():
            found.append(self.requests.get())
        return found

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        if len(body) < length:  # who sends it is gone
            handler.close_connection = True
            return
        request = Request(handler.path, dict(handler.headers), body)
        answer = self.decide(request)
        self.requests.put(replace(request, is_taken=answer.reset or 200 <= answer.status < 300))
        end = time.monotonic() + answer.wait_s
        while time.monotonic() < end and not self._leaving.is_set():
            self._leaving.wait(0.02)
        if answer.reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)
