"""What a carrier is given: one message about one step of an event, ready to be sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamppost.model.books import Severity
from lamppost.model.happening import Phase
from lamppost.notify.document import document_of
from lamppost.notify.words import text_of, title_of
from lamppost.store.outbox_view import Delivery


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. However often it is sent, its id is the same: who gets it twice knows.

    `body` is the document, JSON in UTF-8; `title` and `text` say it to a person in plain text. `snapshot` is the file of the
    masked picture, None where there is none. `camera` is None where the event concerns the node itself.
    """

    id: str
    type: str
    camera: str | None
    phase: Phase
    severity: Severity
    body: bytes
    title: str
    text: str
    snapshot: Path | None = None


def notice_of(delivery: Delivery, *, site: str, root: Path) -> Notice:
    """The message of a delivery; `root` is the data folder."""
    document = document_of(delivery, site)
    return Notice(
        id=f"{delivery.event_id}-{delivery.sequence}",
        type=delivery.kind,
        camera=delivery.camera,
        phase=delivery.phase,
        severity=delivery.severity,
        body=encode(document),
        title=title_of(document),
        text=text_of(document),
        snapshot=_within(root, delivery.snapshot),
    )


def encode(document: dict[str, Any]) -> bytes:
    """The document as it is sent, byte for byte the same for the same document."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _within(root: Path, snapshot: str | None) -> Path | None:
    """The picture's file, if it is one and lies in the data folder: nothing else leaves by a path in a record."""
    if not snapshot:
        return None
    path = (root / snapshot).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None
