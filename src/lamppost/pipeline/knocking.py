"""Finds out at which addresses of the operator's ranges something takes connections: for devices that answer no call to all."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import threading
from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Final

from lamppost.base.clock import Clock
from lamppost.model.networks import CameraNetworks

MOST_ADDRESSES: Final = 4096
AT_ONCE: Final = 128
WAIT_S: Final = 0.5


def addresses_of(ranges: Iterable[str], networks: CameraNetworks) -> Iterator[str]:
    """The addresses of the ranges that lie in the camera networks, the first 4096."""
    every = (str(host) for one in ranges for host in ip_network(one).hosts())
    return islice((address for address in every if networks.holds(address)), MOST_ADDRESSES)


def knock(addresses: Iterable[str], ports: Collection[int], clock: Clock, stop: threading.Event) -> frozenset[str]:
    """Those at which a connection to one of `ports` is taken; it is closed at once, and nothing is said."""
    places = ((address, port) for address in addresses for port in ports)
    found: set[str] = set()
    while not stop.is_set() and (batch := list(islice(places, AT_ONCE))):
        found |= _knock_at(batch, clock)
    return frozenset(found)


def _knock_at(places: list[tuple[str, int]], clock: Clock) -> set[str]:
    poll, waiting, found = select.poll(), dict[int, tuple[socket.socket, str]](), set[str]()
    with contextlib.ExitStack() as stack:
        for address, port in places:
            family = socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET
            try:
                end = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            except OSError:  # no descriptor is left: fewer are asked
                break
            end.setblocking(False)
            code = end.connect_ex((address, port))
            if code == 0:
                found.add(address)
            elif code == errno.EINPROGRESS:
                poll.register(end, select.POLLOUT)
                waiting[end.fileno()] = end, address
        end_s = clock.monotonic_s() + WAIT_S
        while waiting and (left_s := end_s - clock.monotonic_s()) > 0:
            for descriptor, _ in poll.poll(left_s * 1000):
                end, address = waiting.pop(descriptor)
                poll.unregister(descriptor)
                if end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    found.add(address)
    return found
