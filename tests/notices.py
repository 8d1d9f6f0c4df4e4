"""Notices and deliveries as the tests of carriers and of the outbox make them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamppost.model.books import Severity
from lamppost.model.happening import Phase
from lamppost.notify.notice import Notice, notice_of
from lamppost.store.outbox_view import Delivery

NOON_US = 1_700_000_000_000_000
DELIVERY = Delivery(
    carrier="hook",
    event_id="20231114T221320Z-0a1b2c3d",
    sequence=0,
    phase=Phase.START,
    at_us=NOON_US,
    kind="zone_entered",
    camera="plaza",
    start_us=NOON_US,
    severity=Severity.WARNING,
    detail=json.dumps({"rule": "keep-out", "place": "track", "kind": "person", "count": 2, "value": 2, "unit": "", "limit": 0}),
    snapshot=None,
    attempts=0,
    since_us=NOON_US,
)


def make_notice(root: Path, **changes: Any) -> Notice:
    return notice_of(replace(DELIVERY, **changes), site="Old Town", root=root)
