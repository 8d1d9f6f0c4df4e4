"""Finds devices: by a call to all on networks of ours, and by asking the addresses of a range one by one.

One thread, no password, and a bound on everything: addresses, open sockets,
answers, and time. Only addresses in the camera networks are asked, and only
their answers are read.
"""

from __future__ import annotations

import contextlib
import fcntl
import selectors
import socket
import struct
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from typing import Final, cast

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError, UnreadableReply
from lamppost.cameras import ws_discovery
from lamppost.cameras.knocking import Knock
from lamppost.model.devices import DeviceIdentity, FoundDevice
from lamppost.model.networks import CameraNetworks

MOST_ADDRESSES: Final = 4096
MOST_FOUND: Final = 2000
LISTEN_S: Final = 2.0  # for the last answers
_MOST_ANSWERS: Final = 8000
_CALLS_AT_S: Final = (0.0, 0.3, 0.9)  # a datagram may get lost
_DATAGRAMS_A_TURN: Final = 64
_MOST_KNOCKS: Final = 400
_TURN_S: Final = 0.02
_LONGEST: Final = 65_535

OnFound = Callable[[FoundDevice], None]


def search(
    networks: CameraNetworks,
    clock: Clock,
    *,
    interfaces: Sequence[str] = (),
    ranges: Sequence[str] = (),
    timeout_s: float = 5.0,
    stop: threading.Event | None = None,
    on_found: OnFound | None = None,
    on_progress: Callable[[float], None] | None = None,
    port: int = ws_discovery.PORT,
) -> tuple[FoundDevice, ...]:
    """The devices that have answered, in the order of their answers; `on_found` is told each at once, `on_progress` 0 to 1.

    Calls on `interfaces`, addresses of ours, or on all suitable ones; asks every address of `ranges`. Raises `ConfigError` for
    ranges and interfaces that cannot be used, before anything is sent. Ends by `timeout_s`, or when `stop` is set.
    """
    addresses = addresses_of(ranges, networks)
    with contextlib.ExitStack() as stack:
        round_ = _Round(networks, clock, on_found, port)
        stack.callback(round_.close)
        round_.begin(interfaces, addresses)
        began_s = clock.monotonic_s()
        while not (stop is not None and stop.is_set()):
            now_s = clock.monotonic_s() - began_s
            if now_s >= timeout_s:
                break
            round_.turn(now_s)
            if on_progress is not None:
                on_progress(min(1.0, max(round_.progress, now_s / timeout_s)))
            if round_.is_idle and now_s >= max(round_.asked_s + LISTEN_S, _CALLS_AT_S[-1] + LISTEN_S):
                break
    return tuple(round_.found.values())


def addresses_of(ranges: Iterable[str], networks: CameraNetworks) -> tuple[str, ...]:
    """Every address of `ranges`; raises `ConfigError` for what is no range, too large, or in no camera network."""
    found: dict[str, None] = {}
    for text in ranges:
        try:
            network = ip_network(text.strip(), strict=False)
        except ValueError as error:
            raise ConfigError(f"{text.strip()[:64]!r} is no range of addresses", remedy="write it as 10.20.0.0/24") from error
        if network.num_addresses > MOST_ADDRESSES:
            raise ConfigError(f"{network} has more than {MOST_ADDRESSES} addresses", remedy="ask smaller ranges, one after the other")
        hosts = [str(address) for address in network.hosts()]
        refused = next((why for address in hosts if (why := networks.why_not(address))), "")
        if refused:
            raise ConfigError(f"{network}: {refused}", remedy="name its network in `networks` of [devices]")
        found |= dict.fromkeys(hosts)
        if len(found) > MOST_ADDRESSES:
            raise ConfigError(f"the ranges have more than {MOST_ADDRESSES} addresses together", remedy="ask them one after the other")
    return tuple(found)


def own_addresses(networks: CameraNetworks) -> tuple[str, ...]:
    """The IPv4 addresses of this machine whose networks may have cameras; loopback where cameras may be on it."""
    found: dict[str, None] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = fcntl.ioctl(probe.fileno(), 0x8915, struct.pack("256s", name.encode()[:15]))  # SIOCGIFADDR
                address = socket.inet_ntoa(answer[20:24])
                # Whether cameras may be behind an interface: one that may is as good as our own address there.
                if networks.holds(address):
                    found[address] = None
    return tuple(found)


class _Round:
    """One search. `found` has each device once, by what tells it from others."""

    def __init__(self, networks: CameraNetworks, clock: Clock, on_found: OnFound | None, port: int) -> None:
        self.found: dict[str, FoundDevice] = {}
        self.asked_s = 0.0
        self._networks = networks
        self._clock = clock
        self._on_found = on_found
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._probes = ws_discovery.probes((str(uuid.uuid4()), str(uuid.uuid4())))
        self._calling: list[socket.socket] = []
        self._asking: socket.socket | None = None
        self._calls = deque(_CALLS_AT_S)
        self._unasked: deque[str] = deque()
        self._unknocked: deque[tuple[str, int]] = deque()
        self._knocks: dict[socket.socket, Knock] = {}
        self._addresses: set[str] = set()
        self._total = 0
        self._answers = 0

    @property
    def is_idle(self) -> bool:
        return not (self._calls or self._unasked or self._unknocked or self._knocks)

    @property
    def progress(self) -> float:
        """How much of the ranges is asked, 0 to 1."""
        left = len(self._unasked) + len(self._unknocked) + len(self._knocks)
        return 1.0 - left / self._total if self._total else 0.0

    def begin(self, interfaces: Sequence[str], addresses: Sequence[str]) -> None:
        """Open what is needed; raises `ConfigError` for an interface that is none of ours."""
        for interface in interfaces or own_addresses(self._networks):
            try:
                self._calling.append(self._listening(_calling_socket(interface)))
            except OSError as error:
                if interfaces:
                    raise ConfigError(
                        f"nothing can be called from {interface}: {error.strerror or error}", remedy="name an address of this machine"
                    ) from error
        if addresses:
            self._asking = self._listening(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._unasked.extend(address for address in addresses if ":" not in address)
        self._unknocked.extend((address, Knock.PORTS[0]) for address in addresses)
        self._total = max(1, len(self._unasked) + len(self._unknocked))

    def turn(self, now_s: float) -> None:
        """Send what is due, and read what has come."""
        while self._calls and self._calls[0] <= now_s:
            self._calls.popleft()
            for end in self._calling:
                self._send(end, (ws_discovery.GROUP, self._port))
        for _ in range(min(_DATAGRAMS_A_TURN, len(self._unasked))):
            self._send(self._asking, (self._unasked.popleft(), self._port))
        while self._unknocked and len(self._knocks) < _MOST_KNOCKS:
            self._knock(*self._unknocked.popleft(), now_s)
        if not self.is_idle:
            self.asked_s = now_s
        for key, _ in self._selector.select(_TURN_S):
            end = cast("socket.socket", key.fileobj)
            if end in self._knocks:
                self._go_on(end)
            else:
                self._hear(end)
        for late in [end for end, knock in self._knocks.items() if knock.is_over(now_s)]:
            self._end(late)

    def close(self) -> None:
        for end in [*self._calling, *self._knocks, *((self._asking,) if self._asking is not None else ())]:
            end.close()
        self._selector.close()

    def _listening(self, end: socket.socket) -> socket.socket:
        end.setblocking(False)
        self._selector.register(end, selectors.EVENT_READ)
        return end

    def _send(self, end: socket.socket | None, place: tuple[str, int]) -> None:
        for probe in self._probes:
            with contextlib.suppress(OSError):  # no way there, or no room: others are asked all the same
                if end is not None:
                    end.sendto(probe, place)

    def _hear(self, end: socket.socket) -> None:
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                content, (sender, *_rest) = end.recvfrom(_LONGEST)
            except OSError:
                return
            self._answers += 1
            if self._answers > _MOST_ANSWERS or not self._networks.holds(sender):
                continue
            with contextlib.suppress(UnreadableReply):
                for device in ws_discovery.read_answer(content, sender):
                    self._add(device)

    def _knock(self, address: str, port: int, now_s: float) -> None:
        if address in self._addresses:
            return
        knock = Knock(address, port, now_s)
        end = knock.open()
        if end is not None:
            self._knocks[end] = knock
            self._selector.register(end, selectors.EVENT_WRITE)

    def _go_on(self, end: socket.socket) -> None:
        knock = self._knocks[end]
        was_connected = knock.is_connected
        knock.go_on(end)
        if knock.is_done:
            self._end(end)
        elif knock.is_connected and not was_connected:
            self._selector.modify(end, selectors.EVENT_READ)

    def _end(self, end: socket.socket) -> None:
        knock = self._knocks.pop(end)
        self._selector.unregister(end)
        end.close()
        if knock.has_answered and knock.address not in self._addresses:
            self._add(FoundDevice(knock.address, knock.device_url, DeviceIdentity(), (), ""))
        elif knock.is_alive and knock.port == Knock.PORTS[0]:
            self._unknocked.extend((knock.address, port) for port in Knock.PORTS[1:])

    def _add(self, device: FoundDevice) -> None:
        key = device.endpoint or device.identity.mac or device.device_url
        if len(self.found) >= MOST_FOUND or key in self.found:
            return
        # One that was knocked at before it answered the call is told once, and by what says more.
        if not device.endpoint and device.address in self._addresses:
            return
        self.found = {name: known for name, known in self.found.items() if known.endpoint or known.address != device.address}
        self.found[key] = device
        self._addresses.add(device.address)
        if self._on_found is not None:
            self._on_found(device)


def _calling_socket(interface: str) -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        number = socket.inet_aton(interface)
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, number)
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        end.bind((interface, 0))
    except OSError:
        end.close()
        raise
    return end
