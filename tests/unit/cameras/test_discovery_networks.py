"""Cameras behind a cable are found by a call over one interface and one by one, among addresses where nobody is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets.netns import CameraNetwork, why_not
from discovered import found
from lamppost.cameras.discovery import check_interfaces, lasts_s, own_addresses
from lamppost.cameras.ws_discovery import PORT
from lamppost.model.networks import CameraNetworks

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
PRIVATE = CameraNetworks()
CAMERAS = """
import contextlib, sys
from lamppost.cameras.simulated.camera import SimulatedCamera
with contextlib.ExitStack() as stack:
    for each in sys.argv[1:]:
        vendor, address, port, is_found = each.split(",")
        stack.enter_context(SimulatedCamera(vendor, address=address, port=int(port), discovery=is_found == "yes"))
    print("ready", flush=True)
    sys.stdin.read()
"""


def ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True, capture_output=True)


@contextmanager
def cameras(network: CameraNetwork, *each: str) -> Iterator[None]:
    command = [*network.prefix, sys.executable, "-c", CAMERAS, *each]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.communicate("")


@pytest.fixture(scope="module")
def network() -> Iterator[CameraNetwork]:
    with CameraNetwork() as made:
        yield made


def address(network: CameraNetwork, more: int) -> str:
    """One more address of the cameras' side; there are 12 of them."""
    base, _, last = network.camera_address.rpartition(".")
    found = f"{base}.{int(last) + more}"
    subprocess.run((*network.prefix, "ip", "address", "add", f"{found}/28", "dev", device(network, "b")), check=False, capture_output=True)
    return found


def device(network: CameraNetwork, end: str) -> str:
    """The name of one end of the cable."""
    return f"{network.prefix[-1]}{end}"


def test_hosts_of_several_makers_are_found_by_a_call_and_one_by_one(network: CameraNetwork) -> None:
    places = [network.camera_address, *(address(network, more) for more in (1, 2, 3))]
    said = [f"{vendor},{place},80,yes" for vendor, place in zip(("onvif", "dahua", "hikvision"), places, strict=False)]
    with cameras(network, *said, f"axis,{places[3]},8000,no"):
        called = found(port=PORT, interfaces=(network.our_address,), networks=PRIVATE, until=lambda devices: len(devices) == 3)
        assert {one.device_url for one in called} == {f"http://{place}" for place in places[:3]}
        nowhere = found(port=PORT, interfaces=("127.0.0.1",), networks=PRIVATE, timeout_s=0.5)
        assert not {one.address for one in nowhere} & set(places), "the call went out on the chosen interface alone"
        asked = found(f"{network.our_address}/28", port=PORT, interfaces=("127.0.0.1",), networks=PRIVATE, timeout_s=5.0,
                      until=lambda devices: len({one.address for one in devices if one.identity.mac}) == 4)  # fmt: skip
        assert {one.device_url for one in asked} == {*(f"http://{place}" for place in places[:3]), f"http://{places[3]}:8000"}


def test_every_address_of_this_machine_is_known_also_second_ones(network: CameraNetwork) -> None:
    second = "10.99." + network.our_address.split(".", 2)[2]
    ip("address", "add", f"{second}/28", "dev", device(network, "a"))
    try:
        ours = own_addresses(PRIVATE)
        assert {network.our_address, second} <= set(ours)
        assert network.our_address not in own_addresses(CameraNetworks(("10.99.0.0/16",)))
        check_interfaces((second,))
    finally:
        ip("address", "delete", f"{second}/28", "dev", device(network, "a"))


@pytest.mark.long
def test_4096_silent_addresses_on_one_cable_take_15_seconds_and_leave_room_for_neighbours(network: CameraNetwork) -> None:
    # Of this process alone: two of them may run at once.
    silent = f"10.{64 + os.getpid() // 16 % 64}.{os.getpid() % 16 * 16}.0/20"
    ip("route", "add", silent, "dev", device(network, "a"))
    full_before = _tables_full()
    with cameras(network, f"axis,{network.camera_address},80,no"):
        began_s = time.monotonic()
        devices = found(silent, port=PORT, interfaces=("127.0.0.1",), networks=PRIVATE, timeout_s=lasts_s((silent,)))
        took_s = time.monotonic() - began_s
    assert devices == ()
    assert took_s < 15
    assert _tables_full() - full_before < 200, "the machine can still talk to others"


def _tables_full() -> int:
    """How often this machine had no room for one more neighbour."""
    lines = Path("/proc/net/stat/arp_cache").read_text().splitlines()
    at = lines[0].split().index("table_fulls")
    return sum(int(line.split()[at], 16) for line in lines[1:])
