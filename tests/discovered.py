"""Answers of WS-Discovery as a test wants them, and somebody who gives them when a probe comes."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from xml.sax.saxutils import escape

import pytest

from lamppost.base.clock import SystemClock
from lamppost.cameras.discovery import search
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.sign_in import Gate
from lamppost.model.devices import FoundDevice
from lamppost.model.networks import CameraNetworks

OURS = f"127.{64 + os.getpid() // 200 % 64}"
HERE = f"{OURS}.{os.getpid() % 200 + 1}"
"""The first two and three numbers of addresses on this machine that no other test run uses, nor another process of this one."""

NETWORKS = CameraNetworks(("127.0.0.0/8", "10.0.0.0/8"))
SCOPES = ("onvif://www.onvif.org/Profile/T", "onvif://www.onvif.org/name/Gate%201", "onvif://www.onvif.org/hardware/T1")


def match(
    xaddrs: str = "", *, scopes: Iterable[str] = SCOPES, types: str = "dn:NetworkVideoTransmitter", endpoint: str = "urn:uuid:1"
) -> str:
    """One device in an answer."""
    return (
        f"<d:ProbeMatch><a:EndpointReference><a:Address>{escape(endpoint)}</a:Address></a:EndpointReference>"
        f"<d:Types>{escape(types)}</d:Types><d:Scopes>{escape(' '.join(scopes))}</d:Scopes><d:XAddrs>{escape(xaddrs)}</d:XAddrs>"
        "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>"
    )


def answer(*matches: str, before: str = "") -> bytes:
    """An answer with these devices."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Body>'
        f"<d:ProbeMatches>{''.join(matches)}</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


@contextmanager
def answering(address: str, port: int, answers: Callable[[], Iterable[bytes]]) -> Iterator[list[bytes]]:
    """Whoever asks `address` gets `answers()`, from there; what was asked is collected."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
        end.bind((address, port))

        def serve() -> None:
            while True:
                content, peer = end.recvfrom(65_535)
                if content == b"end":
                    return
                asked.append(content)
                if len(asked) == 1:
                    for each in answers():
                        end.sendto(each, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield asked
        finally:
            waker.sendto(b"end", (address, port))
            thread.join()


def free_port() -> int:
    """A port for discovery that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.bind(("127.0.0.1", 0))
        return int(end.getsockname()[1])


def found(
    *ranges: str,
    port: int,
    until: Callable[[tuple[FoundDevice, ...]], bool] = lambda _: False,
    timeout_s: float = 8.0,
    interfaces: tuple[str, ...] = (),
    networks: CameraNetworks = NETWORKS,
    **more: object,
) -> tuple[FoundDevice, ...]:
    """Search until enough is found, so that a test waits for nothing."""
    stop = threading.Event()

    def look(devices: tuple[FoundDevice, ...]) -> None:
        if until(devices):
            stop.set()

    return search(
        networks,
        SystemClock(),
        ranges=ranges,
        interfaces=interfaces,
        port=port,
        stop=stop,
        timeout_s=timeout_s,
        on_found=look,
        **more,  # type: ignore[arg-type]
    )


def offers_of(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where simulated cameras were offered a password from now on, right or wrong."""
    offered: list[str] = []
    by_digest, by_token = Gate.user, Gate.token_user

    def user(gate: Gate, method: str, target: str, authorization: str) -> tuple[str, bool]:
        if authorization:
            offered.append(target)
        return by_digest(gate, method, target, authorization)

    def token_user(gate: Gate, header: Node, device_us: int) -> str:
        if header.first("UsernameToken") is not None:
            offered.append("token")
        return by_token(gate, header, device_us)

    monkeypatch.setattr(Gate, "user", user)
    monkeypatch.setattr(Gate, "token_user", token_user)
    return offered
