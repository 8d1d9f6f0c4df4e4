"""Device books of older versions are brought up to this one where they lie, in one transaction: whole, or as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, text

from lamppost.model.devices import Ability, Evidence, Finding, Level
from lamppost.store.device_evidence import evidence_of, put_evidence, put_findings
from lamppost.store.device_tables import AUDITS, DISARMS, METADATA

_OLD: Final = ("audits", "findings", "contents", "evidence")


def _keep_answers_once(connection: Connection) -> None:
    """Before, each audit had rows of its own for all that was asked and found, and answers were kept as they came."""
    run = connection.exec_driver_sql
    for index in run("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").scalars().all():
        if index.startswith(tuple(f"ix_{table}_" for table in _OLD)):
            run(f'DROP INDEX "{index}"')
    for table in _OLD:
        run(f"ALTER TABLE {table} RENAME TO old_{table}")
    METADATA.create_all(connection)
    kept = ", ".join(column.name for column in AUDITS.columns if column.name != "findings_id")
    before: dict[str, str] = {}
    for audit_id, camera in run("SELECT audit_id, camera FROM old_audits ORDER BY made_us, audit_id").all():
        findings_id = put_findings(connection, _findings(connection, audit_id))
        sentence = f"INSERT INTO audits ({kept}, findings_id) SELECT {kept}, :findings_id FROM old_audits WHERE audit_id = :audit_id"  # noqa: S608  # names of our own
        connection.execute(text(sentence), {"findings_id": findings_id, "audit_id": audit_id})
        put_evidence(connection, audit_id, _evidence(connection, audit_id), before.get(camera, ""))
        before[camera] = audit_id
    for table in ("evidence", "findings", "contents", "audits"):
        run(f"DROP TABLE old_{table}")


def _findings(connection: Connection, audit_id: str) -> list[Finding]:
    rows = _of(connection, "SELECT ability, level, because, evidence FROM old_findings", audit_id)
    return [Finding(Ability(row.ability), Level(row.level), row.because, row.evidence) for row in rows]


def _evidence(connection: Connection, audit_id: str) -> list[Evidence]:
    rows = _of(connection, "SELECT old_evidence.*, content FROM old_evidence LEFT JOIN old_contents USING (content_id)", audit_id)
    return [evidence_of(row, bytes(row.content or b"")) for row in rows]


def _of(connection: Connection, query: str, audit_id: str) -> Any:
    return connection.execute(text(f"{query} WHERE audit_id = :audit_id ORDER BY number"), {"audit_id": audit_id}).all()


def _give_rollbacks_an_audit(connection: Connection) -> None:
    """Before, the audit after a rollback took the place of the disarm's own, and a disarm could not be unconfirmed."""
    run = connection.exec_driver_sql
    names = ", ".join(f'"{column.name}"' for column in DISARMS.columns if column.name != "rollback_audit")
    run("ALTER TABLE disarms RENAME TO old_disarms")
    for index in DISARMS.indexes:
        run(f'DROP INDEX IF EXISTS "{index.name}"')
    DISARMS.create(connection)
    run(f"INSERT INTO disarms ({names}, rollback_audit) SELECT {names}, '' FROM old_disarms")  # noqa: S608  # names of our own
    run("DROP TABLE old_disarms")


UPGRADES: Final[Mapping[int, Callable[[Connection], None]]] = MappingProxyType({1: _keep_answers_once, 2: _give_rollbacks_an_audit})
"""By version, what makes the next one of it."""
