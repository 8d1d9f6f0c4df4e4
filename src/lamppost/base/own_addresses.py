"""Tells which addresses are this machine's own, as the system has them now: what listens there is no camera, unless somebody says so."""

from __future__ import annotations

import fcntl
import socket
import struct
from array import array
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

_SIOCGIFCONF: Final = 0x8912
_MOST: Final = 512
_IPV6: Final = Path("/proc/net/if_inet6")  # one address a line, in 32 hexadecimal digits; not there where IPv6 is off
_LINE: Final = 64  # characters, more than any has


def own_ipv4() -> tuple[str, ...]:
    """Every IPv4 address of this machine, second ones of an interface too."""
    # Each row is a name of 16 bytes and a socket address in the room of the largest, whose number is in bytes 4 to 8.
    row = 16 + (24 if struct.calcsize("P") == 8 else 16)
    room = array("B", bytes(row * _MOST))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        answer = fcntl.ioctl(end.fileno(), _SIOCGIFCONF, struct.pack("iP", len(room), room.buffer_info()[0]))
    filled = room.tobytes()[: struct.unpack("iP", answer)[0]]
    rows = (filled[at + 16 :] for at in range(0, len(filled), row))
    return tuple(dict.fromkeys(socket.inet_ntoa(place[4:8]) for place in rows))


def own_ipv6() -> tuple[str, ...]:
    """Every IPv6 address of this machine."""
    try:
        with _IPV6.open(encoding="ascii") as file:
            digits = [line.split()[0] for line in file.read(_MOST * _LINE).splitlines() if line.strip()]
    except FileNotFoundError:
        return ()
    return tuple(str(IPv6Address(int(each, 16))) for each in digits if len(each) == 32)


def is_own(number: IPv4Address | IPv6Address) -> bool:
    """Whether the address is one of this machine's. False where no file can be opened any more: then nothing connects either."""
    try:
        return str(number) in (own_ipv4() if isinstance(number, IPv4Address) else own_ipv6())
    except OSError:
        return False
