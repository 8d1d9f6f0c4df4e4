"""Sends a test message to one carrier, at once and past the outbox, so that somebody knows whether it works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from lamppost.base.ids import timed_id
from lamppost.model.books import Severity
from lamppost.model.carriers import NotifySettings
from lamppost.model.happening import Phase
from lamppost.notify.carrier import make_carrier
from lamppost.notify.notice import notice_of
from lamppost.store.outbox_view import Delivery

TEST: Final = "test"


def send_test(settings: NotifySettings, *, site: str, root: Path, now_us: int) -> str:
    """The id of the message, once the other side has taken it; raises `NotifyError`. It is in no books."""
    carrier = make_carrier(settings)
    delivery = Delivery(
        carrier=settings.name,
        event_id=timed_id(now_us),
        sequence=0,
        phase=Phase.START,
        at_us=now_us,
        kind=TEST,
        camera=None,
        start_us=now_us,
        severity=Severity.INFO,
        detail=json.dumps({"note": "A test message of Lamppost: nothing has happened."}),
        snapshot=None,
        attempts=0,
        since_us=now_us,
    )
    try:
        carrier.open()
        carrier.send(notice_of(delivery, site=site, root=root))
    finally:
        carrier.close()
    return f"{delivery.event_id}-{delivery.sequence}"
