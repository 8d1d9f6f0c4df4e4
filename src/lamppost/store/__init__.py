"""Durable things: journals, the index, the vault, recovery and the check that they agree."""
