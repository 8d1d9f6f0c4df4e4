"""One who watches a live stream, and gets what there is room for."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from lamppost.api.fragment_stream import LiveInit, LivePiece

WAITING_PIECES: Final = 60
WAITING_BYTES: Final = 4 << 20

Word = dict[str, Any]
Item = Word | bytes


class Viewer:
    """A queue of what is to be sent, bounded in pieces and bytes.

    Whoever is too slow for it goes on at the next keyframe, is told how much was
    left out, and keeps nobody else waiting. All bytes are shared with the others.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.is_paused = False
        self._waiting: deque[Item] = deque()
        self._waiting_bytes = 0
        self._pieces = 0
        self._is_behind = True  # until the first keyframe
        self._untold = 0
        self._ready = asyncio.Event()

    def begin(self, init: LiveInit, run: int) -> None:
        """A run begins; what is left of the one before is nothing any more."""
        self._clear()
        mime = f'video/mp4; codecs="{init.codec}"'
        self._put({"type": "init", "mime": mime, "codec": init.codec, "width_px": init.width_px, "height_px": init.height_px, "run": run})
        self._put(init.data)
        self._is_behind = True

    def offer(self, piece: LivePiece) -> None:
        """The next picture, or one that is left out."""
        if self.is_paused:
            self._is_behind = True
            return
        if self._is_behind and not piece.is_keyframe:
            self._drop(1)
            return
        if self._pieces >= WAITING_PIECES or self._waiting_bytes + len(piece.data) > WAITING_BYTES:
            self._drop(self._pieces + (0 if piece.is_keyframe else 1))
            self._forget_pieces()
            if not piece.is_keyframe:
                self._is_behind = True
                return
        self._is_behind = False
        if self._untold:
            self._put({"type": "dropped", "fragments": self._untold})
            self._untold = 0
        self._pieces += 1
        self._put(piece.data)

    def tell(self, word: Word) -> None:
        """Something that is no picture, such as that the camera is lost."""
        self._put(word)

    async def next(self) -> Item:
        """What is to be sent next; waits for it."""
        while not self._waiting:
            self._ready.clear()
            await self._ready.wait()
        item = self._waiting.popleft()
        if isinstance(item, bytes):
            self._waiting_bytes -= len(item)
            self._pieces = max(0, self._pieces - 1)
        return item

    def _put(self, item: Item) -> None:
        if isinstance(item, bytes):
            self._waiting_bytes += len(item)
        self._waiting.append(item)
        self._ready.set()

    def _drop(self, pieces: int) -> None:
        if self._pieces or not self._is_behind:
            self._untold += pieces
            self.dropped += pieces

    def _forget_pieces(self) -> None:
        """Words stay, and so does an init that was not sent yet."""
        kept: deque[Item] = deque()
        for index, item in enumerate(self._waiting):
            is_init = isinstance(item, bytes) and index > 0 and _is_init_word(self._waiting[index - 1])
            if not isinstance(item, bytes) or is_init:
                kept.append(item)
        self._waiting = kept
        self._waiting_bytes = sum(len(item) for item in kept if isinstance(item, bytes))
        self._pieces = 0

    def _clear(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = self._pieces = 0


def _is_init_word(item: Item) -> bool:
    return isinstance(item, dict) and item.get("type") == "init"
