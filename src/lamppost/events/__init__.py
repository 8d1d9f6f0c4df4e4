"""Tracks become events and counts: lines, zones, rules, and the health of a camera."""
