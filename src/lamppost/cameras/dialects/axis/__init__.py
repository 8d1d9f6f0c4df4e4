"""Axis's VAPIX: which applications are installed, and what the metadata may hold."""

from lamppost.cameras.dialects.axis.dialect import Axis

__all__ = ["Axis"]
