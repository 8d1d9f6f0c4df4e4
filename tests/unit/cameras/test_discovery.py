"""Devices are found by a call and one by one, whatever others answer; all of it is bounded, and nothing is left of it."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovered import HERE, NETWORKS, OURS, SCOPES, answer, answering, found, free_port, match, offers_of
from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cameras import discovery, ws_discovery
from lamppost.cameras.discovery import (
    MOST_ADDRESSES,
    MOST_AT_ONE_ADDRESS,
    addresses_of,
    check_interfaces,
    lasts_s,
    own_addresses,
    search,
)
from lamppost.cameras.knocking import FIRST, Door
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.devices import DeviceIdentity, FoundDevice
from lamppost.model.networks import CameraNetworks
from self_signed import Certificate

PORT_80 = [f"{HERE}.{number}" for number in range(80, 84)]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    yield
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors


def addresses(devices: tuple[FoundDevice, ...]) -> set[str]:
    return {device.address for device in devices}


# -- by a call -----------------------------------------------------------------


def test_cameras_answer_a_call_from_the_chosen_interface(port: int) -> None:
    with (
        SimulatedCamera("onvif", address=f"{HERE}.2", discovery_port=port, discovery_interface="127.0.0.1") as one,
        SimulatedCamera("dahua", address=f"{HERE}.3", discovery_port=port, discovery_interface="127.0.0.1") as two,
    ):
        devices = found(port=port, interfaces=("127.0.0.1",), until=lambda devices: len(devices) == 2)
        assert {device.device_url for device in devices} == {one.base, two.base}
        assert {device.identity.mac for device in devices} == {one.identity.mac, two.identity.mac}
        assert one.requests == two.requests == (), "a call asks nobody over HTTP"


def test_an_interface_that_is_not_ours_is_refused_before_anything_is_sent(port: int) -> None:
    for interface in ("192.0.2.77", "eth0", "fd00::1", "10.1", "127.0.0.1\0", "", "é", "x" * 500):
        with pytest.raises(ConfigError) as refused:
            found(port=port, interfaces=(interface,))
        assert len(str(refused.value)) < 400
    check_interfaces(("127.0.0.1",))


def test_our_own_addresses_are_those_in_camera_networks() -> None:
    assert own_addresses(CameraNetworks(("127.0.0.0/8",))) == ("127.0.0.1",)
    assert own_addresses(CameraNetworks(("198.51.100.0/24",))) == ()
    ours = CameraNetworks(("127.0.0.1/32", "10.0.0.0/8"), is_own=lambda _number: True)
    assert own_addresses(ours) == ("127.0.0.1",), "who is called from is not who is asked"


def test_in_a_range_what_is_ours_is_left_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = CameraNetworks(("10.0.0.0/8",), is_own=lambda number: str(number) in ("10.20.0.1", "10.20.0.2"))
    assert addresses_of(("10.20.0.0/30",), ours) == ("10.20.0.1", "10.20.0.2")
    monkeypatch.setattr(discovery, "Knock", lambda *_, **__: pytest.fail("asked"))
    assert found("10.20.0.0/30", port=port, interfaces=("127.0.0.1",), networks=ours, timeout_s=0.2) == ()
    with pytest.raises(ConfigError, match="this machine itself"):
        addresses_of(("10.20.0.1/32",), ours)


# -- one by one ----------------------------------------------------------------


def test_an_address_of_a_range_that_answers_no_call_is_asked_alone(port: int) -> None:
    with SimulatedCamera("axis", address=f"{HERE}.5", discovery_port=port) as camera:
        devices = found(f"{HERE}.4/30", port=port, until=bool)
        assert [(device.device_url, device.identity.mac) for device in devices] == [(camera.base, camera.identity.mac)]


@pytest.mark.parametrize(("vendor", "http_port"), [("axis", 80), ("hikvision", 8000), ("dahua", 8080), ("onvif", 8899)])
def test_a_device_that_answers_no_probe_is_found_where_devices_speak_http(
    vendor: str, http_port: int, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = offers_of(monkeypatch)
    with SimulatedCamera(vendor, address=f"{HERE}.9", port=http_port, password="never to be sent") as camera:
        devices = found(f"{HERE}.8/30", port=port, until=lambda devices: bool(devices[0].identity.vendor) or vendor == "onvif")
        assert [device.device_url for device in devices] == [camera.base.removesuffix(":80")]
        assert devices[0].identity.vendor.lower() == (vendor if vendor != "onvif" else "")
        assert 1 <= len(camera.requests) <= 2
        assert offered == [], "nobody signs in"


@pytest.mark.parametrize("https_port", [443, 8443])
def test_a_device_that_speaks_https_alone_is_found_with_its_certificate_and_without_a_password(
    https_port: int, port: int, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = offers_of(monkeypatch)
    with SimulatedCamera("hikvision", address=f"{HERE}.49", port=https_port, tls=certificate.context) as camera:
        devices = found(f"{HERE}.48/30", port=port, until=lambda devices: bool(devices[0].identity.vendor))
        assert [device.device_url for device in devices] == [camera.base.removesuffix(":443")]
        assert (devices[0].identity.vendor, devices[0].certificate_sha256) == ("Hikvision", certificate.sha256)
        assert {asked.user for asked in camera.requests} == {""}
        assert offered == []


def test_one_that_can_be_asked_either_way_is_told_once(port: int, certificate: Certificate) -> None:
    told: list[int] = []
    with (
        SimulatedCamera("axis", address=f"{HERE}.53", port=80) as plain,
        SimulatedCamera("axis", address=f"{HERE}.53", port=443, tls=certificate.context) as secure,
    ):
        devices = found(f"{HERE}.52/30", port=port, until=lambda devices: told.append(len(devices)) or False, timeout_s=1.0)
        assert [device.device_url for device in devices] == ["http://" + plain.address]
        assert set(told) == {1}
        assert 1 <= len(secure.requests) <= 2


def test_two_devices_behind_one_address_are_told_both(port: int, certificate: Certificate) -> None:
    with (
        SimulatedCamera("axis", address=f"{HERE}.57", port=8080) as plain,
        SimulatedCamera("axis", address=f"{HERE}.57", port=8443, number=2, tls=certificate.context) as secure,
    ):
        devices = found(f"{HERE}.56/30", port=port, until=lambda devices: len(devices) == 2)
        assert {device.device_url for device in devices} == {plain.base, secure.base}


def test_one_that_answers_a_call_and_speaks_https_is_met_once_for_its_certificate(port: int, certificate: Certificate) -> None:
    with SimulatedCamera(
        "axis", address=f"{HERE}.61", discovery_port=port, discovery_interface="127.0.0.1", tls=certificate.context
    ) as camera:
        devices = found(port=port, interfaces=("127.0.0.1",), until=lambda devices: bool(devices[0].certificate_sha256))
        assert [(device.device_url, device.certificate_sha256) for device in devices] == [(camera.base, certificate.sha256)]
        assert bool(devices[0].endpoint)
        assert len(camera.requests) <= 1


def test_what_is_no_tls_behind_its_port_is_nobody(port: int) -> None:
    with SimulatedCamera("axis", address=f"{HERE}.65", port=443):
        assert found(f"{HERE}.64/30", port=port, timeout_s=0.6) == ()


def test_a_device_at_a_port_of_its_own_is_found_where_that_is_named_and_who_is_silent_is_told(port: int) -> None:
    opened: set[tuple[str, int]] = set()
    with (
        SimulatedCamera("onvif", address=f"{HERE}.13") as camera,
        socket.create_server((f"{HERE}.14", camera.port)),
    ):
        devices = found(
            f"{HERE}.12/30",
            port=port,
            doors=(Door(camera.port), Door(80)),
            on_open=lambda address, at: opened.add((address, at)),
            timeout_s=0.8,
        )
    assert [device.device_url for device in devices] == [camera.base]
    assert opened == {(f"{HERE}.13", camera.port), (f"{HERE}.14", camera.port)}


def test_one_that_is_knocked_at_and_answers_a_probe_is_told_once(port: int) -> None:
    told: list[int] = []
    with SimulatedCamera("axis", address=f"{HERE}.17", port=80, discovery_port=port):
        devices = found(f"{HERE}.16/30", port=port, until=lambda devices: told.append(len(devices)) or False, timeout_s=0.6)
        assert set(told) == {1}
        assert [bool(device.endpoint) for device in devices] == [True]


# -- what others answer --------------------------------------------------------


def test_one_that_is_knocked_at_and_then_names_another_port_is_told_once(port: int) -> None:
    told: list[tuple[FoundDevice, ...]] = []
    round_ = discovery._Round(NETWORKS, SystemClock(), told.append, None, port)
    round_._add(FoundDevice("10.0.0.7", "http://10.0.0.7", DeviceIdentity(), (), ""))
    called = FoundDevice("10.0.0.7", "http://10.0.0.7:85", DeviceIdentity(), SCOPES, "")
    round_._add(called, is_called=True)
    round_._add(FoundDevice("10.0.0.7", "http://10.0.0.7:85", DeviceIdentity(vendor="Other"), (), ""))
    assert told[-1] == tuple(round_.found.values()) == (called,)
    round_.close()


def test_where_a_connection_is_refused_at_once_the_other_ports_are_tried(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = discovery.Knock.open

    def open_(knock: discovery.Knock) -> socket.socket | None:
        if knock.door not in FIRST:
            return real(knock)
        knock.is_alive = knock.door.port == 80
        return None

    monkeypatch.setattr(discovery.Knock, "open", open_)
    with SimulatedCamera("axis", address=f"{HERE}.45", port=8000) as camera:
        assert [device.device_url for device in found(f"{HERE}.44/30", port=port, until=bool)] == [camera.base]


def test_one_that_answers_thousands_of_times_is_told_a_few_times_and_hides_nobody(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = list[str](), ws_discovery.read_answer
    monkeypatch.setattr(ws_discovery, "read_answer", lambda content, sender: read.append(sender) or real(content, sender))
    storm = [answer(match(f"http://{HERE}.21:{number}/", endpoint=f"urn:uuid:{number}")) for number in range(1, 5000)]
    with (
        answering(f"{HERE}.21", port, lambda: storm),
        SimulatedCamera("onvif", address=f"{HERE}.22", discovery_port=port) as camera,
    ):
        devices = found(f"{HERE}.20/30", port=port, timeout_s=1.0)
    assert camera.base in {device.device_url for device in devices}
    assert 1 < len(devices) <= MOST_AT_ONE_ADDRESS + 1
    assert read.count(f"{HERE}.21") <= discovery.MOST_ANSWERS_OF_ONE


def test_the_same_device_with_ever_other_names_is_one_device(port: int) -> None:
    many = [answer(match(f"http://{HERE}.21/", endpoint=f"urn:uuid:{number}")) for number in range(40)]
    with answering(f"{HERE}.21", port, lambda: many):
        assert len(found(f"{HERE}.21", port=port, timeout_s=0.5)) == 1


def test_one_that_answers_in_anothers_name_does_not_hide_it(port: int) -> None:
    with (
        answering(f"{HERE}.25", port, lambda: [answer(match("http://10.0.0.1/"))]),
        answering(f"{HERE}.26", port, lambda: [answer(match())]),
    ):
        devices = found(f"{HERE}.24/30", port=port, until=lambda devices: len(devices) == 2)
    assert addresses(devices) == {f"{HERE}.25", f"{HERE}.26"}


def test_broken_answers_are_dropped_and_the_next_one_is_read(port: int) -> None:
    broken = [b"", b"<a>" * 9000, answer(match(), before="<!DOCTYPE x>"), b"<r>" + b"<a/>" * 16_000 + b"</r>"]
    with answering(f"{HERE}.29", port, lambda: [*broken, answer(match())]):
        assert addresses(found(f"{HERE}.28/31", port=port, until=bool)) == {f"{HERE}.29"}


def test_who_was_not_in_a_camera_network_is_not_believed(port: int) -> None:
    ours = discovery._Round(CameraNetworks((f"{HERE}.32/31",)), SystemClock(), None, None, port)
    ours.begin((), (f"{HERE}.32",), ())
    assert ours._asking is not None
    ours.turn(0.0)
    place = ("127.0.0.1", ours._asking.getsockname()[1])
    for address, is_believed in ((f"{HERE}.40", False), (f"{HERE}.33", True)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.bind((address, 0))
            end.sendto(answer(match()), place)
        ours.turn(0.0)
        assert bool(ours.found) is is_believed
    ours.close()


def test_a_call_is_not_answered_by_printers(port: int) -> None:
    printer = answer(match(types="wsdp:Device wprt:PrintDeviceType", scopes=("ldap:///ou=floor",)))
    with answering(f"{HERE}.35", port, lambda: [printer]) as asked:
        assert found(f"{HERE}.35", port=port, timeout_s=0.4) == ()
    assert len(asked) == 2, "it was asked"
    assert not any(b"assword" in each or b"Security" in each for each in asked)


# -- bounds --------------------------------------------------------------------


def test_it_ends_at_once_when_it_is_stopped(port: int) -> None:
    stop = threading.Event()
    clock = SystemClock()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    began_s = clock.monotonic_s()
    search(NETWORKS, clock, ranges=(f"{OURS}.240.0/20",), port=port, timeout_s=60, stop=stop)
    timer.join()
    assert clock.monotonic_s() - began_s < 1.0


def test_progress_never_goes_back_and_a_call_alone_is_not_done_at_once(port: int) -> None:
    told: list[float] = []
    found(port=port, interfaces=("127.0.0.1",), timeout_s=0.3, on_progress=told.append)
    assert told[0] < 0.3
    told.clear()
    found(f"{HERE}.64/27", port=port, timeout_s=0.5, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] <= 1.0


def test_no_more_addresses_are_asked_in_a_second_than_a_machine_bears(port: int) -> None:
    round_ = discovery._Round(NETWORKS, SystemClock(), None, None, port)
    round_.begin((), addresses_of((f"{HERE}.0/24",), NETWORKS), ())
    for now_s in (0.0, 0.02, 0.04, 0.06):
        round_._ask(now_s)
    assert 254 - len(round_._unasked) <= 1 + 0.06 * 340
    round_._ask(60.0)
    assert 254 - len(round_._unasked) <= 1 + 0.06 * 340 + 32, "what was missed is not made up for at once"
    round_.close()


def test_where_no_socket_is_left_fewer_are_asked_at_once(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = discovery.Knock.open
    refused: list[str] = []

    def open_(knock: discovery.Knock) -> socket.socket | None:
        if len(refused) < 30:
            refused.append(knock.address)
            raise OSError(24, "Too many open files")
        return real(knock)

    monkeypatch.setattr(discovery.Knock, "open", open_)
    with SimulatedCamera("axis", address=f"{HERE}.37", port=80):
        assert addresses(found(f"{HERE}.36/30", port=port, until=bool)) == {f"{HERE}.37"}


@pytest.mark.long
def test_4096_addresses_are_asked_within_15_seconds(port: int) -> None:
    with SimulatedCamera("axis", address=f"{OURS}.255.254", port=80) as camera:
        began_s = time.monotonic()
        devices = found(f"{OURS}.240.0/20", port=port, timeout_s=lasts_s((f"{OURS}.240.0/20",)))
        assert time.monotonic() - began_s < 15
    assert addresses(devices) == {camera.address}


# -- ranges --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        (("10.20.0.0/16",), "more than 4096"),
        (("10.0.0.0/20", "10.1.0.0/20"), "more than 4096"),
        (("fd00::/64",), "more than 4096"),
        (("192.0.2.0/24",), "in no camera network"),
        (("9.255.255.254/30", "10.0.0.0/30"), "in no camera network"),
        (("127.0.0.1",), ""),
        (("gate",), "is no range"),
        (("10.0.0.0/33",), "is no range"),
        (("10.0.0.1-9",), "is no range"),
        (("x" * 5000,), "is no range"),
    ],
)
def test_a_range_that_cannot_be_asked_is_refused_in_one_line(ranges: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        addresses_of(ranges, CameraNetworks())
    assert words in refused.value.problem
    assert refused.value.remedy
    assert len(str(refused.value)) < 300


_RANGES = st.builds(lambda number, size: f"{ip_address((10 << 24) + number)}/{size}", st.integers(0, (1 << 24) - 1), st.integers(18, 32))


@given(st.lists(_RANGES, max_size=4))
def test_addresses_of_ranges_are_theirs_each_once_and_not_too_many(ranges: list[str]) -> None:
    networks = CameraNetworks(("10.0.0.0/9",))
    try:
        every = addresses_of(ranges, networks)
    except ConfigError:
        return
    assert len(every) == len(set(every)) <= MOST_ADDRESSES
    assert not any(networks.why_outside(address) for address in every)
    wide = [ip_network(each, strict=False) for each in ranges]
    assert all(any(ip_address(address) in network for network in wide) for address in every)
    assert set(every) == {str(host) for network in wide for host in network.hosts()}


def test_a_search_of_many_addresses_is_given_time() -> None:
    assert lasts_s(()) < 5
    assert 15 < lasts_s(("10.0.0.0/20",)) < 30
    assert lasts_s(("10.0.0.0/8",) * 9) < 30
