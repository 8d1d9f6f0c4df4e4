"""Masked segments for players: parts, playlists, thumbnails, clips."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
