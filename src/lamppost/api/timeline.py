"""What there is of a camera in a span of time."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
