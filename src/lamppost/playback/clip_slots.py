"""Who is taking a clip just now: some at once, and each user one, so that nobody keeps the others from theirs."""

from __future__ import annotations

import threading
from typing import Final

CLIPS_AT_ONCE: Final = 4


class ClipSlots:
    """Serves several threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taking: set[str] = set()

    def take(self, user_id: str) -> bool:
        """False where they are taking one already, or too many others are."""
        with self._mutex:
            if user_id in self._taking or len(self._taking) >= CLIPS_AT_ONCE:
                return False
            self._taking.add(user_id)
            return True

    def release(self, user_id: str) -> None:
        """Another may be taken."""
        with self._mutex:
            self._taking.discard(user_id)
