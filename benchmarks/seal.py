"""How fast fragments are sealed and opened, beside a plain SHA-256 of the same bytes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable

from benchmarks.figures import Figure, median_and_spread
from lamppost.seal.age import AgeSealer
from lamppost.seal.shares import combine, new_epoch_key

CHUNK_BYTES = 250_000  # one second of 2 Mbit/s
CHUNKS = 200
RUNS = 5


def measure() -> list[Figure]:
    """Seal and open `CHUNKS` fragments, one at a time, as a recorder and an officer do."""
    key = new_epoch_key()
    sealer = AgeSealer(key.recipient)
    chunks = [os.urandom(CHUNK_BYTES) for _ in range(CHUNKS)]
    sealed = [sealer.seal(chunk) for chunk in chunks]
    assert key.open(sealed[0]) == chunks[0]
    seal, opened, floor = [], [], []
    for _ in range(RUNS):
        seal.append(_rate(lambda: [sealer.seal(chunk) for chunk in chunks]))
        opened.append(_rate(lambda: [key.open(chunk) for chunk in sealed]))
        floor.append(_rate(lambda: [hashlib.sha256(chunk).digest() for chunk in chunks]))
    began = time.perf_counter()
    mnemonics = key.split(2, 3)
    combine(mnemonics[:2])
    split_ms = 1000 * (time.perf_counter() - began)
    peer = f"{median_and_spread(floor, 0)} MB/s (SHA-256)"
    return [
        Figure("sealing 250 kB fragments, one core", f"{median_and_spread(seal, 0)} MB/s", peer, _ratio(seal, floor)),
        Figure("opening them", f"{median_and_spread(opened, 0)} MB/s", peer, _ratio(opened, floor)),
        Figure("splitting an epoch's key 2 of 3 and combining it again", f"{split_ms:.0f} ms", "–", "–", "once in ten minutes a camera"),
    ]


def _rate(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return CHUNK_BYTES * CHUNKS / 1e6 / (time.perf_counter() - began)


def _ratio(ours: list[float], peer: list[float]) -> str:
    return f"{median_and_spread([a / b for a, b in zip(ours, peer, strict=True)])}×"
