"""What devices have answered, as the device book keeps it: each answer once, packed, however many audits and devices have it.

Devices say the same for months, and where they do not, it is mostly a time or a number in a long answer: such a one is packed with an
earlier answer to the same question as a dictionary, and takes some dozens of bytes.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, exists, insert, select

from lamppost.base.errors import StoreError
from lamppost.model.devices import Ability, Evidence, Finding, Level, Outcome
from lamppost.store.device_tables import ANSWERS, AUDITS, CONTENTS, EVIDENCE, FINDINGS, MOST_CONTENT_BYTES
from lamppost.store.device_words import from_json, to_json, word

_LEVEL: Final = 9
_WORTH: Final = 2  # a base is taken where it makes the packed answer so many times smaller
_BASES: Final = CONTENTS.alias("bases")
_FIELDS: Final = ("question", "outcome", "http_status", "sha256", "size_bytes", "content_id", "content_type", "counts", "problem")


@dataclass(frozen=True, slots=True)
class Held:
    """What may be nobody's when some audits are gone."""

    answers: tuple[int, ...]
    findings: tuple[int, ...]


def select_evidence(audit_id: str) -> Select[Any]:
    """The answers of an audit, for `evidence_from`."""
    joined = (
        EVIDENCE.join(ANSWERS, ANSWERS.c.answer_id == EVIDENCE.c.answer_id)
        .outerjoin(CONTENTS, CONTENTS.c.content_id == ANSWERS.c.content_id)
        .outerjoin(_BASES, _BASES.c.content_id == CONTENTS.c.base_id)
    )
    return (
        select(EVIDENCE.c.number, EVIDENCE.c.asked_us, ANSWERS, CONTENTS.c.packed)
        .add_columns(_BASES.c.content_id.label("base_id"), _BASES.c.packed.label("base_packed"))
        .select_from(joined)
        .where(EVIDENCE.c.audit_id == audit_id)
    )


def evidence_from(row: Any) -> Evidence:
    """Raises `StoreError` for an answer that is not what was kept."""
    return evidence_of(row, _unpacked(row) if row.content_id is not None else b"")


def evidence_of(row: Any, content: bytes) -> Evidence:
    """Of the columns of an answer, which are named as in every shape of the book, and its content, which each shape keeps in its way."""
    return Evidence(
        question=row.question,
        asked_us=row.asked_us,
        outcome=Outcome(row.outcome),
        http_status=row.http_status,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        content=content,
        content_type=row.content_type,
        counts=tuple((name, count) for name, count in from_json(row.counts, "an audit")),
        problem=row.problem,
    )


def findings_from(document: str) -> tuple[Finding, ...]:
    """Of an audit, in order."""
    found = from_json(document, "an audit")
    return tuple(Finding(Ability(ability), Level(level), because, number) for ability, level, because, number in found)


def put_findings(connection: Connection, findings: Sequence[Finding]) -> int | None:
    """Their number; None where there are none."""
    if not findings:
        return None
    document = to_json([[each.ability.value, each.level.value, word(each.because), each.evidence] for each in findings])
    fingerprint = hashlib.sha256(document.encode()).hexdigest()
    known = connection.execute(select(FINDINGS.c.findings_id).where(FINDINGS.c.fingerprint == fingerprint)).scalar_one_or_none()
    if known is not None:
        return int(known)
    made = connection.execute(insert(FINDINGS).values(fingerprint=fingerprint, document=document))
    return int(made.inserted_primary_key[0])  # type: ignore[index]  # of one row there is one


def put_evidence(connection: Connection, audit_id: str, evidence: Sequence[Evidence], audit_before: str) -> None:
    """The answers of an audit whose row is there; those of the audit before it are the likeliest to be much the same."""
    if not evidence:
        return
    _put_contents(connection, evidence, audit_before)
    rows = [_answer(each) for each in evidence]
    prints = [hashlib.sha256(to_json([row[name] for name in _FIELDS]).encode()).hexdigest() for row in rows]
    known = _numbers(connection, prints)
    new = {mark: row | {"fingerprint": mark} for mark, row in zip(prints, rows, strict=True) if mark not in known}
    if new:
        connection.execute(insert(ANSWERS), list(new.values()))
        known = _numbers(connection, prints)
    asked = [
        {"audit_id": audit_id, "number": place, "asked_us": each.asked_us, "answer_id": known[mark]}
        for place, (each, mark) in enumerate(zip(evidence, prints, strict=True))
    ]
    connection.execute(insert(EVIDENCE), asked)


def held_by(connection: Connection, audits: Sequence[str]) -> Held:
    """What these audits have, before they go."""
    answers = connection.execute(select(EVIDENCE.c.answer_id).where(EVIDENCE.c.audit_id.in_(audits)).distinct()).scalars()
    of_audits = and_(AUDITS.c.audit_id.in_(audits), AUDITS.c.findings_id.is_not(None))
    findings = connection.execute(select(AUDITS.c.findings_id).where(of_audits).distinct()).scalars()
    return Held(tuple(answers), tuple(findings))


def forget_unheld(connection: Connection, held: Held) -> None:
    """Of `held`, what no audit has any more."""
    is_asked = exists().where(EVIDENCE.c.answer_id == ANSWERS.c.answer_id)
    gone = and_(ANSWERS.c.answer_id.in_(held.answers), ~is_asked)
    of_gone = select(CONTENTS.c.content_id, CONTENTS.c.base_id).join(ANSWERS, ANSWERS.c.content_id == CONTENTS.c.content_id).where(gone)
    contents = connection.execute(of_gone).all()
    connection.execute(delete(ANSWERS).where(gone))
    # First those that have a base, then the bases that nobody has any more.
    for candidates in ({row.content_id for row in contents}, {row.base_id for row in contents} | {row.content_id for row in contents}):
        is_answer = exists().where(ANSWERS.c.content_id == CONTENTS.c.content_id)
        is_base = exists().where(_BASES.c.base_id == CONTENTS.c.content_id)
        connection.execute(delete(CONTENTS).where(CONTENTS.c.content_id.in_(candidates - {None}), ~is_answer, ~is_base))
    is_found = exists().where(AUDITS.c.findings_id == FINDINGS.c.findings_id)
    connection.execute(delete(FINDINGS).where(FINDINGS.c.findings_id.in_(held.findings), ~is_found))


def _answer(each: Evidence) -> dict[str, Any]:
    return {
        "question": word(each.question),
        "outcome": each.outcome.value,
        "http_status": each.http_status,
        "sha256": each.sha256,
        "size_bytes": each.size_bytes,
        "content_id": _content_id(each.content),
        "content_type": word(each.content_type),
        "counts": to_json([[word(name), count] for name, count in each.counts]),
        "problem": word(each.problem),
    }


def _numbers(connection: Connection, prints: Sequence[str]) -> dict[str, int]:
    query = select(ANSWERS.c.fingerprint, ANSWERS.c.answer_id).where(ANSWERS.c.fingerprint.in_(set(prints)))
    return {row.fingerprint: row.answer_id for row in connection.execute(query)}


def _put_contents(connection: Connection, evidence: Sequence[Evidence], audit_before: str) -> None:
    """What is not there yet."""
    contents = {content_id: each for each in evidence if (content_id := _content_id(each.content)) is not None}
    known = set(connection.execute(select(CONTENTS.c.content_id).where(CONTENTS.c.content_id.in_(contents))).scalars())
    new = {content_id: each for content_id, each in contents.items() if content_id not in known}
    if not new:
        return
    bases = _bases(connection, audit_before, {word(each.question) for each in new.values()})
    connection.execute(insert(CONTENTS), [_packed(content_id, each, bases) for content_id, each in new.items()])


def _bases(connection: Connection, audit_before: str, questions: set[str]) -> Mapping[str, tuple[str, bytes]]:
    """By question, what was answered to it before and was packed without a base, and its number."""
    joined = EVIDENCE.join(ANSWERS, ANSWERS.c.answer_id == EVIDENCE.c.answer_id).join(
        CONTENTS, CONTENTS.c.content_id == ANSWERS.c.content_id
    )
    whole = _BASES.c.content_id == CONTENTS.c.base_id
    query = (
        select(ANSWERS.c.question, CONTENTS.c.content_id, CONTENTS.c.packed)
        .add_columns(_BASES.c.content_id.label("base_id"), _BASES.c.packed.label("base_packed"))
        .select_from(joined.outerjoin(_BASES, whole))
        .where(EVIDENCE.c.audit_id == audit_before, ANSWERS.c.question.in_(questions))
    )
    found: dict[str, tuple[str, bytes]] = {}
    for row in connection.execute(query):
        content_id, packed = (row.base_id, row.base_packed) if row.base_id is not None else (row.content_id, row.packed)
        found[row.question] = (content_id, _inflated(packed, b"", content_id))
    return found


def _packed(content_id: str, each: Evidence, bases: Mapping[str, tuple[str, bytes]]) -> dict[str, Any]:
    packed, base_id = _deflated(each.content, b""), None
    if (base := bases.get(word(each.question))) is not None:
        smaller = _deflated(each.content, base[1])
        if len(smaller) * _WORTH <= len(packed):
            packed, base_id = smaller, base[0]
    return {"content_id": content_id, "size_bytes": len(each.content), "packed": packed, "base_id": base_id}


def _unpacked(row: Any) -> bytes:
    base = _inflated(row.base_packed, b"", row.base_id) if row.base_id is not None else b""
    return _inflated(row.packed, base, row.content_id)


def _deflated(content: bytes, base: bytes) -> bytes:
    packing = zlib.compressobj(_LEVEL, zdict=base) if base else zlib.compressobj(_LEVEL)
    return packing.compress(content) + packing.flush()


def _inflated(packed: bytes, base: bytes, content_id: str) -> bytes:
    """Bounded by what was kept: it is what it was, or a `StoreError`."""
    try:
        unpacking = zlib.decompressobj(zdict=base) if base else zlib.decompressobj()
        content = unpacking.decompress(packed, MOST_CONTENT_BYTES + 1)
    except zlib.error as error:
        raise _damaged() from error
    if _content_id(content) != content_id:
        raise _damaged()
    return content


def _damaged() -> StoreError:
    return StoreError("an answer of a device in the device book cannot be read", remedy="put the device book back from a backup")


def _content_id(content: bytes) -> str | None:
    return hashlib.sha256(content).hexdigest() if content else None
