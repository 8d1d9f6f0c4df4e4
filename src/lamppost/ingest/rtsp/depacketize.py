"""Puts pictures together again from RTP payloads: H.264 (RFC 6184) and H.265 (RFC 7798).

The busiest lines of the recorder: a packet costs a handful of operations and no
copy. Parts are views of the receive buffer, joined once a picture is whole.
"""

from __future__ import annotations

import struct
from typing import ClassVar, Final, NamedTuple

from lamppost.base.annexb import Borders
from lamppost.base.clock import TICKS_PER_S
from lamppost.ingest.nal import START_CODE
from lamppost.model.media import Codec

MOST_UNIT_BYTES: Final = 16 * 1024 * 1024
"""No picture is larger; of a larger one the rest is thrown away, and it is flagged."""
_MOST_NALS: Final = 2048  # of one picture; H.265 allows 600 slices at its highest level
# So many first pictures are searched for start codes that some cameras leave inside.
_PICTURES_DOUBTED: Final = 64
_HALF, _WHOLE = 1 << 31, 1 << 32
# Between two senders' times there is no connection: this is farther than any timeline goes on.
_NEW_SENDER_90K: Final = 20 * TICKS_PER_S
_H264_SINGLE = 1, 23
_H264_STAP_A, _H264_FU_A = 24, 28
_H264_SLICES = range(1, 6)
_HEVC_FIRST_NON_VCL, _HEVC_AP, _HEVC_FU = 32, 48, 49


class Flow(NamedTuple):
    """What belongs together on one RTSP connection."""

    channel: int
    payload_type: int
    ssrc: int


class Assembled(NamedTuple):
    """One access unit. `borders` tell where its NAL units begin, behind start codes of four bytes; empty if unknown.

    `lost` counts the packets that were lost in it or right before it. `is_corrupt`: a part of it is missing for certain.
    """

    data: bytes
    borders: Borders
    pts_90k: int
    is_corrupt: bool
    lost: int


class Depacketizer:
    """Collects access units from payloads that come in order.

    A NAL unit with a hole is dropped whole, never glued together; its picture
    is flagged. `settle` must be called before the receive buffer is used again.
    """

    __slots__ = (
        "_borders",
        "_doubted",
        "_is_broken",
        "_is_collecting",
        "_is_fragment",
        "_last_pts",
        "_last_timestamp",
        "_lost",
        "_lost_before",
        "_nal_parts",
        "_nal_size",
        "_parts",
        "_settled",
        "_size",
        "_slices",
        "_timestamp",
        "_trusts_marker",
        "assembled",
    )

    # An interleaved packet that holds a fragment: framing, RTP header, and what says that it is one.
    _fragment: ClassVar[struct.Struct]
    _fragment_mask: ClassVar[int]
    _fragment_code: ClassVar[int]

    def __init__(self) -> None:
        self.assembled: list[Assembled] = []
        self._timestamp = -1
        self._last_timestamp: int | None = None
        self._last_pts = 0
        self._lost_before = 0
        self._trusts_marker = True
        self._doubted = _PICTURES_DOUBTED
        self._is_collecting = False
        self._clear()

    def _clear(self) -> None:
        self._parts: list[bytes | memoryview] = []
        self._borders: list[int] = []
        self._size: int = 0
        self._settled = 0
        self._lost = 0
        self._slices = 0
        self._is_broken = False
        # The NAL unit that is being put together from fragments: where it begins in parts and bytes.
        self._is_fragment = False
        self._nal_parts = 0
        self._nal_size: int = 0

    def push(self, view: memoryview, start: int, end: int, timestamp: int, marker: int, lost: int) -> None:
        """Take the payload `view[start:end]`; `lost` packets are missing right before it."""
        if lost:
            self._note_loss(timestamp, lost)
        if timestamp != self._timestamp or not self._is_collecting:
            self._begin(timestamp)
        if start < end:
            self._take(view, start, end)
        if marker:
            self._mark()

    def push_fragments(self, view: memoryview, position: int, end: int, flow: Flow, sequence: int) -> tuple[int, int]:
        """The short way of nearly all packets over TCP: what goes on with the NAL unit that is being put together.

        Takes the interleaved packets from `position` on, as long as each is the very next one of
        `flow`, number `sequence`, and neither begins nor ends anything. Returns where it
        stopped, and the number that is next there.
        """
        if not self._is_fragment:
            return position, sequence
        unpack, head_bytes = self._fragment.unpack_from, self._fragment.size
        mask, code, parts, size, wanted_time = self._fragment_mask, self._fragment_code, self._parts, self._size, self._timestamp
        channel, payload_type, ssrc = flow
        while end - position > head_bytes:
            dollar, number, length, flags, kind, count, timestamp, sender, indicator, head = unpack(view, position)
            stop = position + 4 + length
            # `kind` with the marker bit, and a head of 0x40 and more, end the unit; the long way knows what else may be.
            is_next = count == sequence and timestamp == wanted_time and kind == payload_type and head < 0x40 and stop <= end
            is_plain = dollar == 0x24 and number == channel and flags == 0x80 and sender == ssrc and indicator & mask == code
            added = length + 4 - head_bytes
            if not (is_next and is_plain) or added <= 0 or size + added > MOST_UNIT_BYTES:
                break
            parts.append(view[position + head_bytes : stop])
            size += added
            sequence = sequence + 1 & 0xFFFF
            position = stop
        self._size = size
        return position, sequence

    def _mark(self) -> None:
        # Some cameras set the marker on parameter sets as well.
        if self._trusts_marker and (self._slices or self._is_broken):
            self._finish()

    def _take(self, view: memoryview, start: int, end: int) -> None:
        raise NotImplementedError

    def settle(self) -> None:
        """Copy what is still collected: the receive buffer is about to be used again."""
        parts, settled, nal = self._parts, self._settled, self._nal_parts
        if len(parts) == settled:
            return
        if self._is_fragment and nal > settled:
            parts[settled:] = [b"".join(parts[settled:nal]), b"".join(parts[nal:])]
            self._nal_parts = settled + 1
        else:
            parts[settled:] = [b"".join(parts[settled:])]
        self._settled = len(parts)

    def reset(self) -> None:
        """The sender began anew: what is collected has no end, and time no connection."""
        if self._is_collecting:
            self._is_broken = True
            self._finish()
        self._last_timestamp = None
        self._last_pts += _NEW_SENDER_90K

    def flush(self) -> None:
        """The stream is over: what is collected is handed out, flagged unless nothing can be missing."""
        if self._is_collecting:
            self._is_broken = self._is_broken or self._trusts_marker
            self._finish()

    def _begin(self, timestamp: int) -> None:
        if self._is_collecting:
            self._finish()
        self._is_collecting = True
        self._lost, self._lost_before = self._lost_before, 0
        self._timestamp = timestamp

    def _note_loss(self, timestamp: int, lost: int) -> None:
        if not self._is_collecting:
            self._lost_before += lost
            return
        # The end of this unit is missing, or more of it.
        is_explained = self._is_fragment and lost == 1
        if self._is_fragment:
            self._drop_fragment()
        self._is_broken = True
        self._lost += lost
        if timestamp != self._timestamp and not is_explained:
            # The beginning of the next one may be missing as well.
            self._lost_before += lost

    def _drop_fragment(self) -> None:
        del self._parts[self._nal_parts :]
        self._settled = min(self._settled, len(self._parts))
        self._size = self._nal_size
        self._borders.pop()
        self._is_fragment = False
        self._is_broken = True

    def _add(self, head: bytes, body: memoryview, is_slice: bool) -> bool:
        """Begin a NAL unit of `head` (with its start code) and `body`; false when the picture is too large for it."""
        size = self._size
        length = len(head) + len(body)
        if size + length > MOST_UNIT_BYTES or len(self._borders) >= _MOST_NALS:
            self._is_broken = True
            return False
        self._nal_parts, self._nal_size = len(self._parts), size
        self._borders.append(size + 4)
        self._parts += (head, body)
        self._size = size + length
        if is_slice:
            self._slices += 1
        return True

    def _continue(self, body: memoryview) -> None:
        size = self._size + len(body)
        if size > MOST_UNIT_BYTES:
            self._drop_fragment()
            return
        self._parts.append(body)
        self._size = size

    def _finish(self) -> None:
        """Hand out what is collected, unless all of it was lost: then the next one tells of it."""
        self._is_collecting = False
        if self._parts:
            pts = self._pts()
            data = b"".join(self._parts)
            borders = self._checked(data)
            self.assembled.append(Assembled(data, borders, pts, self._is_broken, self._lost))
        else:
            self._lost_before += self._lost
        self._clear()

    def _checked(self, data: bytes) -> Borders:
        """The borders; none once a picture was seen that has more NAL units than RTP told."""
        if self._doubted < 0:
            return ()
        borders = tuple(self._borders)
        if self._doubted:
            self._doubted -= 1
            if data.count(b"\0\0\1") != len(borders):
                self._doubted = -1
                return ()
        return borders

    def _pts(self) -> int:
        """The 32-bit timestamp without its wraps, counted from the first."""
        if self._last_timestamp is None:
            self._last_timestamp = self._timestamp
            return self._last_pts
        step = (self._timestamp - self._last_timestamp) % _WHOLE
        self._last_pts += step if step < _HALF else step - _WHOLE
        if step == 0 and self._slices:
            # A second picture with the first one's time: this camera sets the marker after each slice.
            self._trusts_marker = False
            self._is_broken = True
        self._last_timestamp = self._timestamp
        return self._last_pts


class H264Depacketizer(Depacketizer):
    """Single NAL units, STAP-A and FU-A (packetization modes 0 and 1)."""

    __slots__ = ()
    _fragment = struct.Struct(">BBHBBHIIBB")
    _fragment_mask, _fragment_code = 0x1F, _H264_FU_A

    def _take(self, view: memoryview, start: int, end: int) -> None:
        kind = view[start] & 0x1F
        if kind == _H264_FU_A:
            if end - start < 2:
                self._is_broken = True
                return
            head = view[start + 1]
            if head & 0x80:
                code = head & 0x1F
                self._is_fragment = self._add(_H264_HEADS[view[start] & 0xE0 | code], view[start + 2 : end], 1 <= code <= 5)
            elif self._is_fragment:
                self._continue(view[start + 2 : end])
            else:
                self._is_broken = True
            if head & 0x40:
                self._is_fragment = False
            return
        self._is_fragment = False
        if _H264_SINGLE[0] <= kind <= _H264_SINGLE[1]:
            self._add(START_CODE, view[start:end], kind in _H264_SLICES)
        elif kind == _H264_STAP_A:
            self._take_aggregate(view, start + 1, end)
        else:
            self._is_broken = True  # interleaved modes were not agreed on

    def _take_aggregate(self, view: memoryview, position: int, end: int) -> None:
        while position + 2 < end:
            length = view[position] << 8 | view[position + 1]
            position += 2
            if position + length > end:
                self._is_broken = True
                return
            if length:
                self._add(START_CODE, view[position : position + length], view[position] & 0x1F in _H264_SLICES)
            position += length


class HevcDepacketizer(Depacketizer):
    """Single NAL units, AP and FU, without decoding order numbers."""

    __slots__ = ()
    _fragment = struct.Struct(">BBHBBHIIBxB")
    _fragment_mask, _fragment_code = 0x7E, _HEVC_FU << 1

    def _take(self, view: memoryview, start: int, end: int) -> None:
        if end - start < 2:
            self._is_broken = True
            return
        kind = view[start] >> 1 & 0x3F
        if kind == _HEVC_FU:
            if end - start < 3:
                self._is_broken = True
                return
            head = view[start + 2]
            if head & 0x80:
                code = head & 0x3F
                first = START_CODE + bytes((view[start] & 0x81 | code << 1, view[start + 1]))
                self._is_fragment = self._add(first, view[start + 3 : end], code < _HEVC_FIRST_NON_VCL)
            elif self._is_fragment:
                self._continue(view[start + 3 : end])
            else:
                self._is_broken = True
            if head & 0x40:
                self._is_fragment = False
            return
        self._is_fragment = False
        if kind < _HEVC_AP:
            self._add(START_CODE, view[start:end], kind < _HEVC_FIRST_NON_VCL)
        elif kind == _HEVC_AP:
            self._take_aggregate(view, start + 2, end)
        else:
            self._is_broken = True

    def _take_aggregate(self, view: memoryview, position: int, end: int) -> None:
        while position + 2 < end:
            length = view[position] << 8 | view[position + 1]
            position += 2
            if position + length > end:
                self._is_broken = True
                return
            if length >= 2:
                code = view[position] >> 1 & 0x3F
                self._add(START_CODE, view[position : position + length], code < _HEVC_FIRST_NON_VCL)
            position += length


def depacketizer_for(codec: Codec) -> Depacketizer:
    """A depacketizer of `codec`, new."""
    return H264Depacketizer() if codec is Codec.H264 else HevcDepacketizer()


_H264_HEADS: Final = tuple(START_CODE + bytes((header,)) for header in range(256))
