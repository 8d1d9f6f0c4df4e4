"""Where cameras may be: nothing connects to any other address, whatever a setting, a name or a device says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from lamppost.base.own_addresses import is_own

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where cameras are unless the operator says otherwise (RFC 1918, RFC 4193)."""

REFUSED_REMEDY: Final = "name its network in `networks` of [devices]"

_HERE: Final = "this machine itself"
_KEYS: Final = "where clouds keep their keys"
# Allowed by nothing but a network that lies wholly within: 0.0.0.0/0 does not open them.
_SPECIAL: Final = tuple(
    (ip_network(network), what)
    for network, what in (
        ("169.254.169.254/32", _KEYS),
        ("169.254.170.2/32", _KEYS),
        ("169.254.170.23/32", _KEYS),
        ("100.100.100.200/32", _KEYS),
        ("168.63.129.16/32", _KEYS),
        ("192.0.0.192/32", _KEYS),
        ("fd00:ec2::/32", _KEYS),
        ("fd20:ce::254/128", _KEYS),
        ("fd00:42::42/128", _KEYS),
        ("127.0.0.0/8", _HERE),
        ("::1/128", _HERE),
        ("169.254.0.0/16", "link-local"),
        ("fe80::/10", "link-local"),
    )
)
_NEVER: Final = tuple(
    ip_network(network) for network in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")
)
# Behind these prefixes lies an IPv4 address, in the last 32 bits: IPv4-compatible, translated (RFC 2765, 6052, 8215).
_TRANSLATED: Final = tuple(IPv6Network(network) for network in ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48"))
_LOW_32: Final = 0xFFFF_FFFF


class CameraNetworks:
    """The networks that cameras are in; raises `ValueError` for what is no network.

    An address of this machine's own is no camera's, however wide the networks are: it is opened by a network of that address alone.
    """

    def __init__(self, networks: Iterable[str] = PRIVATE, *, is_own: Callable[[Address], bool] = is_own) -> None:
        self._networks: tuple[Network, ...] = tuple(ip_network(network) for network in networks)
        self._is_own = is_own

    def why_not(self, address: str) -> str:
        """Why nothing connects to `address`, a number, just now; empty where something may."""
        if why := self.why_outside(address):
            return why
        number = _plain(ip_address(address))
        ours = next((each for each in (number, *_behind(number)) if self._is_ours(each)), None)
        if ours is None:
            return ""
        return f"that address is {_HERE}, which no network but {ours}/{ours.max_prefixlen} opens"

    def why_outside(self, address: str) -> str:
        """Why no camera can be at `address`, whatever machine has it; empty where one may.

        An IPv4 address written as IPv6 is judged as itself. Where one lies behind a translator or a tunnel,
        both must pass: the IPv6 address must be in a network, and what lies behind it be nothing special.
        """
        try:
            number = ip_address(address)
        except ValueError:
            return "it is no address"
        number = _plain(number)
        is_named = self._names_special(number)
        if is_named is None:
            is_named = any(number in network for network in self._networks)
        if not is_named or any(number in never for never in _NEVER):
            return self._because(number)
        behind = [inner for inner in _behind(number) if any(inner in never for never in _NEVER) or self._names_special(inner) is False]
        return self._because(behind[0]) if behind else ""

    def holds(self, address: str) -> bool:
        """Whether something may connect to `address`, a number."""
        return not self.why_not(address)

    def _is_ours(self, number: Address) -> bool:
        """Whether it is an address of this machine that nobody has named. What is special is judged by that."""
        if any(number in special for special, _ in _SPECIAL):
            return False
        is_named = any(number in network and network.num_addresses == 1 for network in self._networks)
        return not is_named and self._is_own(number)

    def _names_special(self, number: Address) -> bool | None:
        """Whether a network that lies within what is special about `number` names it; None where nothing is."""
        for special, _ in _SPECIAL:
            if number in special:
                return any(_within(network, special) and number in network for network in self._networks)
        return None

    def _because(self, number: Address) -> str:
        if any(number in never for never in _NEVER):
            return "no device has that address"
        what = next((what for special, what in _SPECIAL if number in special), "")
        return f"that address is {what}" if what else "that address is in no camera network"


def _plain(number: Address) -> Address:
    """What is connected to: an IPv4 address that is written as IPv6 as itself, and an IPv6 one without its zone."""
    return number.ipv4_mapped or IPv6Address(int(number)) if isinstance(number, IPv6Address) else number


def _behind(number: Address) -> list[IPv4Address]:
    """The IPv4 addresses that an IPv6 one may lead to."""
    if not isinstance(number, IPv6Address) or number == IPv6Address("::1"):
        return []
    found = [number.sixtofour, *(number.teredo or ())]
    if any(number in network for network in _TRANSLATED):
        found.append(IPv4Address(int(number) & _LOW_32))
    return [inner for inner in found if inner is not None]


def _within(network: Network, special: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(special, IPv4Network):
        return network.subnet_of(special)
    return isinstance(network, IPv6Network) and isinstance(special, IPv6Network) and network.subnet_of(special)
