"""What rules would have counted in the last hour."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
