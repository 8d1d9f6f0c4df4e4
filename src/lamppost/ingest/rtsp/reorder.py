"""Puts datagrams back in order, for as long as that is worth waiting for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

MOST_HELD: Final = 64
LONGEST_S: Final = 0.1
_HALF, _WHOLE = 1 << 15, 1 << 16

Take = Callable[[memoryview, int, int], None]


class ReorderBuffer:
    """Hands RTP packets on in the order of their sequence numbers.

    A packet that came early is held until those before it have come, at most
    64 packets and 0.1 s long; then those before it are given up. One that is
    late is handed on at once: the receiver counts it.
    """

    def __init__(self, take: Take) -> None:
        self._take = take
        self._next = -1
        self._held: dict[int, tuple[bytes, float]] = {}
        self._since_s = 0.0  # when the first of those held had come

    def push(self, view: memoryview, start: int, end: int, now_s: float) -> None:
        """Take the packet `view[start:end]`, which came at `now_s`."""
        if end - start < 4:
            return
        sequence = view[start + 2] << 8 | view[start + 3]
        ahead = (sequence - self._next) % _WHOLE if self._next >= 0 else 0
        if ahead == 0:
            self._take(view, start, end)
            self._next = (sequence + 1) % _WHOLE
            if self._held:
                self._hand_on()
        elif ahead >= _HALF:
            self._take(view, start, end)
        else:
            if not self._held:
                self._since_s = now_s
            self._held[sequence] = bytes(view[start:end]), now_s
            if len(self._held) > MOST_HELD:
                self._give_up()

    def expire(self, now_s: float) -> None:
        """Give up waiting for what has been missing for too long."""
        while self._held and now_s - self._since_s > LONGEST_S:
            self._give_up()

    def _give_up(self) -> None:
        """Go on with the first of those held."""
        self._next = self._first()
        self._hand_on()

    def _hand_on(self) -> None:
        while (held := self._held.pop(self._next, None)) is not None:
            packet = held[0]
            self._take(memoryview(packet), 0, len(packet))
            self._next = (self._next + 1) % _WHOLE
        if self._held:
            self._since_s = self._held[self._first()][1]

    def _first(self) -> int:
        return min(self._held, key=lambda sequence: (sequence - self._next) % _WHOLE)
