"""Audits in the device book: kept with all their evidence, and so that those which tell a change are there when the others are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, exists, insert, literal, or_, select

from lamppost.base.errors import StoreError
from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Evidence, Finding, Level, Outcome
from lamppost.store.book_file import BookFile, First, nothing
from lamppost.store.device_tables import AUDITS, CONTENTS, DISARMS, EVIDENCE, FINDINGS
from lamppost.store.device_words import from_json, number, to_json, word

KEPT: Final = 60  # of a camera, whatever they say
MOST_DIFFERING: Final = 500  # of a camera, with those that say something else than the one before
After = tuple[int, str]
"""`made_us` and `audit_id` of the last audit of a page."""

_IDENTITY: Final = tuple(field.name for field in fields(DeviceIdentity))
_LEVELS: Final = ("is_armed", "has_library", "auto_tracking")


@dataclass(frozen=True, slots=True)
class KeptAudit:
    """An audit, and what had come back since the one before it. In lists, findings and evidence are left out."""

    audit: Audit
    drift: tuple[str, ...] = ()


class DeviceAudits(BookFile):
    """The part of the device book that has the audits; see `device_book.DeviceBook`."""

    def add_audit(self, audit: Audit, *, drift: Sequence[str] = (), first: First = nothing) -> None:
        """Keep an audit whole or not at all; older ones of the camera go that tell nothing and belong to no disarm."""
        with self._write("keep an audit") as connection:
            before = connection.execute(_newest(audit.camera).where(_is_before(audit.made_us, audit.audit_id)).limit(1)).first()
            differs = before is None or _says(_audit(before)) != _says(_cleaned(audit))
            connection.execute(insert(AUDITS).values(_row(audit, drift, differs=differs)))
            _put_findings(connection, audit)
            _prune(connection, audit)
            first()

    def newest_audits(self) -> tuple[KeptAudit, ...]:
        """The newest of each camera, by name; without findings and evidence."""
        later = AUDITS.alias()
        is_newer = or_(later.c.made_us > AUDITS.c.made_us, and_(later.c.made_us == AUDITS.c.made_us, later.c.audit_id > AUDITS.c.audit_id))
        query = select(AUDITS).where(~exists().where(later.c.camera == AUDITS.c.camera, is_newer)).order_by(AUDITS.c.camera)
        return tuple(_kept(row) for row in self._all(query))

    def newest_audit(self, camera: str) -> KeptAudit | None:
        """The newest of a camera, whole."""
        rows = self._all(_newest(camera).limit(1))
        return self._whole(rows[0]) if rows else None

    def audit(self, audit_id: str) -> KeptAudit | None:
        """One audit, whole."""
        rows = self._all(select(AUDITS).where(AUDITS.c.audit_id == audit_id))
        return self._whole(rows[0]) if rows else None

    def audits(self, camera: str, *, after: After | None = None, limit: int) -> tuple[KeptAudit, ...]:
        """Those of a camera, the newest first, after a place in that order; without findings and evidence."""
        query = _newest(camera)
        if after is not None:
            query = query.where(_is_before(*after))
        return tuple(_kept(row) for row in self._all(query.limit(limit)))

    def evidence(self, audit_id: str, number: int) -> Evidence | None:
        """One answer of an audit."""
        rows = self._all(_of_evidence(audit_id).where(EVIDENCE.c.number == number))
        return _evidence(rows[0]) if rows else None

    def _whole(self, row: Any) -> KeptAudit:
        findings = self._all(select(FINDINGS).where(FINDINGS.c.audit_id == row.audit_id).order_by(FINDINGS.c.number))
        evidence = self._all(_of_evidence(row.audit_id).order_by(EVIDENCE.c.number))
        return _kept(row, (_finding(each) for each in findings), (_evidence(each) for each in evidence))


def _newest(camera: str) -> Select[Any]:
    return select(AUDITS).where(AUDITS.c.camera == camera).order_by(AUDITS.c.made_us.desc(), AUDITS.c.audit_id.desc())


def _of_evidence(audit_id: str) -> Select[Any]:
    joined = EVIDENCE.outerjoin(CONTENTS, CONTENTS.c.content_id == EVIDENCE.c.content_id)
    return select(EVIDENCE, CONTENTS.c.content).select_from(joined).where(EVIDENCE.c.audit_id == audit_id)


def _is_before(made_us: int, audit_id: str) -> Any:
    return or_(AUDITS.c.made_us < made_us, and_(AUDITS.c.made_us == made_us, AUDITS.c.audit_id < audit_id))


def _prune(connection: Connection, audit: Audit) -> None:
    """Of this camera alone: the newest stay, those that say something new, and those of disarms."""
    newest = _newest(audit.camera).with_only_columns(AUDITS.c.audit_id)
    of_disarms = exists(
        select(literal(1)).where(or_(DISARMS.c.audit_before == AUDITS.c.audit_id, DISARMS.c.audit_after == AUDITS.c.audit_id))
    )
    free = and_(AUDITS.c.camera == audit.camera, ~of_disarms)
    plain = and_(AUDITS.c.differs == 0, AUDITS.c.audit_id.in_(newest.limit(-1).offset(KEPT)))
    too_old = AUDITS.c.audit_id.in_(newest.limit(-1).offset(MOST_DIFFERING))
    gone = [row.audit_id for row in connection.execute(select(AUDITS.c.audit_id).where(free, or_(plain, too_old)))]
    if gone:
        held = select(EVIDENCE.c.content_id).where(EVIDENCE.c.audit_id.in_(gone), EVIDENCE.c.content_id.is_not(None)).distinct()
        contents = [row.content_id for row in connection.execute(held)]
        connection.execute(delete(AUDITS).where(AUDITS.c.audit_id.in_(gone)))
        is_held = exists().where(EVIDENCE.c.content_id == CONTENTS.c.content_id)
        connection.execute(delete(CONTENTS).where(CONTENTS.c.content_id.in_(contents), ~is_held))


def _says(audit: Audit) -> tuple[Any, ...]:
    return audit.identity, audit.detect, audit.capture, audit.recognise, audit.armament


def _cleaned(audit: Audit) -> Audit:
    """As it comes back."""
    return _audit_of(_row(audit, (), differs=False), (), ())


def _row(audit: Audit, drift: Sequence[str], *, differs: bool) -> dict[str, Any]:
    armament = audit.armament
    return {
        "audit_id": audit.audit_id,
        "camera": audit.camera,
        "made_us": audit.made_us,
        **{name: word(getattr(audit.identity, name)) for name in _IDENTITY},
        **{ability.value: audit.level(ability).value for ability in Ability},
        **{name: getattr(armament, name).value for name in _LEVELS},
        "libraries": number(armament.libraries),
        "entries": number(armament.entries),
        "armed": to_json([word(each) for each in armament.armed]),
        "dialects": to_json(list(audit.dialects)),
        "drift": to_json([word(each) for each in drift]),
        "differs": int(differs),
    }


def _put_findings(connection: Connection, audit: Audit) -> None:
    findings = [
        {
            "audit_id": audit.audit_id,
            "number": place,
            "ability": finding.ability.value,
            "level": finding.level.value,
            "because": word(finding.because),
            "evidence": finding.evidence,
        }
        for place, finding in enumerate(audit.findings)
    ]
    evidence = [
        {
            "audit_id": audit.audit_id,
            "number": place,
            "question": word(each.question),
            "asked_us": each.asked_us,
            "outcome": each.outcome.value,
            "http_status": each.http_status,
            "sha256": each.sha256,
            "size_bytes": each.size_bytes,
            "content_id": _content_id(each.content),
            "content_type": word(each.content_type),
            "counts": to_json([[word(name), count] for name, count in each.counts]),
            "problem": word(each.problem),
        }
        for place, each in enumerate(audit.evidence)
    ]
    if findings:
        connection.execute(insert(FINDINGS), findings)
    if evidence:
        _put_contents(connection, audit)
        connection.execute(insert(EVIDENCE), evidence)


def _put_contents(connection: Connection, audit: Audit) -> None:
    """What is not there yet."""
    contents = {_content_id(each.content): each.content for each in audit.evidence if each.content}
    known = {row.content_id for row in connection.execute(select(CONTENTS.c.content_id).where(CONTENTS.c.content_id.in_(contents)))}
    new = [{"content_id": content_id, "content": content} for content_id, content in contents.items() if content_id not in known]
    if new:
        connection.execute(insert(CONTENTS), new)


def _content_id(content: bytes) -> str | None:
    return hashlib.sha256(content).hexdigest() if content else None


def _kept(row: Any, findings: Iterable[Finding] = (), evidence: Iterable[Evidence] = ()) -> KeptAudit:
    values = dict(row._mapping)  # SQLAlchemy's documented way to a mapping
    return KeptAudit(_audit_of(values, findings, evidence), tuple(from_json(row.drift, "an audit")))


def _audit(row: Any) -> Audit:
    return _audit_of(dict(row._mapping), (), ())


def _audit_of(row: dict[str, Any], findings: Iterable[Finding], evidence: Iterable[Evidence]) -> Audit:
    try:
        levels = {name: Level(row[name]) for name in (*_LEVELS, *(ability.value for ability in Ability))}
    except ValueError as error:
        raise StoreError("an audit in the device book cannot be read", remedy="put the device book back from a backup") from error
    return Audit(
        audit_id=row["audit_id"],
        camera=row["camera"],
        made_us=row["made_us"],
        identity=DeviceIdentity(**{name: row[name] for name in _IDENTITY}),
        **{ability.value: levels[ability.value] for ability in Ability},
        armament=Armament(
            **{name: levels[name] for name in _LEVELS},
            libraries=row["libraries"],
            entries=row["entries"],
            armed=tuple(from_json(row["armed"], "an audit")),
        ),
        findings=tuple(findings),
        evidence=tuple(evidence),
        dialects=tuple(from_json(row["dialects"], "an audit")),
    )


def _finding(row: Any) -> Finding:
    return Finding(Ability(row.ability), Level(row.level), row.because, row.evidence)


def _evidence(row: Any) -> Evidence:
    return Evidence(
        question=row.question,
        asked_us=row.asked_us,
        outcome=Outcome(row.outcome),
        http_status=row.http_status,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        content=bytes(row.content or b""),
        content_type=row.content_type,
        counts=tuple((name, count) for name, count in from_json(row.counts, "an audit")),
        problem=row.problem,
    )
