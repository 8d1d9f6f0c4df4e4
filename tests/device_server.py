"""A played device behind HTTP on this machine, for tests of what asks devices over the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from lamppost.cameras.web import Reply


class Played(Protocol):
    """What answers a request."""

    def ask(self, method: str, path: str, content: bytes) -> Reply: ...


@contextmanager
def served(device: Played) -> Iterator[str]:
    """The address of a server that answers as `device` does."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            told = device.ask(self.command, self.path, content)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            if "content-length" not in told.headers:
                self.send_header("Content-Length", str(len(told.content)))
            self.end_headers()
            self.wfile.write(told.content)

        def __getattr__(self, name: str) -> object:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
