"""What devices answer is kept once, packed, and comes back as it came; what differs little from the answer before takes little."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kept_audits import audit_of
from lamppost.base.errors import StoreError
from lamppost.model.devices import Audit, Evidence, Outcome
from lamppost.model.layout import DataFolder
from lamppost.store import device_audits
from lamppost.store.device_book import DeviceBook

QUESTIONS, ANSWER_BYTES = 20, 3000


@pytest.fixture
def book(tmp_path: Path) -> Iterator[DeviceBook]:
    with DeviceBook(DataFolder(tmp_path)) as made:
        yield made


def answer(number: int, name: str, *, length: int = ANSWER_BYTES) -> bytes:
    """What cannot be packed by itself, with `name` in the middle of it, as a time or the number of a message is."""
    noise = random.Random(number).randbytes(length)
    return noise[: length // 2] + name.encode() + noise[length // 2 :]


def saying(number: int, *contents: bytes, camera: str = "plaza") -> Audit:
    """An audit in which these were the answers."""
    evidence = tuple(
        Evidence(f"GET /{place}", number * 1000 + place, Outcome.ANSWERED, 200, "ab", len(content), content, "text/xml")
        for place, content in enumerate(contents)
    )
    return dataclasses.replace(audit_of(number, camera=camera), evidence=evidence)


def told(book: DeviceBook, query: str) -> list[Any]:
    return list(book._all(text(query)))


def used_bytes(book: DeviceBook) -> int:
    with book._writer.connect() as connection:
        pages, free, size = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def test_an_audit_that_says_the_same_takes_no_more_than_4_kb(book: DeviceBook) -> None:
    same = [answer(number, "") for number in range(QUESTIONS - 2)]
    book.add_audit(saying(0, *same, answer(98, "at 0"), answer(99, "id 0")))
    before = used_bytes(book)
    assert before > ANSWER_BYTES * QUESTIONS
    for number in range(1, 41):
        book.add_audit(saying(number, *same, answer(98, f"at {number}"), answer(99, f"id {number}")))
    assert (used_bytes(book) - before) / 40 <= 4096
    kept = book.audit("a000040")
    assert kept is not None
    assert kept.audit == saying(40, *same, answer(98, "at 40"), answer(99, "id 40"))


def test_cameras_that_say_the_same_share_it(book: DeviceBook) -> None:
    same = [answer(number, "") for number in range(QUESTIONS)]
    book.add_audit(saying(1, *same))
    before = used_bytes(book)
    for number in range(20):
        book.add_audit(saying(1, *same, camera=f"camera-{number}"))
    assert (used_bytes(book) - before) / 20 <= 4096
    assert told(book, "SELECT count(*) FROM findings") == [(1,)]


def test_a_base_stays_as_long_as_somebody_needs_it(book: DeviceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_audits, "KEPT", 2)
    for number in range(6):
        book.add_audit(saying(number, answer(7, f"at {number}")))
        for other in book.audits("plaza", limit=9):
            kept = book.audit(other.audit.audit_id)
            assert kept is not None
            assert kept.audit.evidence[0].content == answer(7, f"at {int(other.audit.audit_id[1:])}")
    assert told(book, "SELECT count(*) FROM contents WHERE base_id IS NULL") == [(1,)], "all others are packed with the first"
    # All say something new now, and the first one's answer is nobody's base any more.
    for number in range(6, 9):
        book.add_audit(saying(number, answer(8, f"at {number}")))
    monkeypatch.setattr(device_audits, "MOST_DIFFERING", 2)
    book.add_audit(saying(9, answer(8, "at 9")))
    assert told(book, "SELECT count(*), count(base_id) FROM contents") == [(3, 2)]
    assert told(book, "SELECT count(*) FROM answers") == [(2,)], "the base is an answer that no audit has any more"


def test_an_answer_beyond_the_dictionary_comes_back_whole(book: DeviceBook) -> None:
    for number in range(3):
        book.add_audit(saying(number, answer(1, f"at {number}", length=60_000)))
        found = book.evidence(f"a{number:06}", 0)
        assert found is not None
        assert found.content == answer(1, f"at {number}", length=60_000)


@pytest.mark.parametrize(
    "damage",
    ["packed = X'00'", "packed = X''", "packed = (SELECT packed FROM contents WHERE base_id IS NULL LIMIT 1)"],
    ids=["noise", "nothing", "another's"],
)
def test_an_answer_that_is_not_what_was_kept_is_told_and_not_shown(book: DeviceBook, damage: str) -> None:
    for number in range(2):
        book.add_audit(saying(number, answer(1, f"at {number}")))
    with book._writer.begin() as connection:
        connection.exec_driver_sql(f"UPDATE contents SET {damage} WHERE base_id IS NOT NULL")  # noqa: S608
    with pytest.raises(StoreError, match="an answer of a device in the device book cannot be read"):
        book.evidence("a000001", 0)
    whole = book.evidence("a000000", 0)
    assert whole is not None
    assert whole.content == answer(1, "at 0")


def test_what_says_something_new_is_known_also_where_the_clock_was_set_back(book: DeviceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_audits, "KEPT", 1)
    other = dataclasses.replace(audit_of(2), dialects=(), identity=dataclasses.replace(audit_of(2).identity, firmware="other"))
    for audit in (audit_of(1), audit_of(3), other, audit_of(4), audit_of(5)):
        book.add_audit(audit)
    firmwares = [each.audit.identity.firmware for each in book.audits("plaza", limit=9)]
    mine = audit_of(1).identity.firmware
    assert firmwares == [mine, mine, "other", mine], "the newest, the third, the second and the first"
