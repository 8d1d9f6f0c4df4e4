"""The cameras: how they are, and how they are set."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
