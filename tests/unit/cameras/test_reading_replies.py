"""Whatever a device answers, it is read, or it is unreadable: no other error, no end of memory or time."""

from __future__ import annotations

import contextlib
import random
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import UnreadableReply
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.axis.vapix import read_answer, read_applications, read_parameters, read_producers
from lamppost.cameras.dialects.evidence import redacted
from lamppost.cameras.dialects.hikvision.isapi import document_or_json
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.reading import MOST_DEPTH, read_json, read_lines, read_xml
from lamppost.cameras.dialects.replies import PlayedDevice, Variant, reply
from lamppost.cameras.disarm import plan_disarm
from lamppost.cameras.web import MOST_BYTES, Reply
from lamppost.model.devices import DeviceIdentity

VARIANTS = [variant for dialect in DIALECTS for variant in Variant.all(dialect.name)]
READERS = (read_xml, read_json, read_lines, read_applications, read_answer, read_producers, read_parameters, document_or_json(""))
PIECES = (
    *(
        b"<",
        b">",
        b"</",
        b"&",
        b"&#x0;",
        b"&a;",
        b"<!--",
        b"<![CDATA[",
        b"<?xml version='1.1' encoding='utf-16'?>",
        b"]]>",
        b"\0",
        b"\xff\xfe",
    ),
    *(
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"=",
        b"[",
        b"]" * 50,
        b"{" * 60,
        b'"',
        b"\\u0000",
        b"\r\n",
        b"table.",
        b"-1",
        b"9" * 400,
        b"NaN",
        b"1e999",
    ),
    *(b"true", b"false", b"FaceRecognition", b"[999999999]", b"%00", "𝟘é".encode(), b"<id>1</id>" * 200),
)


def mutated(seed: int) -> tuple[Variant, dict[str, Reply]]:
    """A device, some of whose answers have gone wrong in a few bytes."""
    chance = random.Random(seed)
    variant = chance.choice(VARIANTS)
    replies = dict(variant.replies)
    for question in chance.sample(sorted(replies), min(len(replies), chance.randint(1, 4))):
        content = bytearray(replies[question].content)
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(len(content) + 1)
            match chance.randrange(5):
                case 0:
                    content[at : at + chance.randint(1, 40)] = b""
                case 1:
                    content[at:at] = chance.choice(PIECES)
                case 2:
                    content[at : at + 1] = bytes([chance.randrange(256)])
                case 3:
                    content[at:at] = content[at : at + chance.randint(1, 300)] * chance.randint(1, 20)
                case _:
                    content = content[:at] or content
        replies[question] = reply(200, bytes(content), replies[question].headers["content-type"])
    return variant, replies


def tell(seeds: range) -> None:
    """Each is read by every reader, audited and planned for, within time and memory."""
    for seed in seeds:
        variant, replies = mutated(seed)
        device = PlayedDevice(Variant(variant.vendor, variant.name, replies, variant.able))
        began_s = time.monotonic()
        audit_device("plaza", device, ManualClock(), identity=DeviceIdentity(vendor=variant.vendor))
        plan_disarm(device, ManualClock(), DeviceIdentity(vendor=variant.vendor))
        for question, answer in replies.items():
            if answer is not variant.replies[question]:
                for read in READERS:
                    with contextlib.suppress(UnreadableReply):
                        read(answer)
                redacted(answer.content)
        assert time.monotonic() - began_s < 5, f"seed {seed}"


def test_three_hundred_answers_that_have_gone_wrong() -> None:
    tracemalloc.start()
    try:
        tell(range(300))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_ten_thousand_answers_that_have_gone_wrong() -> None:
    tracemalloc.start()
    try:
        tell(range(300, 10_300))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def bombs() -> Iterator[tuple[str, bytes, str]]:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (i, b"&l%d;" % (i - 1) * 10) for i in range(1, 10))
    yield "entities", b'<!DOCTYPE a [<!ENTITY l0 "ha">' + laughs + b"]><a>&l9;</a>", "text/xml"
    yield "a file", b'<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&f;</a>', "text/xml"
    yield "a type from elsewhere", b'<!DOCTYPE a SYSTEM "http://192.0.2.1/a.dtd"><a/>', "text/xml"
    yield "a type in UTF-16", '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "text/xml"
    yield "depth", b"<a>" * 100_000, "text/xml"
    yield "many elements", b"<a>" + b"<b/>" * 250_000 + b"</a>", "text/xml"
    yield "a strange alphabet", b'<?xml version="1.0" encoding="utf-7"?><a/>', "text/xml"
    yield "lists in lists", b'{"a":' + b"[" * 100_000, "application/json"
    yield "lists that end", b'{"a":' + b"[" * 60 + b"]" * 60 + b"}", "application/json"
    yield "a long number", b'{"a":' + b"9" * 100_000 + b"}", "application/json"
    yield "many lines", b"a=1\n" * 250_000, "text/plain"
    yield "a long line", b"a=" + b"1" * 1_000_000 + b"\n", "text/plain"
    yield "a long key", b"a" * 1_000_000 + b"=1\n", "text/plain"


@pytest.mark.parametrize(("content", "content_type"), [pytest.param(*bomb[1:], id=bomb[0]) for bomb in bombs()])
def test_a_bomb_is_unreadable(content: bytes, content_type: str) -> None:
    assert len(content) <= MOST_BYTES
    for read in READERS:
        with pytest.raises(UnreadableReply):
            read(reply(200, content, content_type))


@pytest.mark.parametrize("content", [b"<password>" * 6000, b"Password" * 16_000, b'"token":"' * 14_000, b"a" * 131_072, b"x://" * 32_000])
def test_taking_secrets_out_takes_no_time_whatever_the_answer(content: bytes) -> None:
    began_s = time.monotonic()
    redacted(content)
    assert time.monotonic() - began_s < 2


def test_a_tree_as_deep_as_it_may_be_is_read() -> None:
    deep = b"<a>" * MOST_DEPTH + b"x" + b"</a>" * MOST_DEPTH
    assert sum(1 for _ in read_xml(reply(200, deep, "text/xml")).all()) == MOST_DEPTH


@pytest.mark.parametrize(
    ("content", "headers", "is_whole"),
    [
        (b"a=1\r\nb=2\r\n", {"content-length": "10"}, True),
        (b"a=1\r\nb=2\r\n", {"transfer-encoding": "chunked"}, True),
        (b"a=1\r\nb=2\r\n", {}, False),  # it may have been cut off there
        (b"a=1\r\nb=2", {"content-length": "8"}, False),
        (b"a=1\r\na=2\r\n", {"content-length": "10"}, False),
        ("a=1\r\nb=Tür\r\n".encode("latin-1"), {"content-length": "12"}, False),
    ],
)
def test_lines_know_whether_one_may_be_missing(content: bytes, headers: dict[str, str], is_whole: bool) -> None:
    lines = read_lines(Reply(200, {"content-type": "text/plain", **headers}, content))
    assert lines.is_whole is is_whole
    assert lines.values["a"] == "1"
