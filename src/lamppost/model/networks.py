"""Where cameras may be: nothing connects to any other address, whatever a setting, a name or a device says."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where cameras are unless the operator says otherwise (RFC 1918, RFC 4193)."""

# Allowed by nothing but a network that lies wholly within: 0.0.0.0/0 does not open them.
_SPECIAL: Final = tuple(
    (ip_network(network), what)
    for network, what in (
        ("169.254.169.254/32", "where clouds keep their keys"),
        ("fd00:ec2::254/128", "where clouds keep their keys"),
        ("127.0.0.0/8", "this machine itself"),
        ("::1/128", "this machine itself"),
        ("169.254.0.0/16", "link-local"),
        ("fe80::/10", "link-local"),
    )
)
_NEVER: Final = tuple(
    ip_network(network) for network in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32", "::/128", "ff00::/8")
)


class CameraNetworks:
    """The networks that cameras are in; raises `ValueError` for what is no network."""

    def __init__(self, networks: Iterable[str] = PRIVATE) -> None:
        self._networks: tuple[Network, ...] = tuple(ip_network(network) for network in networks)

    def why_not(self, address: str) -> str:
        """Why nothing connects to `address`, a number; empty where something may.

        An IPv4 address within an IPv6 one is judged as itself.
        """
        try:
            number = _plain(ip_address(address.partition("%")[0]))
        except ValueError:
            return "it is no address"
        if any(number in never for never in _NEVER):
            return "no device has that address"
        for special, what in _SPECIAL:
            if number in special:
                is_named = any(_within(network, special) and number in network for network in self._networks)
                return "" if is_named else f"that address is {what}"
        return "" if any(number in network for network in self._networks) else "that address is in no camera network"

    def holds(self, address: str) -> bool:
        return not self.why_not(address)


def _plain(number: Address) -> Address:
    if isinstance(number, IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour
        if inner is not None:
            return inner
        if number in ip_network("64:ff9b::/96"):
            return IPv4Address(int(number) & 0xFFFFFFFF)
    return number


def _within(network: Network, special: Network) -> bool:
    if isinstance(network, IPv4Network) and isinstance(special, IPv4Network):
        return network.subnet_of(special)
    return isinstance(network, IPv6Network) and isinstance(special, IPv6Network) and network.subnet_of(special)
