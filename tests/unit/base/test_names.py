"""A host is looked up once; an address in disguise is no name, and nobody is asked about it."""

from __future__ import annotations

import socket
import threading

import pytest

from lamppost.base.names import Lookup, Place, is_host, is_number, look_up


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "::1", "fe80::1%eth0", "camera", "camera.plaza.example", "camera-1.local.", "cam_1", "xn--mller-kva.example", "1a.b2"],
)
def test_these_are_hosts(host: str) -> None:
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        *[
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "a b",
            "a\r\nb",
            "a%00b",
            "müller",
            "\uff11\uff12\uff17.0.0.1",
            "a" * 64,
            ".".join(["a" * 60] * 5),
            "fe80::1%a/b",
        ],
        *["2130706433", "127.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.0.0.0x1", "127.0.0.1.", "10.0.0.256", "1.2.3.4.5", "0x", "a.1"],
        *["10.0.0.1%eth0", "user@camera", "camera/", "camera#", "camera?", "[::1]", "camera:80"],
    ],
)
def test_these_are_none_and_nobody_is_asked(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked"))
    assert not is_host(host)
    assert look_up(host, 80) == ()


def test_a_number_is_never_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    flags: list[int] = []
    real = socket.getaddrinfo

    def noted(host: str, port: int, **options: int) -> list[object]:
        flags.append(options["flags"])
        return list(real(host, port, **options))

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    assert [place.number for place in look_up("127.0.0.1", 80)] == ["127.0.0.1"]
    assert [place.number for place in look_up("::1", 80)] == ["::1"]
    assert flags == [socket.AI_NUMERICHOST] * 2
    assert is_number("127.0.0.1")


def test_a_name_that_nobody_knows_has_no_place() -> None:
    assert look_up("nobody.invalid", 80) == ()


def test_who_waits_for_a_name_waits_no_longer_than_they_wish_and_asks_once() -> None:
    gate, asked = threading.Event(), []
    place = Place(socket.AF_INET, "10.0.0.1", ("10.0.0.1", 80))

    def slow(host: str, port: int) -> list[Place]:
        asked.append((host, port))
        gate.wait(5)
        return [place]

    lookup = Lookup("camera", 80, slow)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            lookup.places(0.01)
    gate.set()
    assert lookup.places(5.0) == (place,)
    assert asked == [("camera", 80)]
    assert lookup.places(5.0) == (place,)
    assert len(asked) == 2, "the next question is a new one"
