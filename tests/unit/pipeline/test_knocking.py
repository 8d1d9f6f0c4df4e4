"""Addresses of the operator's ranges are knocked at, no others, and what takes a connection is told nothing."""

from __future__ import annotations

import socket
import threading

from lamppost.base.clock import SystemClock
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline.knocking import MOST_ADDRESSES, addresses_of, knock


def test_only_addresses_of_camera_networks_are_knocked_at_and_not_too_many() -> None:
    networks = CameraNetworks(("10.20.0.0/16", "127.0.0.8/30"))
    assert list(addresses_of(("127.0.0.8/29", "192.0.2.0/30"), networks)) == ["127.0.0.9", "127.0.0.10", "127.0.0.11"]
    assert len(list(addresses_of(("10.20.0.0/16",), networks))) == MOST_ADDRESSES
    assert list(addresses_of((), networks)) == []


def test_who_takes_a_connection_is_found_and_hears_nothing() -> None:
    with socket.create_server(("127.0.0.10", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        found = knock((f"127.0.0.{number}" for number in range(8, 16)), {port}, SystemClock(), threading.Event())
        assert found == {"127.0.0.10"}
        end, _ = server.accept()
        with end:
            end.settimeout(5)
            assert end.recv(100) == b""


def test_it_stops_when_it_is_told_to() -> None:
    stop = threading.Event()
    stop.set()
    assert knock(["127.0.0.1"], {1}, SystemClock(), stop) == frozenset()
