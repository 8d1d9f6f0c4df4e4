"""Finds devices: by a call to all on networks of ours, and by asking the addresses of a range one by one.

One thread, no password, and a bound on everything: addresses, open sockets,
answers, and time. Only addresses in the camera networks are asked, and only
their answers are read.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address, ip_network
from typing import Final, cast

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError, UnreadableReply
from lamppost.base.own_addresses import own_ipv4
from lamppost.cameras import ws_discovery
from lamppost.cameras.knocking import DOORS, FIRST, Door, Knock, any_certificate
from lamppost.model.device_settings import MOST_SEARCHED
from lamppost.model.devices import FoundDevice
from lamppost.model.networks import CameraNetworks

MOST_ADDRESSES: Final = MOST_SEARCHED
MOST_FOUND: Final = 2000
MOST_AT_ONE_ADDRESS: Final = 32  # recorders, and simulated cameras, have several devices at one
MOST_ANSWERS_OF_ONE: Final = 64  # a device answers two questions, put three times, on each of our networks
LISTEN_S: Final = 2.0  # for the last answers
_MOST_ANSWERS: Final = 8000
_CALLS_AT_S: Final = (0.0, 0.3, 0.9)  # a datagram may get lost
# So many addresses a second: the table of neighbours of a Linux machine has room for 1024 that do not answer, for 3 s each.
_ASKED_PER_S: Final = 340
_ASKED_A_TURN: Final = 32
_DATAGRAMS_A_TURN: Final = 256
_READ_A_TURN: Final = 16
# Twice for each address, while nobody answers for 0.8 s: fewer would make a search of many longer.
_MOST_KNOCKS: Final = 640
_TURN_S: Final = 0.02
_LONGEST: Final = 65_535
_ROOM_BYTES: Final = 4 << 20

OnFound = Callable[[tuple[FoundDevice, ...]], None]


def search(
    networks: CameraNetworks,
    clock: Clock,
    *,
    interfaces: Sequence[str] = (),
    ranges: Sequence[str] = (),
    doors: Collection[Door] = (),
    timeout_s: float = 5.0,
    stop: threading.Event | None = None,
    on_found: OnFound | None = None,
    on_open: Callable[[str, int], None] | None = None,
    on_progress: Callable[[float], None] | None = None,
    port: int = ws_discovery.PORT,
) -> tuple[FoundDevice, ...]:
    """The devices that have answered, each once for each place where it is asked.

    Calls on `interfaces`, addresses of ours, or on all suitable ones; asks every address of `ranges`, at the usual doors and at
    `doors`. `on_found` is told all found so far each time there is more to tell, `on_open` each address and port that takes a
    connection, `on_progress` 0 to 1. Raises `ConfigError` for ranges and interfaces that cannot be used, before anything is sent,
    and `OSError` where there is no socket left. Ends by `timeout_s`, or when `stop` is set.
    """
    addresses = [address for address in addresses_of(ranges, networks) if networks.holds(address)]
    check_interfaces(interfaces)
    with contextlib.ExitStack() as stack:
        round_ = _Round(networks, clock, on_found, on_open, port)
        stack.callback(round_.close)
        round_.begin(interfaces, addresses, [door for door in doors if door not in DOORS])
        began_s, told = clock.monotonic_s(), 0.0
        while not (stop is not None and stop.is_set()):
            now_s = clock.monotonic_s() - began_s
            if now_s >= timeout_s:
                break
            round_.turn(now_s)
            told = max(told, min(1.0, max(round_.progress, now_s / timeout_s)))
            if on_progress is not None:
                on_progress(told)
            if round_.is_idle and now_s >= max(round_.asked_s, _CALLS_AT_S[-1]) + LISTEN_S:
                break
    return tuple(round_.found.values())


def lasts_s(ranges: Iterable[str]) -> float:
    """How long a search of `ranges` takes at most, unless it is ended before."""
    count = sum(min(ip_network(text.strip(), strict=False).num_addresses, MOST_ADDRESSES) for text in ranges)
    # Who is there is asked at the other doors, and then once more: 2 or 3 s each at most.
    return (3 if count else 2) * LISTEN_S + 1.5 * min(count, MOST_ADDRESSES) / _ASKED_PER_S


def addresses_of(ranges: Iterable[str], networks: CameraNetworks) -> tuple[str, ...]:
    """Every address of `ranges`, each once; raises `ConfigError` for what is no range, too large, or in no camera network."""
    found: dict[str, None] = {}
    for text in ranges:
        try:
            network = ip_network(text.strip(), strict=False)
        except ValueError as error:
            raise ConfigError(f"{text.strip()[:64]!r} is no range of addresses", remedy="write it as 10.20.0.0/24") from error
        if network.num_addresses > MOST_ADDRESSES:
            raise ConfigError(f"{network} has more than {MOST_ADDRESSES} addresses", remedy="ask smaller ranges, one after the other")
        hosts = [host for address in network.hosts() if (host := str(address)) not in found]
        # In the range of our own network lies our own address: it is left out in the search.
        judge = networks.why_not if len(hosts) == 1 else networks.why_outside
        refused = next((why for address in hosts if (why := judge(address))), "")
        if refused:
            raise ConfigError(f"{network}: {refused}", remedy="name its network in `networks` of [devices]")
        found |= dict.fromkeys(hosts)
        if len(found) > MOST_ADDRESSES:
            raise ConfigError(f"the ranges have more than {MOST_ADDRESSES} addresses together", remedy="ask them one after the other")
    return tuple(found)


def check_interfaces(interfaces: Iterable[str]) -> None:
    """Raises `ConfigError` for what is no IPv4 address of this machine."""
    ours = own_ipv4()
    for interface in interfaces:
        try:
            is_ours = str(IPv4Address(interface)) in ours
        except AddressValueError:
            is_ours = False
        if not is_ours:
            raise ConfigError(
                f"nothing can be called from {interface[:64]!r}: it is no address of this machine",
                remedy=f"name one of these: {', '.join(ours[:8]) or 'there is none'}",
            )


def own_addresses(networks: CameraNetworks) -> tuple[str, ...]:
    """The IPv4 addresses of this machine that lie in camera networks: cameras are where one of ours is."""
    return tuple(address for address in own_ipv4() if not networks.why_outside(address))


class _Round:
    """One search. `found` has each device once, by where it is asked."""

    def __init__(
        self,
        networks: CameraNetworks,
        clock: Clock,
        on_found: OnFound | None,
        on_open: Callable[[str, int], None] | None,
        port: int,
    ) -> None:
        self.found: dict[str, FoundDevice] = {}
        self.asked_s = 0.0
        self._networks = networks
        self._clock = clock
        self._on_found = on_found
        self._on_open = on_open
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._probes = ws_discovery.probes((str(uuid.uuid4()), str(uuid.uuid4())))
        self._calling: list[socket.socket] = []
        self._asking: socket.socket | None = None
        self._calls = deque(_CALLS_AT_S)
        self._unasked: deque[str] = deque()
        self._doors: tuple[Door, ...] = FIRST
        self._unknocked: deque[tuple[str, Door, bool]] = deque()
        self._knocks: dict[socket.socket, Knock] = {}
        self._context = any_certificate()
        self._alive: set[str] = set()  # where the other doors are tried
        self._called: set[str] = set()  # who has answered a call, and needs not be knocked at
        self._told: set[str] = set()  # which of `found` have answered a call
        self._at: Counter[str] = Counter()
        self._answers_of: Counter[str] = Counter()
        self._total = 0
        self._asked = 0
        self._answers = 0

    @property
    def is_idle(self) -> bool:
        return not (self._calls or self._unasked or self._unknocked or self._knocks)

    @property
    def progress(self) -> float:
        """How much of the ranges is asked, 0 to 1."""
        left = len(self._unasked) + len(self._unknocked) + len(self._knocks)
        return 1.0 - left / self._total if self._total else 0.0

    def begin(self, interfaces: Sequence[str], addresses: Sequence[str], doors: Sequence[Door]) -> None:
        """Open what is needed; raises `ConfigError` for an interface that nothing can be called from."""
        for interface in interfaces or own_addresses(self._networks):
            try:
                self._calling.append(_calling_socket(interface))
            except OSError as error:
                if interfaces:
                    raise ConfigError(
                        f"nothing can be called from {interface}: {error.strerror or error}", remedy="is that network up?"
                    ) from error
        if addresses:
            self._asking = _socket()
        for end in (*self._calling, *((self._asking,) if self._asking is not None else ())):
            self._selector.register(end, selectors.EVENT_READ)
        self._unasked.extend(addresses)
        self._doors = (*FIRST, *doors)
        self._total = len(addresses)

    def turn(self, now_s: float) -> None:
        """Send what is due, and read what has come."""
        while self._calls and self._calls[0] <= now_s:
            self._calls.popleft()
            for end in self._calling:
                self._send(end, (ws_discovery.GROUP, self._port))
        self._ask(now_s)
        while self._unknocked and len(self._knocks) < _MOST_KNOCKS and self._knock(*self._unknocked.popleft(), now_s):
            pass
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

    def _ask(self, now_s: float) -> None:
        """Turn to as many addresses as are due, unless knocks are waiting already."""
        due = min(_ASKED_A_TURN, 1 + int(now_s * _ASKED_PER_S) - self._asked)
        while due > 0 and self._unasked and len(self._unknocked) < _MOST_KNOCKS:
            address = self._unasked.popleft()
            self._asked, due = self._asked + 1, due - 1
            if ":" not in address:
                self._send(self._asking, (address, self._port))
            self._unknocked.extend((address, door, False) for door in self._doors)

    def _send(self, end: socket.socket | None, place: tuple[str, int]) -> None:
        for probe in self._probes:
            with contextlib.suppress(OSError):  # no way there, or no room: others are asked all the same
                if end is not None:
                    end.sendto(probe, place)

    def _hear(self, end: socket.socket) -> None:
        # What is dropped is dropped fast, so that a storm does not keep out what others have to say.
        heard = 0
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                content, (sender, *_rest) = end.recvfrom(_LONGEST)
            except OSError:
                return
            if self._answers >= _MOST_ANSWERS or not self._networks.holds(sender):
                continue
            self._answers_of[sender] += 1
            if self._answers_of[sender] > MOST_ANSWERS_OF_ONE:
                continue
            self._answers += 1
            with contextlib.suppress(UnreadableReply):
                for device in ws_discovery.read_answer(content, sender):
                    self._add(device, is_called=True)
            heard += 1
            if heard == _READ_A_TURN:
                return

    def _knock(self, address: str, door: Door, asks_who: bool, now_s: float) -> bool:
        """Begin; false where no socket is left, and the rest has to wait."""
        if address in self._called and door in DOORS and not self._lacks_certificate(address, door):
            return True
        knock = Knock(address, door, now_s, asks_who=asks_who, context=self._context)
        try:
            end = knock.open()
        except OSError:
            self._unknocked.appendleft((address, door, asks_who))
            return False
        if end is None:
            self._try_others(knock)
            return True
        self._knocks[end] = knock
        self._selector.register(end, selectors.EVENT_WRITE)
        return True

    def _go_on(self, end: socket.socket) -> None:
        knock = self._knocks[end]
        was_connected = knock.is_connected
        knock.go_on(end)
        if knock.is_connected and not was_connected:
            if self._on_open is not None and not knock.asks_who:
                self._on_open(knock.address, knock.door.port)
            self._selector.modify(end, selectors.EVENT_READ)
        if knock.is_done:
            self._end(end)

    def _end(self, end: socket.socket) -> None:
        knock = self._knocks.pop(end)
        self._selector.unregister(end)
        end.close()
        self._try_others(knock)
        if knock.certificate_sha256 and self._lacks_certificate(knock.address, knock.door):
            self._put(replace(self.found[knock.device_url], certificate_sha256=knock.certificate_sha256))
        if not knock.has_answered or knock.address in self._called:
            return
        self._add(FoundDevice(knock.address, knock.device_url, knock.identity, (), "", knock.certificate_sha256))
        if not knock.asks_who and knock.device_url in self.found:
            self._unknocked.appendleft((knock.address, knock.door, True))

    def _lacks_certificate(self, address: str, door: Door) -> bool:
        """Whether a device is found there, by a call, whose certificate nobody has seen."""
        found = self.found.get(door.url_at(address)) if door.is_secure else None
        return found is not None and not found.certificate_sha256

    def _try_others(self, knock: Knock) -> None:
        if knock.is_alive and knock.address not in self._alive:
            self._alive.add(knock.address)
            self._unknocked.extend((knock.address, door, False) for door in DOORS[len(FIRST) :])

    def _add(self, device: FoundDevice, *, is_called: bool = False) -> None:
        known, is_told = self.found.get(device.device_url), device.device_url in self._told
        plain, secure = (door.url_at(device.address) for door in FIRST)
        if not is_called and device.device_url == secure and plain in self.found:
            return  # one device, which can be asked either way
        if not is_called and device.device_url == plain and secure in self.found and secure not in self._told:
            self._forget(secure)
        if is_told or (known is not None and not is_called and (known == device or not device.identity.vendor)):
            return
        if is_called:
            # One that was knocked at before it answered the call is told once, and by what says more.
            for url in [url for url, each in self.found.items() if each.address == device.address and url not in self._told]:
                self._forget(url)
            self._called.add(device.address)
        is_new = device.device_url not in self.found
        if is_new and (len(self.found) >= MOST_FOUND or self._at[device.address] >= MOST_AT_ONE_ADDRESS):
            return
        self._at[device.address] += is_new
        if is_called:
            self._told.add(device.device_url)
            device = replace(device, certificate_sha256=known.certificate_sha256 if known is not None else "")
        self._put(device)
        if is_called and (door := Door.of(device.device_url)).is_secure and not device.certificate_sha256:
            self._unknocked.append((device.address, door, False))

    def _forget(self, url: str) -> None:
        self._at[self.found.pop(url).address] -= 1

    def _put(self, device: FoundDevice) -> None:
        self.found[device.device_url] = device
        if self._on_found is not None:
            self._on_found(tuple(self.found.values()))


def _calling_socket(interface: str) -> socket.socket:
    end = _socket()
    try:
        number = socket.inet_aton(interface)
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, number)
        end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        end.bind((interface, 0))
    except OSError:
        end.close()
        raise
    return end


def _socket() -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.setblocking(False)
    # Hundreds of devices answer within half a second; the system gives what it allows.
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM_BYTES)
    return end
