"""What is hidden, kept and forgotten, in plain words."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
