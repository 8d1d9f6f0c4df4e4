"""Tells others what happened, at least once: an outbox, and its carriers."""
