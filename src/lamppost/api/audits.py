"""What the cameras are able to do with faces: the audits, their evidence, and new ones."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel

from lamppost.api.audit_models import AuditSummary, AuditWhole, summary_of, whole_of
from lamppost.api.context import BY_SERVER, Context
from lamppost.api.device_places import device_place
from lamppost.api.known_cameras import readable_config
from lamppost.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, make_cursor, read_cursor
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.model.access import Permission
from lamppost.model.devices import Audit
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.audit_jobs import AuditJobs, Job, JobState
from lamppost.pipeline.device_audits import AuditDesk, Kept, Target, drift_event, open_audits, target_of, unanswered

router = APIRouter()
Auditor = Annotated[Identity, Depends(Permit(Permission.AUDIT_CAMERAS))]


class Audits(BaseModel):
    """The newest audit of each camera; of one that was never audited, too."""

    items: list[AuditSummary]


class JobStarted(BaseModel):
    """Ask for it again and again, until it is done."""

    id: str


class JobTrouble(BaseModel):
    """A camera that could not be audited, and why."""

    camera: str
    problem: str


class JobNow(BaseModel):
    """How far it is."""

    id: str
    state: JobState
    done: int
    total: int
    problems: list[JobTrouble]

    @classmethod
    def of(cls, job: Job, identity: Identity) -> JobNow:
        told = [
            JobTrouble(camera=camera, problem=problem) for camera, problem in job.problems if identity.may(Permission.AUDIT_CAMERAS, camera)
        ]
        return cls(id=job.id, state=job.state, done=job.done, total=job.total, problems=told)


@router.get("/audits")
def list_audits(identity: Auditor) -> Audits:
    """The newest audit of each camera that who asks may audit."""
    context = identity.context
    newest = {kept.audit.camera: kept for kept in audits_of(context).book.newest_audits()}
    return Audits(items=[_summary(context, camera, newest.get(camera)) for camera in identity.cameras(Permission.AUDIT_CAMERAS)])


@router.post("/audits", status_code=HTTPStatus.ACCEPTED)
def start_audits(identity: Auditor) -> JobStarted:
    """Audit every camera that who asks may audit and that has a device. One such job runs at a time."""
    context = identity.context
    audits = audits_of(context)
    targets = {camera: found for camera in identity.cameras(Permission.AUDIT_CAMERAS) if (found := _camera(context, camera)).has_device}

    def audit(camera: str) -> str:
        found, _ = audits.audit(_target(context, targets[camera]), first=lambda: _record(context, identity, camera))
        return unanswered(found)

    job = _jobs(context).start(tuple(targets), audit)
    if job is None:
        raise Problem(
            HTTPStatus.CONFLICT,
            "cameras are being audited just now",
            kind="busy",
            remedy="wait until that is over",
            headers={"Retry-After": "10"},
        )
    return JobStarted(id=job.id)


@router.get("/audits/jobs/{job}")
def show_job(job: str, identity: Auditor) -> JobNow:
    """How far the audit of many cameras is."""
    found = _jobs(identity.context).find(job)
    if found is None:
        raise not_found("job")
    return JobNow.of(found, identity)


@router.get("/audits/{audit}")
def show_audit(audit: str, identity: Auditor) -> AuditWhole:
    """One audit with its findings and its evidence."""
    found = _found(identity, audit)
    return whole_of(found.audit, _site(identity.context, found.audit.camera), found.drift)


@router.get(
    "/audits/{audit}/evidence/{number}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The answer, without the secrets that it held."}},
)
def download_evidence(audit: str, number: Annotated[int, Path(ge=0, le=10_000)], identity: Auditor) -> Response:
    """The answer that a device gave to one question, as a file. What may name persons or libraries was never kept."""
    found = _found(identity, audit).audit
    evidence = audits_of(identity.context).book.evidence(found.audit_id, number)
    if evidence is None or not evidence.content:
        raise not_found("evidence, or its content is not kept")
    name = f"{found.camera}-{found.audit_id}-{number}.bin"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(evidence.content, media_type="application/octet-stream", headers=headers)


@router.get("/cameras/{camera}/audits")
def list_audits_of(camera: str, identity: Auditor, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = "") -> Page[AuditSummary]:
    """The audits of a camera, the newest first."""
    context = identity.context
    after = read_cursor(cursor, int, str)
    place = (int(after[0]), str(after[1])) if after is not None else None
    rows = list(audits_of(context).book.audits(camera, after=place, limit=limit + 1))
    items = [_summary(context, camera, row) for row in rows[:limit]]
    last = rows[limit - 1].audit if len(rows) > limit else None
    return Page(items=items, next=make_cursor(last.made_us, last.audit_id) if last is not None else None)


@router.post("/cameras/{camera}/audits", status_code=HTTPStatus.CREATED)
def audit_camera(camera: str, identity: Auditor, response: Response) -> AuditWhole:
    """Ask the device of a camera everything, now; it takes up to a minute."""
    context = identity.context
    target = device_target(context, camera)
    with device_place(context):
        found, drift = audits_of(context).audit(target, first=lambda: _record(context, identity, camera))
    response.headers["Location"] = f"/api/v1/audits/{found.audit_id}"
    return whole_of(found, _site(context, camera), drift)


def audits_of(context: Context) -> AuditDesk:
    """The one of this application."""

    def tell(audit: Audit, drift: Sequence[str]) -> None:
        for record in drift_event(audit, drift):
            context.journal.append(record)

    return context.keep(AuditDesk, lambda: open_audits(context.folder, context.clock, BY_SERVER, on_drift=tell))


def device_target(context: Context, camera: str) -> Target:
    """The device of a camera, with its password from the file: what is in force came here without. Raises 404 and `ConfigError`."""
    return _target(context, _camera(context, camera))


def _camera(context: Context, camera: str) -> CameraSettings:
    file = readable_config(context)
    found = (file.camera(camera) if file is not None else None) or context.camera(camera)
    if found is None:
        raise not_found("camera")
    return found


def _target(context: Context, camera: CameraSettings) -> Target:
    return target_of(camera, context.settings)


def _record(context: Context, identity: Identity, camera: str) -> None:
    context.act("camera_audited", identity.name, camera, {})


def _found(identity: Identity, audit_id: str) -> Kept:
    found = audits_of(identity.context).book.audit(audit_id)
    if found is None or not identity.may(Permission.AUDIT_CAMERAS, found.audit.camera):
        raise not_found("audit")
    return found


def _summary(context: Context, camera: str, kept: Kept | None) -> AuditSummary:
    site = _site(context, camera)
    return summary_of(kept.audit, camera, site, kept.drift) if kept is not None else summary_of(None, camera, site)


def _site(context: Context, camera: str) -> str:
    settings = context.camera(camera)
    return "" if settings is None else settings.site or context.settings.site


def _jobs(context: Context) -> AuditJobs:
    return context.keep(AuditJobs, AuditJobs)
