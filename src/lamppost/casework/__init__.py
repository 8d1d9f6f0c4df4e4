"""Releases: opening the originals of an interval."""
