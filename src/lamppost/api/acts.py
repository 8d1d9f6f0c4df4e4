"""The record of what was done on purpose."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
