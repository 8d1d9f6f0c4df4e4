"""Asks a simulated camera as a plain SOAP client does, through the same `DeviceWeb` as everybody in this house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lamppost.base.clock import SystemClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.markup import PREFIXES
from lamppost.cameras.simulated.nodes import Node, read
from lamppost.cameras.web import DeviceAddress, DeviceWeb, Reply
from lamppost.model.networks import CameraNetworks

SOAP = {"Content-Type": "application/soap+xml; charset=utf-8"}
LOOPBACK = CameraNetworks(("127.0.0.0/8",))


def envelope(body: str, header: str = "") -> bytes:
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
    return f"<env:Envelope{declared}><env:Header>{header}</env:Header><env:Body>{body}</env:Body></env:Envelope>".encode()


class Asking:
    """One client; `web` is how it asks."""

    def __init__(self, camera: SimulatedCamera, web: DeviceWeb) -> None:
        self.camera = camera
        self.web = web

    def post(self, operation: str, arguments: str = "", *, path: str = "", header: str = "") -> Reply:
        prefix, _, _ = operation.partition(":")
        path = path or self.camera.path_of(prefix)
        return self.web.ask("POST", path, envelope(f"<{operation}>{arguments}</{operation}>", header), SOAP)

    def ask(self, operation: str, arguments: str = "", *, path: str = "") -> Node:
        """The answer's element; what is no answer fails."""
        reply = self.post(operation, arguments, path=path)
        assert reply.status == 200, reply.content
        assert reply.content_type == "application/soap+xml"
        return read(reply.content).own("Body")[0].children[0]

    def fault(self, operation: str, arguments: str = "", *, path: str = "") -> tuple[int, list[str]]:
        """The status, and the codes from the general to the special."""
        reply = self.post(operation, arguments, path=path)
        return reply.status, [node.text for node in read(reply.content).each("Value")]


@contextmanager
def asking(camera: SimulatedCamera, *, password: str | None = None, timeout_s: float = 5.0) -> Iterator[Asking]:
    address = DeviceAddress.of(camera.base)
    known = camera.password if password is None else password
    with DeviceWeb(address, LOOPBACK, SystemClock(), username=camera.username, password=known, timeout_s=timeout_s) as web:
        yield Asking(camera, web)
