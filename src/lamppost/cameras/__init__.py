"""Devices: how cameras are found, asked, set, and audited; their video comes through `ingest`."""
