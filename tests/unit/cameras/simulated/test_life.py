"""A simulated camera comes, reboots, moves and goes, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from asked_camera import asking
from lamppost.base.errors import CameraError, CameraUnreachable, ConfigError
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.discovery import GROUP
from lamppost.cameras.simulated.markup import PREFIXES
from lamppost.cameras.simulated.nodes import Node, read
from lamppost.model.devices import Ability

_PROBE = """<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:n="{}"><e:Header><w:MessageID>urn:uuid:1</w:MessageID></e:Header>
 <e:Body><d:Probe><d:Types>n:{}</d:Types><d:Scopes>{}</d:Scopes></d:Probe></e:Body></e:Envelope>"""
_NETWORK = "http://www.onvif.org/ver10/network/wsdl"


def until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 5
    while not holds() and time.monotonic() < end_s:
        threading.Event().wait(0.01)
    assert holds()


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "simulated" in thread.name]


def test_nothing_is_left_whoever_still_waits() -> None:
    with (
        SimulatedCamera("dahua", discovery_port=0) as camera,
        asking(camera) as client,
        socket.create_connection(("127.0.0.1", camera.port)) as idle,
    ):
        address = client.ask("tev:CreatePullPointSubscription").value("Address").removeprefix(camera.base)
        arguments = "<tev:Timeout>PT60S</tev:Timeout><tev:MessageLimit>1000</tev:MessageLimit>"
        client.ask("tev:PullMessages", arguments, path=address)

        def wait() -> None:
            with contextlib.suppress(CameraError):  # an empty answer, or none
                client.post("tev:PullMessages", arguments, path=address)

        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: len(own_threads()) >= 4)
        begun_s = time.monotonic()
        camera.close()
        assert time.monotonic() - begun_s < 2
        assert own_threads() == []
        waiting.join()
        idle.settimeout(1)
        assert idle.recv(1) == b""


def test_a_reboot_breaks_off_and_comes_back_as_the_same_camera() -> None:
    with SimulatedCamera("hikvision") as camera, asking(camera) as client:
        before = client.ask("tds:GetDeviceInformation").value("SerialNumber")
        address = client.ask("tev:CreatePullPointSubscription").value("Address").removeprefix(camera.base)
        camera.reboot()
        with asking(camera) as again:
            assert again.ask("tds:GetDeviceInformation").value("SerialNumber") == before
            arguments = "<tev:Timeout>PT1S</tev:Timeout><tev:MessageLimit>1</tev:MessageLimit>"
            assert again.fault("tev:PullMessages", arguments, path=address)[0] == 400, "nobody listens any more"


def test_a_client_reboots_it() -> None:
    with SimulatedCamera("onvif") as camera, asking(camera) as client:
        assert "Reboot" in client.ask("tds:SystemReboot").value("Message")
        until(lambda: camera.state.reboots == 1)
        with asking(camera) as again:
            again.ask("tds:GetUsers")


def test_without_power_nobody_answers() -> None:
    with SimulatedCamera("onvif") as camera, asking(camera) as client:
        client.ask("tds:GetUsers")
        camera.go_down()
        with pytest.raises(CameraUnreachable):
            client.post("tds:GetUsers")
        camera.come_up()
        with asking(camera) as again:
            again.ask("tds:GetUsers")


def test_it_moves_to_another_address() -> None:
    with SimulatedCamera("axis") as camera:
        before = camera.url
        camera.move_to("127.0.0.2")
        assert camera.url != before
        with asking(camera) as client:
            assert client.ask("tds:GetNetworkInterfaces").value("Address") == "127.0.0.2"


def test_an_address_that_cannot_be_used_is_said_in_one_line() -> None:
    with SimulatedCamera("onvif") as camera, pytest.raises(ConfigError, match=str(camera.port)):
        SimulatedCamera("onvif", port=camera.port).start()
    with pytest.raises(ConfigError, match="huawei"):
        SimulatedCamera("huawei")


def probed(port: int, to: str, types: tuple[str, str] = (_NETWORK, "NetworkVideoTransmitter"), scopes: str = "") -> list[Node]:
    """The answers that come within a moment."""
    found: list[Node] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking_socket:
        asking_socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asking_socket.settimeout(0.2)
        asking_socket.sendto(_PROBE.format(*types, scopes).encode(), (to, port))
        try:
            while True:
                found.append(read(asking_socket.recv(65_535)))
        except TimeoutError:
            return found


def test_who_does_not_want_to_be_found_is_silent() -> None:
    mode = "<tds:DiscoveryMode>{}</tds:DiscoveryMode>"
    with SimulatedCamera("axis", discovery_port=0) as camera, asking(camera) as client:
        client.ask("tds:SetDiscoveryMode", mode.format("NonDiscoverable"))
        assert probed(camera.discovery_port, "127.0.0.1") == []
        assert client.ask("tds:GetDiscoveryMode").value("DiscoveryMode") == "NonDiscoverable"
        client.ask("tds:SetDiscoveryMode", mode.format("Discoverable"))
        assert len(probed(camera.discovery_port, "127.0.0.1")) == 1
        assert client.fault("tds:SetDiscoveryMode", mode.format("Shy"))[1][-1] == "ter:InvalidArgVal"


def test_it_is_found_and_tells_where_it_is() -> None:
    with SimulatedCamera("dahua", discovery_port=0, number=5) as camera:
        for to in ("127.0.0.1", GROUP):
            (answer,) = probed(camera.discovery_port, to)
            assert answer.value("RelatesTo") == "urn:uuid:1"
            assert answer.value("XAddrs") == camera.url
            assert "onvif://www.onvif.org/MAC/3c:ef:8c:00:00:05" in answer.value("Scopes").split()
        endpoint = answer.value("Address")
        camera.move_to("127.0.0.2")
        (answer,) = probed(camera.discovery_port, "127.0.0.2")
        assert (answer.value("XAddrs"), answer.value("Address"), answer.value("MetadataVersion")) == (camera.url, endpoint, "2")


@pytest.mark.parametrize(
    ("types", "scopes", "is_found"),
    [
        ((_NETWORK, "NetworkVideoTransmitter"), "onvif://www.onvif.org/Profile", True),
        ((PREFIXES["tds"], "Device"), "onvif://www.onvif.org/Profile/T onvif://www.onvif.org/type", True),
        ((_NETWORK, "NetworkVideoDisplay"), "", False),
        (("http://example.org", "NetworkVideoTransmitter"), "", False),
        ((_NETWORK, "NetworkVideoTransmitter"), "onvif://www.onvif.org/Prof", False),
    ],
)
def test_who_looks_for_something_else_hears_nothing(types: tuple[str, str], scopes: str, is_found: bool) -> None:
    with SimulatedCamera("onvif", discovery_port=0) as camera:
        assert bool(probed(camera.discovery_port, "127.0.0.1", types, scopes)) is is_found


def test_it_says_hello_and_bye() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((GROUP, 0))
        port = listener.getsockname()[1]
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"))
        listener.settimeout(2)
        with SimulatedCamera("onvif", discovery_port=port, most=Ability.DETECT):
            assert read(listener.recv(65_535)).first("Hello") is not None
        assert read(listener.recv(65_535)).first("Bye") is not None


def test_noise_is_not_answered_and_kills_nobody() -> None:
    with SimulatedCamera("onvif", discovery_port=0) as camera, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
        for content in (b"", b"\x00" * 1000, b"<a>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<d:Probe/>", b"<a>" * 9000):
            noisy.sendto(content, ("127.0.0.1", camera.discovery_port))
        assert len(probed(camera.discovery_port, "127.0.0.1")) == 1
