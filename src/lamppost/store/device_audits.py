"""Audits in the device book: kept with all their evidence, and so that those which tell a change are there when the others are gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, exists, insert, literal, or_, select, update

from lamppost.base.errors import StoreError
from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Evidence, Finding, Level
from lamppost.store.book_file import BookFile, First, nothing
from lamppost.store.device_evidence import evidence_from, findings_from, forget_unheld, held_by, put_evidence, put_findings, select_evidence
from lamppost.store.device_tables import AUDITS, DISARMS, EVIDENCE, FINDINGS
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
            _put(connection, audit, drift, before)
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
        rows = self._all(select_evidence(audit_id).where(EVIDENCE.c.number == number))
        return evidence_from(rows[0]) if rows else None

    def _whole(self, row: Any) -> KeptAudit:
        findings = self._all(select(FINDINGS.c.document).where(FINDINGS.c.findings_id == row.findings_id))
        evidence = self._all(select_evidence(row.audit_id).order_by(EVIDENCE.c.number))
        return _kept(row, findings_from(findings[0].document) if findings else (), map(evidence_from, evidence))


def _put(connection: Connection, audit: Audit, drift: Sequence[str], audit_before: Any) -> None:
    """A new row with all that belongs to it; `audit_before` is the row of the one before it, where there is one."""
    said = _says(_cleaned(audit))
    row = _row(audit, drift, differs=audit_before is None or _says(_audit(audit_before)) != said)
    connection.execute(insert(AUDITS).values(row | {"findings_id": put_findings(connection, audit.findings)}))
    put_evidence(connection, audit.audit_id, audit.evidence, audit_before.audit_id if audit_before is not None else "")
    # The clock may have been set back: the one after it has another before it now.
    later = _newest(audit.camera).where(~_is_before(audit.made_us, audit.audit_id), AUDITS.c.audit_id != audit.audit_id)
    after = connection.execute(later.order_by(None).order_by(AUDITS.c.made_us, AUDITS.c.audit_id).limit(1)).first()
    if after is not None:
        differs = int(_says(_audit(after)) != said)
        connection.execute(update(AUDITS).where(AUDITS.c.audit_id == after.audit_id).values(differs=differs))


def _newest(camera: str) -> Select[Any]:
    return select(AUDITS).where(AUDITS.c.camera == camera).order_by(AUDITS.c.made_us.desc(), AUDITS.c.audit_id.desc())


def _is_before(made_us: int, audit_id: str) -> Any:
    return or_(AUDITS.c.made_us < made_us, and_(AUDITS.c.made_us == made_us, AUDITS.c.audit_id < audit_id))


def _prune(connection: Connection, audit: Audit) -> None:
    """Of this camera alone: the newest stay, those that say something new, and those of disarms."""
    newest = _newest(audit.camera).with_only_columns(AUDITS.c.audit_id)
    of_disarms = exists(
        select(literal(1)).where(
            or_(*(column == AUDITS.c.audit_id for column in (DISARMS.c.audit_before, DISARMS.c.audit_after, DISARMS.c.rollback_audit)))
        )
    )
    free = and_(AUDITS.c.camera == audit.camera, ~of_disarms)
    plain = and_(AUDITS.c.differs == 0, AUDITS.c.audit_id.in_(newest.limit(-1).offset(KEPT)))
    too_old = AUDITS.c.audit_id.in_(newest.limit(-1).offset(MOST_DIFFERING))
    gone = [row.audit_id for row in connection.execute(select(AUDITS.c.audit_id).where(free, or_(plain, too_old)))]
    if gone:
        held = held_by(connection, gone)
        connection.execute(delete(AUDITS).where(AUDITS.c.audit_id.in_(gone)))
        forget_unheld(connection, held)


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
