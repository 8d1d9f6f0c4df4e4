"""Acts that would be written many times a second: one for each caller, thing looked at and span of time."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from lamppost.api.context import Context

SPAN_S: Final = 60.0
MOST_KEPT: Final = 20_000


class RecentActs:
    """Writes an act unless the same was written within a minute; durable before the first picture leaves.

    It is the same with the same detail alone: two events of one camera are two pictures, and two acts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._mutex = threading.Lock()
        self._noted: OrderedDict[tuple[str, str, str, str], float] = OrderedDict()

    def note(self, kind: str, actor: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Raises `StoreError`; then it was not noted, and nothing may be shown."""
        key, now_s = (kind, actor, subject, json.dumps(dict(detail), sort_keys=True)), self._context.clock.monotonic_s()
        with self._mutex:
            noted_s = self._noted.get(key)
            if noted_s is not None and now_s - noted_s < SPAN_S:
                return
            self._context.act(kind, actor, subject, detail)
            self._noted.pop(key, None)
            self._noted[key] = now_s
            while len(self._noted) > MOST_KEPT:
                self._noted.popitem(last=False)
