"""Looks a host's name up once, so that what is judged afterwards is the very address that is connected to."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_PLACES: Final = 16
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_ZONE = re.compile(r"[A-Za-z0-9_.-]{1,32}")
# 2130706433, 0x7f.1 and 0177.0.0.1 are 127.0.0.1 to the C library, and a name to who reads them.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a socket can connect: `number` is the address as one reads it, `address` what a socket takes."""

    family: int
    number: str
    address: tuple[object, ...]


Resolve = Callable[[str, int], Sequence[Place]]
"""The places that a host and a port stand for; empty where nobody knows any. It may take its time."""


def is_number(host: str) -> bool:
    """Whether `host` is an address, written as everybody reads it."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    _, mark, zone = host.partition("%")
    return not mark or _ZONE.fullmatch(zone) is not None


def is_host(host: str) -> bool:
    """Whether `host` is an address or a name in ASCII, and no address in disguise."""
    if is_number(host):
        return True
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(map(_LABEL.fullmatch, labels)) and _NUMBER.fullmatch(labels[-1]) is None


def look_up(host: str, port: int) -> tuple[Place, ...]:
    """Ask the system for the places of `host`; nobody is asked about what is no host."""
    if not is_host(host):
        return ()
    flags = socket.AI_NUMERICHOST if is_number(host) else 0
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError, OverflowError):
        return ()
    places = (Place(family, str(address[0]), address) for family, _, _, _, address in found)
    return tuple(dict.fromkeys(places))[:MOST_PLACES]


class Lookup:
    """Looks one host up without waiting for longer than is wished; a question that nobody answers is not put twice."""

    def __init__(self, host: str, port: int, resolve: Resolve = look_up) -> None:
        self._host = host
        self._port = port
        self._resolve = resolve
        self._running: _Question | None = None

    def places(self, timeout_s: float) -> tuple[Place, ...]:
        """The places, at once for a number; raises `TimeoutError`."""
        if is_number(self._host):
            return tuple(self._resolve(self._host, self._port))
        question = self._running = self._running or _Question(lambda: tuple(self._resolve(self._host, self._port)))
        places = question.wait(timeout_s)
        self._running = None
        return places


class _Question:
    """A thread that asks; a daemon, for the system gives up in its own time alone."""

    def __init__(self, ask: Callable[[], tuple[Place, ...]]) -> None:
        self._places: tuple[Place, ...] = ()
        self._thread = threading.Thread(target=self._run, args=(ask,), name="lookup", daemon=True)
        self._thread.start()

    def _run(self, ask: Callable[[], tuple[Place, ...]]) -> None:
        self._places = ask()

    def wait(self, timeout_s: float) -> tuple[Place, ...]:
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise TimeoutError
        return self._places
