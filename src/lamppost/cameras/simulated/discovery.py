"""Answers whoever looks for devices on the network: WS-Discovery of April 2005, as ONVIF takes it (Core Specification, section 7)."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Final

from lamppost.base.errors import ConfigError
from lamppost.cameras.simulated.machine import Machine
from lamppost.cameras.simulated.markup import Markup, tag
from lamppost.cameras.simulated.nodes import Node, read

GROUP: Final = "239.255.255.250"
PORT: Final = 3702
_DISCOVERY: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_PREFIXES: Final = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "a": _ADDRESSING,
    "d": _DISCOVERY,
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
}
_DECLARED: Final = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _PREFIXES.items())
_TYPES: Final = ((_PREFIXES["dn"], "NetworkVideoTransmitter"), (_PREFIXES["tds"], "Device"))
_STRICT: Final = f"{_DISCOVERY}/strcmp0"
_MOST_BYTES: Final = 65_535


class DiscoveryResponder:
    """Answers probes at `address` and to the group, and says hello and bye. A thread of its own, which ends with `close`.

    `url_at` tells the device's URL as it is reached over an address of ours.
    """

    def __init__(self, machine: Machine, address: str, port: int, url_at: Callable[[str], str], *, interface: str = "") -> None:
        self._machine = machine
        self._url_at = url_at
        self._interface = interface or address
        self._instance = machine.clock.wall_us() // 1_000_000
        self._number = 0
        try:
            self._own = _udp(address, port)
            self.port = int(self._own.getsockname()[1])
            self._group = _udp(GROUP, self.port)
            member = socket.inet_aton(GROUP) + socket.inet_aton(self._interface)
            self._group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            self._own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self._interface))
            self._own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        except OSError as error:
            problem = f"who looks for devices cannot be answered at {address}"
            raise ConfigError(problem, remedy="name an IPv4 address of this machine, or do without (--no-discovery)") from error
        self._wake, self._waker = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="simulated camera: discovery", daemon=True)
        self._thread.start()
        self._tell("Hello", self._known(self._interface))

    def close(self, *, with_bye: bool) -> None:
        """Leave; `with_bye` tells the others, which a camera without power cannot."""
        if with_bye:
            self._tell("Bye", self._reference())
        self._waker.close()
        self._thread.join()
        for each in (self._own, self._group, self._wake):
            each.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as waiting:
            for each in (self._own, self._group, self._wake):
                waiting.register(each, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in waiting.select()]
                if self._wake in ready:
                    return
                for one in (self._own, self._group):
                    if one in ready:
                        self._receive(one)

    def _receive(self, one: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):  # hostile, or gone: nobody has to be answered
            content, peer = one.recvfrom(_MOST_BYTES)
            root = read(content)
            probe = root.first("Probe")
            if not self._machine.state.is_discoverable or probe is None or probe.namespace != _DISCOVERY or not self._fits(probe):
                return
            match = tag("d:ProbeMatches", tag("d:ProbeMatch", self._known(_towards(peer))))
            self._own.sendto(self._message("ProbeMatches", match, relates_to=root.value("MessageID")), peer)

    def _fits(self, probe: Node) -> bool:
        """Whether a probe means this camera: all its types, and all its scopes or what they begin with."""
        types, scopes = probe.first("Types"), probe.first("Scopes")
        for name in types.text.split() if types is not None else ():
            prefix, _, local = name.rpartition(":")
            if types is None or (types.prefixes.get(prefix, ""), local) not in _TYPES:
                return False
        wanted = scopes.text.split() if scopes is not None else []
        is_strict = scopes is not None and scopes.attributes.get("MatchBy") == _STRICT
        own = self._machine.scopes()
        return all(any(scope == want or (not is_strict and scope.startswith(f"{want.rstrip('/')}/")) for scope in own) for want in wanted)

    def _reference(self) -> Markup:
        return tag("a:EndpointReference", tag("a:Address", self._machine.endpoint))

    def _known(self, over: str) -> Markup:
        return Markup(
            self._reference()
            + tag("d:Types", "dn:NetworkVideoTransmitter tds:Device")
            + tag("d:Scopes", " ".join(self._machine.scopes()))
            + tag("d:XAddrs", self._url_at(over))
            + tag("d:MetadataVersion", self._machine.metadata_version)
        )

    def _tell(self, word: str, content: Markup) -> None:
        with contextlib.suppress(OSError):  # no way to the group, as in a network of one
            self._own.sendto(self._message(word, tag(f"d:{word}", content)), (GROUP, self.port))

    def _message(self, action: str, body: Markup, *, relates_to: str = "") -> bytes:
        self._number += 1
        header = tag(
            "env:Header",
            tag("a:MessageID", f"urn:uuid:{uuid.uuid4()}"),
            tag("a:RelatesTo", relates_to) if relates_to else None,
            tag("a:To", f"{_ADDRESSING}/role/anonymous" if relates_to else "urn:schemas-xmlsoap-org:ws:2005:04:discovery"),
            tag("a:Action", f"{_DISCOVERY}/{action}"),
            tag("d:AppSequence", InstanceId=self._instance, MessageNumber=self._number),
        )
        return f'<?xml version="1.0" encoding="UTF-8"?><env:Envelope{_DECLARED}>{header}{tag("env:Body", body)}</env:Envelope>'.encode()


def _udp(address: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Many cameras may listen to the group on one machine.
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError:
        bound.close()
        raise
    return bound


def _towards(peer: tuple[str, int]) -> str:
    """Our own address on the way to `peer`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect(peer)
        return str(way.getsockname()[0])
