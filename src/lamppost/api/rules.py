"""Lines, zones and rules of a camera."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
