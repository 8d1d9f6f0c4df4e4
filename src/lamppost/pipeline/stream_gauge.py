"""What a stream really brings: pictures and bits a second, and how far its keyframes are apart, over the last seconds."""

from __future__ import annotations

from collections import deque
from typing import Final

from lamppost.base.clock import TICKS_PER_S
from lamppost.model.media import Packet

SPAN_S: Final = 10.0
_LEAST_S: Final = 2.0  # over less, figures jump
_KEYFRAMES: Final = 4


class StreamGauge:
    """Counts packets as they come; all from one thread."""

    def __init__(self) -> None:
        self._frames = 0
        self._bytes = 0
        self._looks: deque[tuple[float, int, int]] = deque()
        self._keyframes_90k: deque[int] = deque(maxlen=_KEYFRAMES)

    def note(self, packet: Packet) -> None:
        """A packet came."""
        self._frames += 1
        self._bytes += len(packet.data)
        if packet.is_keyframe:
            if self._keyframes_90k and packet.pts_90k <= self._keyframes_90k[-1]:
                self._keyframes_90k.clear()
            self._keyframes_90k.append(packet.pts_90k)

    def forget(self) -> None:
        """The stream has ended; the next one is measured anew."""
        self._looks.clear()
        self._keyframes_90k.clear()

    def look(self, now_s: float) -> None:
        """Now and then, a few times in `SPAN_S`."""
        self._looks.append((now_s, self._frames, self._bytes))
        while len(self._looks) > 2 and now_s - self._looks[1][0] >= SPAN_S:
            self._looks.popleft()

    @property
    def fps(self) -> float | None:
        """Pictures a second, None while too little was seen."""
        return self._rate(1)

    @property
    def kbit_per_s(self) -> float | None:
        """Of pictures, without what carries them; None while too little was seen."""
        rate = self._rate(2)
        return None if rate is None else rate * 8 / 1000

    @property
    def keyframe_interval_s(self) -> float | None:
        """The longest of the last few, by the stream's own time; None before the second keyframe."""
        steps = [later - earlier for earlier, later in zip(self._keyframes_90k, list(self._keyframes_90k)[1:], strict=False)]
        return max(steps) / TICKS_PER_S if steps else None

    def _rate(self, field: int) -> float | None:
        if len(self._looks) < 2 or self._looks[-1][0] - self._looks[0][0] < _LEAST_S:
            return None
        (first, last) = self._looks[0], self._looks[-1]
        return (last[field] - first[field]) / (last[0] - first[0])
