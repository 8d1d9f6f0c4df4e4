"""Who is told of events, and what did not arrive."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
