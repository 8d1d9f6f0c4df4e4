"""Audits and disarms, as the API tells them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from lamppost.api.device_models import DeviceIs
from lamppost.api.moments import Time
from lamppost.model.devices import Ability, Audit, Evidence, Level, Outcome
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep

ORDER_FIELD = Field(min_length=10, max_length=2000, description="What allows it: who has decided it, and when.")


class AuditSummary(BaseModel):
    """The levels of one audit, and how the device was set. A level is `no` only where the device itself has said so."""

    id: str | None = Field(description="Null for a camera that was never audited.")
    camera: str
    site: str
    made: Time | None
    identity: DeviceIs | None
    detect: Level = Field(description="Whether it is able to find faces.")
    capture: Level = Field(description="Whether it is able to cut faces out, keep them or send them on.")
    recognise: Level = Field(description="Whether it is able to compare faces with a library.")
    is_armed: Level = Field(description="Whether something with faces is switched on.")
    has_library: Level
    auto_tracking: Level
    libraries: int | None = Field(description="How many libraries of faces it holds; null where it did not say.")
    entries: int | None = Field(description="How many entries these have in all.")
    has_drifted: bool = Field(description="Whether something came back or is new since the audit before.")


class FindingShown(BaseModel):
    """What one answer says of one ability."""

    ability: Ability
    level: Level
    because: str
    evidence: int


class EvidenceShown(BaseModel):
    """A question, and what became of it. `sha256` is that of the answer as it came."""

    number: int
    question: str
    asked: Time
    outcome: Outcome
    http_status: int | None
    sha256: str
    size_bytes: int
    content_type: str
    has_content: bool = Field(description="Whether the answer was kept; what may name persons or libraries is not.")
    counts: dict[str, int]
    problem: str


class AuditWhole(AuditSummary):
    """One audit with its findings and its evidence."""

    dialects: list[str]
    armed: list[str] = Field(description="What is switched on, in the device's own words.")
    drift: list[str] = Field(description="What came back or is new since the audit before, a line each.")
    findings: list[FindingShown]
    evidence: list[EvidenceShown]


class StepShown(BaseModel):
    """One thing that was switched off, or put back."""

    what: str
    before: str
    after: str
    is_done: bool
    problem: str

    @classmethod
    def of(cls, step: DisarmStep) -> StepShown:
        broke_off = "it broke off here" if step.is_begun and not step.is_done and not step.problem else step.problem
        return cls(what=step.what, before=step.before, after=step.after, is_done=step.is_done, problem=broke_off)


class DisarmShown(BaseModel):
    """A disarm, and what became of each step."""

    id: str
    camera: str
    at: Time
    by: str
    authorisation: str
    reference: str
    state: DisarmState = Field(description="`done` only where the device says afterwards that nothing with faces is on.")
    steps: list[StepShown]
    problems: list[str] = Field(description="What could not be asked, or is not known after it; there may be more to switch off.")
    audit_before: str | None
    audit_after: str | None
    rolled_back: Time | None
    rolled_back_by: str
    rollback_authorisation: str
    rollback_steps: list[StepShown]
    rollback_audit: str | None

    @classmethod
    def of(cls, row: Disarm) -> DisarmShown:
        return cls(
            id=row.disarm_id,
            camera=row.camera,
            at=row.at_us,
            by=row.by,
            authorisation=row.authorisation,
            reference=row.reference,
            state=row.state,
            steps=[StepShown.of(step) for step in row.steps],
            problems=list(row.problems),
            audit_before=row.audit_before or None,
            audit_after=row.audit_after or None,
            rolled_back=row.rolled_back_us,
            rolled_back_by=row.rolled_back_by,
            rollback_authorisation=row.rollback_authorisation,
            rollback_steps=[StepShown.of(step) for step in row.rollback_steps],
            rollback_audit=row.rollback_audit or None,
        )


def summary_of(audit: Audit | None, camera: str, site: str, drift: Sequence[str] = ()) -> AuditSummary:
    """The levels of `audit`; all unknown where there is none. `drift`: what has come back since the one before."""
    if audit is None:
        unknown = dict.fromkeys(("detect", "capture", "recognise", "is_armed", "has_library", "auto_tracking"), Level.UNKNOWN)
        nothing = dict.fromkeys(("id", "made", "identity", "libraries", "entries"))
        return AuditSummary.model_validate({"camera": camera, "site": site, "has_drifted": False} | unknown | nothing)
    set_so = audit.armament
    return AuditSummary(
        id=audit.audit_id,
        camera=camera,
        site=site,
        made=audit.made_us,
        identity=DeviceIs.of(audit.identity),
        detect=audit.detect,
        capture=audit.capture,
        recognise=audit.recognise,
        is_armed=set_so.is_armed,
        has_library=set_so.has_library,
        auto_tracking=set_so.auto_tracking,
        libraries=set_so.libraries,
        entries=set_so.entries,
        has_drifted=bool(drift),
    )


def whole_of(audit: Audit, site: str, drift: Sequence[str]) -> AuditWhole:
    """All of an audit but the raw answers."""
    findings = [FindingShown.model_validate(finding, from_attributes=True) for finding in audit.findings]
    return AuditWhole(
        **dict(summary_of(audit, audit.camera, site, drift)),
        dialects=list(audit.dialects),
        armed=list(audit.armament.armed),
        drift=list(drift),
        findings=findings,
        evidence=[_evidence(number, one) for number, one in enumerate(audit.evidence)],
    )


def _evidence(number: int, evidence: Evidence) -> EvidenceShown:
    return EvidenceShown(
        number=number,
        question=evidence.question,
        asked=evidence.asked_us,
        outcome=evidence.outcome,
        http_status=evidence.http_status,
        sha256=evidence.sha256,
        size_bytes=evidence.size_bytes,
        content_type=evidence.content_type,
        has_content=bool(evidence.content),
        counts=dict(evidence.counts),
        problem=evidence.problem,
    )
