"""Sends the filmed street to one viewer as RTP with sender reports (RFC 3550), over TCP or UDP."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final, Protocol

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import ConfigError
from lamppost.pipeline.street_broadcast import PAYLOAD_TYPE, Filmed, StreetBroadcast

_REPORT_S: Final = 5.0
_WAIT_S: Final = 1.0
_NTP_ERA_S: Final = 2_208_988_800
_HEADER: Final = struct.Struct(">BBHII")
_FRAME: Final = struct.Struct(">BBH")
_SENDER_REPORT: Final = struct.Struct(">BBHIIIIII")
_CNAME: Final = b"simulated"
_PAIR_TRIES: Final = 20


class Way(Protocol):
    """How packets travel; `transport` is what SETUP answers. `send` raises `OSError` where nobody takes them."""

    @property
    def transport(self) -> str: ...

    def send(self, packets: list[bytes]) -> None: ...

    def report(self, content: bytes) -> None: ...

    def close(self) -> None: ...


class InterleavedWay:
    """Between the answers, on the connection of the requests (RFC 2326, 10.12)."""

    def __init__(self, write: Callable[[bytes], None], channel: int) -> None:
        self._write = write
        self._channel = channel

    @property
    def transport(self) -> str:
        return f"RTP/AVP/TCP;unicast;interleaved={self._channel}-{self._channel + 1}"

    def send(self, packets: list[bytes]) -> None:
        self._write(b"".join(_FRAME.pack(0x24, self._channel, len(packet)) + packet for packet in packets))

    def report(self, content: bytes) -> None:
        self._write(_FRAME.pack(0x24, self._channel + 1, len(content)) + content)

    def close(self) -> None:
        """The connection is another's."""


class DatagramWay:
    """To two ports of the client, from two of ours."""

    def __init__(self, own: str, peer: str, port: int) -> None:
        self._peer = peer
        self._client = port
        self._media, self._reports = _pair(own)
        self._server = int(self._media.getsockname()[1])

    @property
    def transport(self) -> str:
        return f"RTP/AVP;unicast;client_port={self._client}-{self._client + 1};server_port={self._server}-{self._server + 1}"

    def send(self, packets: list[bytes]) -> None:
        # A client that is not there yet, or no longer, says so by ICMP.
        with contextlib.suppress(ConnectionRefusedError):
            for packet in packets:
                self._media.sendto(packet, (self._peer, self._client))

    def report(self, content: bytes) -> None:
        with contextlib.suppress(ConnectionRefusedError):
            self._reports.sendto(content, (self._peer, self._client + 1))

    def close(self) -> None:
        self._media.close()
        self._reports.close()


def _pair(address: str) -> tuple[socket.socket, socket.socket]:
    """Two sockets on an even port and the next one (RFC 3550, section 11)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for _ in range(_PAIR_TRIES):
        first, second = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_DGRAM)
        with contextlib.suppress(OSError):
            first.bind((address, 0))
            port = int(first.getsockname()[1])
            if port % 2 == 0 and port < 65_535:
                second.bind((address, port + 1))
                return first, second
        first.close()
        second.close()
    raise ConfigError(f"{address} has no two free ports", remedy="ask for the stream over TCP")


class Delivery:
    """One viewer's packets, sent by a thread of its own from `start` to `close`."""

    def __init__(self, broadcast: StreetBroadcast, way: Way, clock: Clock, device_us: Callable[[], int]) -> None:
        self._broadcast = broadcast
        self._way = way
        self._clock = clock
        self._device_us = device_us
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._offset_90k = secrets.randbits(31)
        self._packets = 0
        self._octets = 0
        self._viewer = broadcast.watch()
        self._thread: threading.Thread | None = None

    @property
    def told(self) -> str:
        """What `RTP-Info` says of the packet to come."""
        return f"seq={self._sequence};rtptime={self._stamp(self._broadcast.now_90k)}"

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="simulated RTSP: delivery", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._broadcast.leave(self._viewer)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        reported_s = -_REPORT_S
        with contextlib.suppress(OSError):  # nobody takes it any more
            while not self._viewer.is_over:
                filmed = self._viewer.take(_WAIT_S)
                if filmed is None:
                    continue
                self._way.send(self._packed(filmed))
                now_s = self._clock.monotonic_s()
                if now_s - reported_s >= _REPORT_S:
                    reported_s = now_s
                    self._way.report(self._report())

    def _packed(self, filmed: Filmed) -> list[bytes]:
        stamp = self._stamp(filmed.time_90k)
        packets: list[bytes] = []
        for number, payload in enumerate(filmed.payloads, 1):
            marker = 0x80 if number == len(filmed.payloads) else 0
            packets.append(_HEADER.pack(0x80, marker | PAYLOAD_TYPE, self._sequence, stamp, self._ssrc) + payload)
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._packets += 1
            self._octets += len(payload)
        return packets

    def _report(self) -> bytes:
        """A sender report and a name (RFC 3550, 6.4.1 and 6.5): what the camera's clock says of the stream's time."""
        second, part_us = divmod(self._device_us(), US_PER_S)
        fraction = (part_us << 32) // US_PER_S
        counts = (self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF)
        time = ((second + _NTP_ERA_S) & 0xFFFFFFFF, fraction, self._stamp(self._broadcast.now_90k))
        report = _SENDER_REPORT.pack(0x80, 200, 6, self._ssrc, *time, *counts)
        item = bytes((1, len(_CNAME))) + _CNAME
        chunk = struct.pack(">I", self._ssrc) + item + bytes(4 - len(item) % 4)
        return report + struct.pack(">BBH", 0x81, 202, len(chunk) // 4) + chunk

    def _stamp(self, time_90k: int) -> int:
        return (self._offset_90k + time_90k) & 0xFFFFFFFF
