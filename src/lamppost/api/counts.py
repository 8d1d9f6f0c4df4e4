"""Counts by line, zone, kind and time."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
