"""The part of the device book that keeps audits and disarms, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lamppost.model.devices import Audit, Evidence
from lamppost.model.disarming import Disarm


@dataclass
class MemoryBook:
    kept: dict[str, Audit] = field(default_factory=dict[str, Audit])
    rows: dict[str, Disarm] = field(default_factory=dict[str, Disarm])
    states: list[Disarm] = field(default_factory=list[Disarm])

    def add_audit(self, audit: Audit, *, first: Callable[[], object] = lambda: None) -> None:
        first()
        self.kept[audit.audit_id] = audit

    def newest_audits(self) -> Sequence[Audit]:
        newest = {audit.camera: audit for audit in sorted(self.kept.values(), key=lambda audit: audit.made_us)}
        return list(newest.values())

    def audit(self, audit_id: str) -> Audit | None:
        return self.kept.get(audit_id)

    def audits(self, camera: str, *, before: tuple[int, str] | None = None, limit: int = 50) -> Sequence[Audit]:
        found = sorted((audit for audit in self.kept.values() if audit.camera == camera), key=_order, reverse=True)
        return [audit for audit in found if before is None or _order(audit) < before][:limit]

    def evidence(self, audit_id: str, number: int) -> Evidence | None:
        audit = self.kept.get(audit_id)
        return audit.evidence[number] if audit is not None and number < len(audit.evidence) else None

    def add_disarm(self, row: Disarm, *, first: Callable[[], object] = lambda: None) -> None:
        first()
        self.update_disarm(row)

    def update_disarm(self, row: Disarm) -> None:
        self.rows[row.disarm_id] = row
        self.states.append(row)

    def disarm(self, disarm_id: str) -> Disarm | None:
        return self.rows.get(disarm_id)

    def disarms(self, camera: str) -> Sequence[Disarm]:
        return [row for row in reversed(self.rows.values()) if row.camera == camera]


def _order(audit: Audit) -> tuple[int, str]:
    return audit.made_us, audit.audit_id
