"""Signs what a webhook sends, so that the other side knows from whom it is and when it was sent.

The form is that which many services use: `t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA-256 (RFC 2104) of the seconds, a dot
and the body. The time is signed too: who gets an old request again can tell.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

HEADER: Final = "Lamppost-Signature"


def sign(secret: str, body: bytes, timestamp_s: int) -> str:
    """The value of the header for `body`, sent at `timestamp_s` (UTC, seconds since 1970)."""
    return f"t={timestamp_s},v1={_digest(secret, body, timestamp_s)}"


def is_signed(secret: str, body: bytes, value: str, *, now_s: int, tolerance_s: int = 300) -> bool:
    """Whether `value` signs `body` and is not older, or newer, than `tolerance_s`."""
    parts = dict(part.split("=", 1) for part in value.split(",") if "=" in part)
    try:
        timestamp_s = int(parts["t"])
    except (KeyError, ValueError):
        return False
    is_fresh = abs(now_s - timestamp_s) <= tolerance_s
    return is_fresh and hmac.compare_digest(_digest(secret, body, timestamp_s).encode(), parts.get("v1", "").encode())


def _digest(secret: str, body: bytes, timestamp_s: int) -> str:
    return hmac.new(secret.encode(), f"{timestamp_s}.".encode() + body, hashlib.sha256).hexdigest()
