"""The node: sites, system, roles."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
