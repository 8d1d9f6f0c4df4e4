"""Splits what comes on an RTSP connection: RTP and reports of one channel, and messages in between (RFC 2326, 10.12)."""

from __future__ import annotations

import struct
from typing import Final, Protocol

from lamppost.ingest.rtsp.messages import MOST_BODY_BYTES, MOST_HEAD_BYTES, BadMessage, Message, parse_message

_DOLLAR: Final = 0x24
_FRAME: Final = struct.Struct(">BBH")
_MOST_MESSAGE_BYTES: Final = MOST_HEAD_BYTES + MOST_BODY_BYTES
# Some cameras put a little nonsense between two packets; one that sends much of it is none.
_MOST_SKIPPED_BYTES: Final = 1024 * 1024
_NO_CHANNEL: Final = -2


class Media(Protocol):
    """Who takes the media."""

    def push(self, view: memoryview, start: int, end: int) -> None:
        """One packet: `view[start:end]`."""
        ...

    def push_more(self, view: memoryview, position: int, end: int, channel: int) -> int:
        """As many of the packets that follow as can be taken in one go, framing and all; returns where the next one begins."""
        ...


class Parts(Protocol):
    """Who takes what is found, besides media."""

    def took_report(self, content: memoryview) -> None: ...

    def took_message(self, message: Message) -> None: ...


class Splitter:
    """Hands on whole packets and messages as they lie in the receive buffer.

    The rest, at most one packet or message, is kept until more has come.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._channel = _NO_CHANNEL
        self._media: Media | None = None
        self._rest = b""
        self._skipped = 0

    def listen(self, channel: int, media: Media) -> None:
        """Give `media` what comes on `channel`; reports are on the one after it."""
        self._channel = channel
        self._media = media

    def frame_report(self, content: bytes) -> bytes:
        """`content` as it is sent on the channel of reports."""
        return _FRAME.pack(_DOLLAR, self._channel + 1, len(content)) + content

    def restore(self, view: memoryview) -> int:
        """Put what was kept at the start of `view`; return its length."""
        length = len(self._rest)
        view[:length] = self._rest
        return length

    def keep(self, view: memoryview, start: int, end: int) -> None:
        """Keep `view[start:end]` for the next time."""
        self._rest = bytes(view[start:end])

    def split(self, view: memoryview, end: int) -> None:
        """Take `view[:end]` apart and keep the rest. Raises `BadMessage` when it is none of RTSP."""
        position = 0
        channel, media, unpack = self._channel, self._media, _FRAME.unpack_from
        while end - position >= 4:
            dollar, number, length = unpack(view, position)
            if dollar != _DOLLAR:
                after = self._take_message(view, position, end)
                if after < 0:
                    break
                # A reply may have told the channel.
                position, channel, media = after, self._channel, self._media
                continue
            start = position + 4
            stop = start + length
            if stop > end:
                break
            position = stop
            if number == channel and media is not None:
                media.push(view, start, stop)
                position = media.push_more(view, stop, end, channel)
            elif number == channel + 1:
                self._parts.took_report(view[start:stop])
        self._rest = bytes(view[position:end])

    def _take_message(self, view: memoryview, position: int, end: int) -> int:
        """Where the message at `position` ends; -1 when it is not all there."""
        try:
            parsed = parse_message(view[position : min(end, position + _MOST_MESSAGE_BYTES + 16)])
        except BadMessage:
            if self._channel == _NO_CHANNEL:
                raise
            return self._skip(view, position, end)
        if parsed is None:
            return -1
        message, length = parsed
        self._parts.took_message(message)
        return position + length

    def _skip(self, view: memoryview, position: int, end: int) -> int:
        """Pass over nonsense, up to what may be a packet of the channel."""
        found = bytes(view[position + 1 : end]).find(bytes((_DOLLAR, self._channel & 0xFF)))
        after = position + 1 + found if found >= 0 else end
        self._skipped += after - position
        if self._skipped > _MOST_SKIPPED_BYTES:
            raise BadMessage("too much between two packets")
        return after
