"""Users, their roles, and links for them."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
