"""What is known of a camera over time: health, gaps."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
