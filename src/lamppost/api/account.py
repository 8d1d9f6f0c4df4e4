"""What somebody may do with their own account: password, codes, tokens, preferences."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
