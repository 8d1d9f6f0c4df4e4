"""What an operator may set while it runs."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
