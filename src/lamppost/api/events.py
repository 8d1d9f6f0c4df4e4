"""Events: what happened, who has taken note."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
