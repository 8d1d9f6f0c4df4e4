"""Looking at the past, with its reason, on the record."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
