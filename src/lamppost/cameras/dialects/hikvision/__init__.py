"""Hikvision's ISAPI: what its devices and those sold under other names answer."""

from lamppost.cameras.dialects.hikvision.dialect import Hikvision

__all__ = ["Hikvision"]
