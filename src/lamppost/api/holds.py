"""What is kept whatever its age."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
