"""How long each masked picture is shown: until the next one, where nothing is missing in between."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

from lamppost.base.clock import TICKS_PER_S
from lamppost.model.media import Packet

LONGEST_90K: Final = TICKS_PER_S  # that a picture lasts; beyond it something is missing
LONGEST_REDUCED_90K: Final = 20 * TICKS_PER_S  # the longest GOP of a smart codec
_GAPS_LIMIT = 16  # within one look-back


class LastingPackets:
    """Holds back one masked packet until it is known how long it lasts.

    So what is masked at fewer frames a second is masked without holes. A
    picture before a gap keeps its nominal duration: nobody shall take the gap for masked time.
    """

    def __init__(self) -> None:
        self._waiting: Packet | None = None
        self._gaps_90k: deque[int] = deque(maxlen=_GAPS_LIMIT)

    def note_gap(self, pts_90k: int) -> None:
        """Something is missing right before this time."""
        self._gaps_90k.append(pts_90k)

    def push(self, packet: Packet, *, is_reduced: bool) -> tuple[Packet, ...]:
        """The packet before `packet`, with its duration; nothing at first."""
        before = self.end(packet.pts_90k, is_reduced=is_reduced)
        self._waiting = packet
        return before

    def end(self, until_90k: int, *, is_reduced: bool) -> tuple[Packet, ...]:
        """The last packet, if there is one: what follows it begins at `until_90k`."""
        packet, self._waiting = self._waiting, None
        if packet is None:
            return ()
        duration_90k = until_90k - packet.pts_90k
        is_missing = any(packet.pts_90k < gap_90k <= until_90k for gap_90k in self._gaps_90k)
        if is_missing or not 0 < duration_90k <= (LONGEST_REDUCED_90K if is_reduced else LONGEST_90K):
            return (packet,)
        return (replace(packet, duration_90k=duration_90k),)
