"""The simulated camera's HTTP server: a few connections, each with a thread of its own, all gone on close."""

from __future__ import annotations

import contextlib
import http
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Final, cast

_MOST_BODY_BYTES: Final = 1 << 18
_MOST_CONNECTIONS: Final = 64
_IDLE_S: Final = 30.0
_POLL_S: Final = 0.05
_JOIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks; names of headers are lower case, `target` is path and query as they came."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes = field(repr=False, default=b"")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the camera answers. `pieces` come one by one after `content`, and the connection ends with them."""

    status: int = 200
    content: bytes = field(repr=False, default=b"")
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Iterator[bytes] | None = None
    said_bytes: int | None = None  # what `Content-Length` says, where it lies
    is_reset: bool = False  # the connection breaks off instead


class HttpServer:
    """Answers at one address until it is closed; `leaving` is set first, so that whoever waits in an answer gives up."""

    def __init__(
        self, address: str, port: int, name: str, answer: Callable[[Request], Answer], *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.leaving = threading.Event()
        self._server = _Server(address, port, name, answer, tls)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_S,), name="simulated camera", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.leaving.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_JOIN_S)


class _Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, address: str, port: int, name: str, answer: Callable[[Request], Answer], tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.name = name
        self.answer = answer
        self._tls = tls
        self._lock = threading.Lock()
        self._open: dict[Any, threading.Thread] = {}
        super().__init__((address, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            if len(self._open) >= _MOST_CONNECTIONS:
                self.shutdown_request(request)
                return
            thread = threading.Thread(target=self._serve, args=(request, client_address), name="simulated camera: connection", daemon=True)
            self._open[request] = thread
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        connection = request
        try:
            request.settimeout(_IDLE_S)
            request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(request, server_side=True)
                with self._lock:
                    self._open[connection] = self._open.pop(request)
            self.finish_request(connection, client_address)
        except (OSError, ValueError):
            pass  # whoever asked has gone, or was no browser
        finally:
            with self._lock:
                self._open.pop(connection, None)
                self._open.pop(request, None)
            with contextlib.suppress(OSError):
                self.shutdown_request(connection)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            left = list(self._open.items())
        for connection, _ in left:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for _, thread in left:
            if thread is not threading.current_thread():
                thread.join(_JOIN_S)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name: str) -> Any:
        # `http.server` looks for a method called after each request's own.
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def version_string(self) -> str:
        return self._camera.name

    @property
    def _camera(self) -> _Server:
        return cast("_Server", self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: what was asked stands in `requests`."""

    def _respond(self) -> None:
        try:
            content = self._body()
        except ValueError:
            self.send_error(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self._camera.answer(Request(self.command, self.path, headers, content)))

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = bytearray()
            while size := int(self.rfile.readline(20).partition(b";")[0], 16):
                if len(body) + size > _MOST_BODY_BYTES:
                    raise ValueError
                body += self.rfile.read(size)
                self.rfile.readline(4)
            self.rfile.readline(4)
            return bytes(body)
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _MOST_BODY_BYTES:
            raise ValueError
        return self.rfile.read(length)

    def _send(self, answer: Answer) -> None:
        if answer.is_reset:
            self.close_connection = True
            return
        self.send_response(answer.status)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.pieces is None:
            said = len(answer.content) if answer.said_bytes is None else answer.said_bytes
            self.send_header("Content-Length", str(said))
            self.close_connection = self.close_connection or said != len(answer.content)
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)
            for piece in answer.pieces or ():
                self.wfile.write(piece)
