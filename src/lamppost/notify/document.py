"""Makes the document that every carrier sends: one JSON object about one step in the life of an event."""

from __future__ import annotations

import json
from typing import Any, Final, cast

from lamppost.base.clock import format_utc
from lamppost.base.logging import redact
from lamppost.model.happening import Phase
from lamppost.store.outbox_view import Delivery

SCHEMA: Final = "lamppost/event/1"


def document_of(delivery: Delivery, site: str) -> dict[str, Any]:
    """The document of a delivery; what is not known is null. The same delivery makes the same one, but for a snapshot that came later."""
    detail = _read(delivery.detail)
    return {
        "schema": SCHEMA,
        "id": delivery.event_id,
        "sequence": delivery.sequence,
        "phase": delivery.phase.value,
        "type": delivery.kind,
        "severity": delivery.severity.value,
        "site": site,
        "camera": delivery.camera,
        "rule": detail.get("rule") or None,
        "place": detail.get("place") or None,
        "kind": detail.get("kind"),
        "count": detail.get("count"),
        "value": detail.get("value"),
        "unit": detail.get("unit"),
        "limit": detail.get("limit"),
        "level": detail.get("level"),
        "ways": list(detail.get("ways") or ()),
        "note": redact(str(detail.get("note") or detail.get("problem") or "")),
        "started": format_utc(delivery.start_us),
        "updated": format_utc(delivery.at_us),
        "ended": format_utc(delivery.at_us) if delivery.phase is Phase.END else None,
        "snapshot": delivery.snapshot,
    }


def _read(detail: str) -> dict[str, Any]:
    try:
        content: Any = json.loads(detail)
    except ValueError:
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}
