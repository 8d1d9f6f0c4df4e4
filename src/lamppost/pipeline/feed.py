"""The way of packets from a recorder to an analyst: one socket a camera, never waited on.

Each message is a fixed header and a payload. The writer never blocks: when the
socket is full it drops everything up to the next keyframe and counts; the count
travels with the next packet, so that the analyst covers what it did not see.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from lamppost.model.media import Codec, Packet, RunStarted, StreamParameters

_HEADER = struct.Struct(">BBxxIqqqqI")
_KEYFRAME, _CORRUPT = 1, 2
_PAYLOAD_LIMIT_BYTES = 64 << 20
PIECE_BYTES = 1 << 18


class _Type(IntEnum):
    RUN = 1
    PACKET = 2


@dataclass(frozen=True, slots=True)
class PacketsDropped:
    """So many packets were not sent; what follows starts at a keyframe."""

    packets: int


FeedItem = RunStarted | Packet | PacketsDropped


class FeedWriter:
    """The recorder's end. Loses packets rather than time, and counts them.

    An analyst that comes late, or anew, is sent the run's parameters and then
    packets from the next keyframe on.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._offered: socket.socket | None = None
        self._offer_lock = threading.Lock()
        self._unsent = b""
        self._run: RunStarted | None = None
        self._is_run_sent = False
        self._is_waiting_for_keyframe = True
        self._dropped = 0
        self.dropped_packets = 0

    def offer(self, end: socket.socket) -> None:
        """From any thread: send to `end` from the next keyframe on, in place of the present one."""
        with self._offer_lock:
            stale, self._offered = self._offered, end
        if stale is not None:
            stale.close()

    def _attach(self, end: socket.socket) -> None:
        self._hang_up()
        end.setblocking(False)
        self._socket = end
        self._unsent = b""
        self._is_run_sent = False
        self._is_waiting_for_keyframe = True
        self._dropped = 0

    def detach(self) -> None:
        """Close the socket, and one that was offered; packets are dropped, uncounted, until another end is offered."""
        with self._offer_lock:
            offered, self._offered = self._offered, None
        if offered is not None:
            offered.close()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def start_run(self, run: RunStarted) -> None:
        """Tell the analyst, before the run's first keyframe, how to decode it."""
        self._run = run
        self._is_run_sent = False
        self._is_waiting_for_keyframe = True

    def send(self, packet: Packet) -> None:
        """Send `packet` if there is room at once."""
        if self._offered is not None:
            with self._offer_lock:
                offered, self._offered = self._offered, None
            self._attach(offered)
        if self._socket is None or self._run is None:
            return
        if self._is_waiting_for_keyframe and not packet.is_keyframe:
            self._count_dropped()
            return
        if not self._flush():
            self._is_waiting_for_keyframe = True
            self._count_dropped()
            return
        if not self._is_run_sent:
            self._write(_run_message(self._run))
            self._is_run_sent = True
        self._is_waiting_for_keyframe = False
        self._write(_packet_message(packet, self._dropped))
        self._dropped = 0

    def _count_dropped(self) -> None:
        if self._is_run_sent:
            self._dropped += 1
            self.dropped_packets += 1

    def _flush(self) -> bool:
        unsent, self._unsent = self._unsent, b""
        if unsent:
            self._write(unsent)
        return not self._unsent

    def _write(self, message: bytes) -> None:
        # At most one run message and one packet can wait here, since `send` flushes first.
        if self._unsent:
            self._unsent += message
            return
        if self._socket is None:
            return
        try:
            sent = self._socket.send(message, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._hang_up()
            return
        self._unsent = message[sent:]


class FeedParser:
    """What the recorder sent, put together from pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.is_broken = False  # a length that no recorder sends: nothing after it can be trusted

    def take(self, piece: bytes) -> Iterator[FeedItem]:
        """The items that `piece` completes, in order."""
        self._buffer += piece
        while len(self._buffer) >= _HEADER.size and not self.is_broken:
            kind, flags, length, pts_90k, dts_90k, duration_90k, wall_us, dropped = _HEADER.unpack_from(self._buffer)
            self.is_broken = length > _PAYLOAD_LIMIT_BYTES
            end = _HEADER.size + length
            if self.is_broken or len(self._buffer) < end:
                return
            payload = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            if kind == _Type.RUN:
                yield _parse_run(payload)
                continue
            if dropped:
                yield PacketsDropped(dropped)
            is_keyframe, is_corrupt = bool(flags & _KEYFRAME), bool(flags & _CORRUPT)
            yield Packet(payload, pts_90k, dts_90k, duration_90k, wall_us, is_keyframe, is_corrupt)


def read_feed(end: socket.socket) -> Iterator[FeedItem]:
    """What the recorder sent, in order, until its end is closed or lost; waits for it."""
    end.setblocking(True)
    parser = FeedParser()
    while not parser.is_broken and (piece := end.recv(PIECE_BYTES)):
        yield from parser.take(piece)


def _packet_message(packet: Packet, dropped: int) -> bytes:
    flags = (_KEYFRAME if packet.is_keyframe else 0) | (_CORRUPT if packet.is_corrupt else 0)
    header = _HEADER.pack(
        _Type.PACKET, flags, len(packet.data), packet.pts_90k, packet.dts_90k, packet.duration_90k, packet.wall_us, dropped
    )
    return header + packet.data


def _run_message(run: RunStarted) -> bytes:
    parameters = run.parameters
    payload = json.dumps(
        {
            "codec": parameters.codec.value,
            "parameter_sets": parameters.parameter_sets.hex(),
            "width_px": parameters.width_px,
            "height_px": parameters.height_px,
            "frame_interval_90k": parameters.frame_interval_90k,
        }
    ).encode()
    return _HEADER.pack(_Type.RUN, 0, len(payload), 0, 0, 0, 0, 0) + payload


def _parse_run(payload: bytes) -> RunStarted:
    fields = json.loads(payload)
    return RunStarted(
        StreamParameters(
            codec=Codec(fields["codec"]),
            parameter_sets=bytes.fromhex(fields["parameter_sets"]),
            width_px=fields["width_px"],
            height_px=fields["height_px"],
            frame_interval_90k=fields["frame_interval_90k"],
        )
    )
