"""Frozen values that rooms pass to one another; no behaviour beyond arithmetic."""
