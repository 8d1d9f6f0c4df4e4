"""This machine's addresses are those that something can listen on here, and no others."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from lamppost.base import own_addresses
from lamppost.base.own_addresses import is_own, own_ipv4, own_ipv6


def test_something_can_listen_on_each() -> None:
    assert "127.0.0.1" in own_ipv4()
    for number in own_ipv4():
        with socket.create_server((number, 0)):
            assert is_own(ip_address(number))


def test_nothing_of_others_is_ours() -> None:
    assert not is_own(ip_address("198.51.100.254"))
    assert not is_own(ip_address("2001:db8::254"))


def test_where_ipv6_is_off_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "if_inet6"
    monkeypatch.setattr(own_addresses, "_IPV6", table)
    assert own_ipv6() == ()
    table.write_text("fd123456000000000000000000000005 02 40 00 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n")
    assert own_ipv6() == ("fd12:3456::5", "::1")
    assert is_own(ip_address("fd12:3456::5"))


def test_where_no_file_can_be_opened_nothing_is_ours_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> tuple[str, ...]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(own_addresses, "own_ipv4", refuse)
    assert not is_own(ip_address("10.0.0.1"))
