"""Verifies a request of Lamppost's webhook; needs nothing but Python."""

import hashlib
import hmac
import time


def is_from_lamppost(secret: str, body: bytes, header: str, tolerance_s: int = 300) -> bool:
    """Whether `header`, the value of Lamppost-Signature, signs the bytes of `body` and is not old."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    timestamp = parts.get("t", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > tolerance_s:
        return False
    signed = timestamp.encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts.get("v1", ""))
