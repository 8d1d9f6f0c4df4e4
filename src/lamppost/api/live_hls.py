"""Masked pictures as they are made, for players of HLS."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
