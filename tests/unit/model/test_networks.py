"""Where cameras may be: nothing opens this machine, its link or a cloud's keys but a network that names them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.networks import PRIVATE, Address, CameraNetworks

EVERYWHERE = CameraNetworks(["0.0.0.0/0", "::/0"])
HERE = ("127.0.0.1", "127.9.9.9", "::1", "169.254.1.1", "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16")
KEYS = ("fd00:ec2::254", "fd20:ce::254", "fd00:42::42", "fe80::1", "fe80::1%eth0")
NOBODY = ("0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::", "ff02::1")  # noqa: S104
OURS = {ip_address(text) for text in ("10.20.0.5", "172.17.0.1", "fd12:3456::5", "203.0.113.9")}
v4 = st.ip_addresses(v=4)
v6 = st.ip_addresses(v=6)
networks = st.one_of(
    st.tuples(v4, st.integers(0, 32)).map(lambda pair: str(ip_network(f"{pair[0]}/{pair[1]}", strict=False))),
    st.tuples(v6, st.integers(0, 128)).map(lambda pair: str(ip_network(f"{pair[0]}/{pair[1]}", strict=False))),
)


def here(number: Address) -> bool:
    return number in OURS


def nobody(_number: Address) -> bool:
    return False


def wrapped(number: IPv4Address) -> list[IPv6Address]:
    """The ways in which an IPv6 address leads to `number`."""
    low = int(number)
    return [
        IPv6Address(0xFFFF << 32 | low),
        IPv6Address(low),
        IPv6Address(0xFFFF << 48 | low),
        IPv6Address(int(IPv6Address("64:ff9b::")) | low),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | low),
        IPv6Address(0x2002 << 112 | low << 80),
        IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | low ^ 0xFFFFFFFF),
    ]


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.64", "fc00::1", "fd12:3456::1", "::ffff:10.0.0.1"]
)
def test_cameras_are_in_private_networks(address: str) -> None:
    assert CameraNetworks(is_own=nobody).why_not(address) == ""


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "172.32.0.1", "11.0.0.1", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8", *HERE, *KEYS, *NOBODY]
)
def test_nothing_else_is_connected_to_unless_it_is_named(address: str) -> None:
    assert CameraNetworks().why_not(address)


@pytest.mark.parametrize("address", [*HERE, *KEYS, *NOBODY])
def test_a_wide_network_opens_nothing_special(address: str) -> None:
    assert not EVERYWHERE.holds(address)
    number = ip_address(address.partition("%")[0])
    if isinstance(number, IPv4Address):
        assert [str(inside) for inside in wrapped(number) if EVERYWHERE.holds(str(inside))] == []


@pytest.mark.parametrize(
    ("network", "open_to", "closed_to"),
    [
        ("127.0.0.0/8", "127.0.0.1", "::1"),
        ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
        ("::1/128", "::1", "127.0.0.1"),
        ("169.254.0.0/16", "169.254.1.1", "169.254.169.254"),
        ("169.254.0.0/16", "169.254.1.1", "169.254.170.2"),
        ("169.254.169.254/32", "169.254.169.254", "169.254.1.1"),
        ("fe80::/10", "fe80::1%eth0", "fd00::1"),
        ("fd00:ec2::254/128", "fd00:ec2::254", "fd20:ce::254"),
    ],
)
def test_a_network_within_what_is_special_opens_that_much(network: str, open_to: str, closed_to: str) -> None:
    named = CameraNetworks([network])
    assert named.holds(open_to)
    assert not named.holds(closed_to)


def test_behind_a_translator_both_must_pass() -> None:
    translated = CameraNetworks(["64:ff9b::/96"], is_own=nobody)
    assert translated.holds("64:ff9b::10.20.0.5")
    assert not translated.holds("64:ff9b::127.0.0.1")
    assert not translated.holds("64:ff9b::169.254.169.254")
    assert not CameraNetworks(["10.0.0.0/8"]).holds("64:ff9b::10.20.0.5"), "that is somebody else's translator"
    assert not CameraNetworks(["10.0.0.0/8"]).holds("2002:a14:5::1")


@pytest.mark.parametrize("address", ["10.20.0.5", "172.17.0.1", "fd12:3456::5", "::ffff:10.20.0.5"])
@pytest.mark.parametrize("networks", [PRIVATE, ("10.20.0.0/24", "172.17.0.0/31", "fd12:3456::/64"), ("0.0.0.0/0", "::/0")])
def test_what_is_ours_is_no_cameras_however_wide_the_networks_are(networks: tuple[str, ...], address: str) -> None:
    why = CameraNetworks(networks, is_own=here).why_not(address)
    ours = address.removeprefix("::ffff:")
    assert why == f"that address is this machine itself, which no network but {ours}/{128 if ':' in ours else 32} opens"
    assert CameraNetworks(networks, is_own=nobody).holds(address)
    assert CameraNetworks(networks, is_own=here).why_outside(address) == "", "a range may hold it, and a call go out from it"


def test_what_is_ours_is_opened_by_itself_alone() -> None:
    named = CameraNetworks([*PRIVATE, "10.20.0.5/32", "fd12:3456::5/128"], is_own=here)
    assert named.holds("10.20.0.5")
    assert named.holds("::ffff:10.20.0.5")
    assert named.holds("fd12:3456::5")
    assert not named.holds("172.17.0.1")
    assert not CameraNetworks(["203.0.113.9/32"], is_own=here).holds("10.20.0.5")


def test_what_is_ours_is_not_reached_by_a_translator() -> None:
    everywhere = ["64:ff9b::/96", "2002::/16", "10.0.0.0/8"]
    assert CameraNetworks(everywhere, is_own=nobody).holds("64:ff9b::10.20.0.5")
    assert not CameraNetworks(everywhere, is_own=here).holds("64:ff9b::10.20.0.5")
    assert not CameraNetworks(everywhere, is_own=here).holds("2002:a14:5::1")
    assert CameraNetworks([*everywhere, "10.20.0.5/32"], is_own=here).holds("64:ff9b::10.20.0.5")


def test_loopback_that_is_named_needs_no_more() -> None:
    assert CameraNetworks(["127.0.0.0/8"]).holds("127.0.0.1")
    assert CameraNetworks(["::1/128"]).holds("::1")


@pytest.mark.parametrize(
    "text", ["", "camera", "10.0.0.1%eth0", "10.0.0.1/8", "0x7f.1", "2130706433", "127.1", "[::1]", " 10.0.0.1", "010.0.0.1"]
)
def test_what_is_no_number_is_not_connected_to(text: str) -> None:
    assert EVERYWHERE.why_not(text) == "it is no address"


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "camera", "10.0.0.0/8 "])
def test_what_is_no_network_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"network|address|expected|host bits|does not appear|netmask"):
        CameraNetworks([text])


@given(st.lists(networks, max_size=5), v4)
def test_an_address_in_no_network_is_refused_however_it_is_written(named: list[str], number: IPv4Address) -> None:
    judged = CameraNetworks(named)
    if not any(number in ip_network(network) for network in named):
        assert not judged.holds(str(number))
        assert not judged.holds(f"::ffff:{number}")


@given(st.lists(networks, max_size=5), st.one_of(v4, v6))
def test_only_what_a_network_names_is_allowed(named: list[str], number: IPv4Address | IPv6Address) -> None:
    judged = CameraNetworks(named)
    plain = number.ipv4_mapped or number if isinstance(number, IPv6Address) else number
    assert judged.holds(str(number)) <= any(plain in ip_network(network) for network in named)


@given(st.lists(networks, max_size=5), networks, st.one_of(v4, v6))
def test_a_further_network_closes_nothing(named: list[str], further: str, number: IPv4Address | IPv6Address) -> None:
    assert CameraNetworks(named).holds(str(number)) <= CameraNetworks([*named, further]).holds(str(number))


@given(st.sampled_from([ip_network("127.0.0.0/8"), ip_network("169.254.0.0/16")]), st.integers(0, 0xFFFF), st.integers(0, 7))
def test_no_wrapping_leads_here(special: object, low: int, way: int) -> None:
    number = IPv4Address(int(special.network_address) + low)  # type: ignore[attr-defined]
    forms = [str(number), *map(str, wrapped(number))]
    assert not EVERYWHERE.holds(forms[way])


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    assert CameraNetworks(PRIVATE).why_not(text) or ip_address(text.partition("%")[0]).is_private
