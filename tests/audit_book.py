"""The part of the device book that keeps audits and disarms, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lamppost.model.devices import Audit, Evidence
from lamppost.model.disarming import Disarm


@dataclass(frozen=True)
class KeptAudit:
    audit: Audit
    drift: tuple[str, ...] = ()


@dataclass
class MemoryBook:
    kept: dict[str, KeptAudit] = field(default_factory=dict[str, KeptAudit])
    rows: dict[str, Disarm] = field(default_factory=dict[str, Disarm])
    states: list[Disarm] = field(default_factory=list[Disarm])

    def add_audit(self, audit: Audit, *, drift: Sequence[str] = (), first: Callable[[], object] = lambda: None) -> None:
        first()
        self.kept[audit.audit_id] = KeptAudit(audit, tuple(drift))

    def newest_audits(self) -> Sequence[KeptAudit]:
        return list({kept.audit.camera: kept for kept in sorted(self.kept.values(), key=_order)}.values())

    def audit(self, audit_id: str) -> KeptAudit | None:
        return self.kept.get(audit_id)

    def audits(self, camera: str, *, after: tuple[int, str] | None = None, limit: int) -> Sequence[KeptAudit]:
        found = sorted((kept for kept in self.kept.values() if kept.audit.camera == camera), key=_order, reverse=True)
        return [kept for kept in found if after is None or _order(kept) < after][:limit]

    def evidence(self, audit_id: str, number: int) -> Evidence | None:
        kept = self.kept.get(audit_id)
        return kept.audit.evidence[number] if kept is not None and number < len(kept.audit.evidence) else None

    def device(self, camera: str) -> None:
        del camera

    def add_disarm(self, disarm: Disarm, *, first: Callable[[], object] = lambda: None) -> None:
        first()
        self.update_disarm(disarm)

    def update_disarm(self, disarm: Disarm) -> None:
        self.rows[disarm.disarm_id] = disarm
        self.states.append(disarm)

    def disarm(self, disarm_id: str) -> Disarm | None:
        return self.rows.get(disarm_id)

    def disarms(self, camera: str) -> Sequence[Disarm]:
        return [row for row in reversed(self.rows.values()) if row.camera == camera]


def _order(kept: KeptAudit) -> tuple[int, str]:
    return kept.audit.made_us, kept.audit.audit_id
