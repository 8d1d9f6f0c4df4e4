"""Whatever a device answers: a result or a `CameraError`, in time and in little memory."""

from __future__ import annotations

import gc
import resource
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from lamppost.base.errors import CameraError
from lamppost.cameras.onvif.descriptions import Service, document
from lamppost.cameras.web import Reply
from mutated_soap import Spoiler
from onvif_devices import Canned, device, every_question, recorded

VENDORS = ("onvif", "onvif-s")
LONGEST_S = 5.0  # what `DeviceWeb` gives a device, too; such an answer has been seen to take less than a second
MOST_MIB = 64


@dataclass
class Measured:
    replies: int = 0
    results: int = 0
    errors: int = 0
    longest_s: float = 0.0
    cpu_s: float = 0.0
    longest_what: str = ""


@pytest.fixture(scope="module")
def answers() -> Mapping[str, Mapping[str, Reply]]:
    for service in Service:
        document(service)  # read once, before anything is measured
    return {vendor: recorded(vendor) for vendor in VENDORS}


def cases(answers: Mapping[str, Mapping[str, Reply]], count: int, seed: int) -> Iterator[tuple[str, str, str, Reply]]:
    """Vendor, question, operation and its spoiled answer; each operation of each question in turn."""
    used: list[tuple[str, str, str]] = []
    for vendor in VENDORS:
        for number, (name, _) in enumerate(every_question(device(Canned({})))):
            canned = Canned(answers[vendor])
            asked = device(canned)
            try:
                list(every_question(asked))[number][1]()
            except CameraError:
                pass
            used += [(vendor, name, operation) for operation in dict.fromkeys(canned.operations)]
    spoiler = Spoiler(seed, [reply for each in answers.values() for reply in each.values()])
    for number in range(count):
        vendor, name, operation = used[number % len(used)]
        if operation in answers[vendor]:
            yield vendor, name, operation, spoiler.spoiled(answers[vendor][operation])


def endured(answers: Mapping[str, Mapping[str, Reply]], count: int, seed: int) -> Measured:
    measured = Measured()
    for vendor, name, operation, spoiled in cases(answers, count, seed):
        asked = device(Canned({**answers[vendor], operation: spoiled}))
        question = next(question for each, question in every_question(asked) if each == name)
        began_s = time.thread_time()
        try:
            question()
            measured.results += 1
        except CameraError as error:
            measured.errors += 1
            assert "\n" not in error.problem
            assert len(error.problem) < 400
        took_s = time.thread_time() - began_s
        measured.replies += 1
        measured.cpu_s += took_s
        if took_s > measured.longest_s:
            measured.longest_s, measured.longest_what = took_s, f"{vendor} {name} {operation} {len(spoiled.content)} B"
        assert took_s < LONGEST_S, (vendor, name, operation, spoiled.content[:2000])
    return measured


def test_spoiled_replies_neither_crash_nor_hang(answers: Mapping[str, Mapping[str, Reply]]) -> None:
    measured = endured(answers, 300, seed=7)
    assert measured.replies > 250
    # Of those that are spoiled a little, most can still be read; the others are told from them.
    assert measured.results > 20
    assert measured.errors > 20


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_spoiled_replies_neither_crash_nor_hang_nor_stay(answers: Mapping[str, Mapping[str, Reply]]) -> None:
    endured(answers, 200, seed=1)
    gc.collect()
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measured = endured(answers, 10_000, seed=2026)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    print(measured, f"peak RSS grew by {grown_mib:.1f} MiB")
    assert measured.replies >= 9_900
    assert grown_mib < 4 * MOST_MIB


def test_spoiled_replies_leave_nothing_behind(answers: Mapping[str, Mapping[str, Reply]]) -> None:
    endured(answers, 60, seed=3)  # what is kept once
    gc.collect()
    tracemalloc.start()
    try:
        endured(answers, 60, seed=4)
        peak_mib = tracemalloc.get_traced_memory()[1] / (1 << 20)
        gc.collect()
        left_mib = tracemalloc.get_traced_memory()[0] / (1 << 20)
    finally:
        tracemalloc.stop()
    assert peak_mib < MOST_MIB
    assert left_mib < 2
