"""Makes the document that every carrier sends: the published one of `model/event_document.py`, about one step in the life of an event."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from lamppost.base.logging import redact
from lamppost.model.event_document import EventSnapshot
from lamppost.model.event_document import document_of as published
from lamppost.model.happening import Phase
from lamppost.store.outbox_view import Delivery


def document_of(delivery: Delivery, site: str) -> dict[str, Any]:
    """The document of a delivery; what is not known is null. The same delivery makes the same one, but for a snapshot that came later."""
    snapshot = None
    if delivery.snapshot and delivery.snapshot_sha256:
        snapshot = EventSnapshot(file=delivery.snapshot, sha256=delivery.snapshot_sha256)
    try:
        document = _published(delivery, delivery.detail, site, snapshot)
    except ValidationError:
        # An event is told of all the same when its detail holds what no document may.
        document = _published(delivery, "{}", site, snapshot)
    return document | {"note": redact(document["note"])}


def _published(delivery: Delivery, detail: str, site: str, snapshot: EventSnapshot | None) -> dict[str, Any]:
    return published(
        event_id=delivery.event_id,
        sequence=delivery.sequence,
        phase=delivery.phase,
        kind=delivery.kind,
        severity=delivery.severity,
        camera=delivery.camera,
        start_us=delivery.start_us,
        end_us=delivery.at_us if delivery.phase is Phase.END else None,
        updated_us=delivery.at_us,
        detail=detail,
        site=site or None,
        snapshot=snapshot,
    ).model_dump(mode="json")
