"""The cameras: how they are, and how they are set."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response

from lamppost.api import camera_tests
from lamppost.api.camera_addresses import require_places, settled, shown, without_password
from lamppost.api.camera_models import Camera, CameraChange, CameraRetention, Cameras, CameraWhole, NewCamera
from lamppost.api.camera_passwords import forget_password, kept_password
from lamppost.api.camera_state import camera_report
from lamppost.api.context import Context
from lamppost.api.editing import change_configuration, check_body, config_path, etag_of
from lamppost.api.etags import require_match
from lamppost.api.known_cameras import readable_config
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.base.errors import StoreError
from lamppost.model.access import Permission, permitted_on
from lamppost.model.settings import CameraSettings
from lamppost.model.sites import site_id
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.pipeline.credentials import has_password

router = APIRouter()
router.add_api_route("/cameras/test", camera_tests.test_camera, methods=["POST"])

Editor = Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS))]
ChiefEditor = Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS, everywhere=True))]
Viewer = Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]


@router.get("/cameras")
def list_cameras(identity: Viewer) -> Cameras:
    """The cameras that who asks may see, and how each is just now."""
    names = set(identity.cameras(Permission.SEE_CAMERAS))
    context = identity.context
    gaps = _open_gaps(context)
    return Cameras(items=[_camera(identity, camera, gaps) for camera in context.settings.camera if camera.name in names])


@router.get("/cameras/{camera}")
def show_camera(camera: str, identity: Viewer) -> CameraWhole:
    """One camera, with its settings for who may edit it; they come from the file, and hold within seconds."""
    context = identity.context
    file = readable_config(context)
    found = (file.camera(camera) if file is not None else None) or context.camera(camera)
    if found is None:
        raise not_found("camera")
    return _whole(identity, found, file.revision(camera) if file is not None else "")


@router.post("/cameras", status_code=HTTPStatus.CREATED)
def add_camera(body: NewCamera, identity: ChiefEditor, response: Response) -> CameraWhole:
    """Add a camera to the configuration; it is recorded within seconds."""
    context = identity.context
    config_path(context)
    given, password = settled(body.given(), body.password, None)
    check_body(CameraSettings, given)
    require_places(given, context.settings.devices.camera_networks)
    fields = _without_empty({key: value for key, value in given.items() if key != "name"})

    def add(file: ConfigFile, kept: Fields) -> tuple[CameraSettings, CameraSettings | None]:
        if file.camera(body.name) is not None:
            raise Problem(HTTPStatus.CONFLICT, f"there is a camera {body.name} already", kind="exists", remedy="give it another name")
        return file.add(body.name, {**fields, **kept}), None

    with kept_password(context, body.name, password) as kept:
        added, _ = change_configuration(
            context,
            lambda file: add(file, kept),
            first=lambda both: context.act("camera_added", identity.name, body.name, _on_record(fields, kept, both[0])),
        )
    response.headers["Location"] = f"/api/v1/cameras/{body.name}"
    return _whole(identity, added, _revision(context, body.name))


@router.patch("/cameras/{camera}")
def change_camera(camera: str, body: CameraChange, identity: Editor, request: Request) -> CameraWhole:
    """Change settings of a camera; it goes on with them within seconds, and others are not touched. Needs `If-Match`."""
    context = identity.context
    config_path(context)
    before = _configured(context, camera)
    given, password = settled(body.given(), body.password, before)
    if "password" in body.model_fields_set and password is None:
        given |= without_password(before)
    _check_reach(identity, given, before)
    fields = _without_empty(given)
    check_body(CameraSettings, _as_it_would_be(before, fields))
    require_places(fields, context.settings.devices.camera_networks)

    def change(file: ConfigFile, kept: Fields) -> tuple[CameraSettings, CameraSettings | None]:
        was = file.camera(camera)
        if was is None:
            raise not_found("camera")
        require_match(request, etag_of(file.revision(camera)))
        return file.set(camera, {**fields, **kept}), was

    with kept_password(context, camera, password) as kept:
        changed, was = change_configuration(
            context,
            lambda file: change(file, kept),
            first=lambda both: context.act("camera_changed", identity.name, camera, _on_record(fields, kept, both[0])),
        )
    forget_password(context, was, changed)
    return _whole(identity, changed, _revision(context, camera))


@router.delete("/cameras/{camera}", status_code=HTTPStatus.NO_CONTENT)
def remove_camera(camera: str, identity: Editor, request: Request) -> None:
    """Take a camera out of the configuration; what was recorded of it stays until its time has come. Needs `If-Match`."""
    context = identity.context

    def remove(file: ConfigFile) -> CameraSettings:
        was = file.camera(camera)
        if was is None:
            raise not_found("camera")
        require_match(request, etag_of(file.revision(camera)))
        file.remove(camera)
        return was

    was = change_configuration(
        context, remove, first=lambda was: context.act("camera_removed", identity.name, camera, {"url": shown(was.url)})
    )
    forget_password(context, was, None)


def _camera(identity: Identity, camera: CameraSettings, gaps: dict[str, int]) -> Camera:
    context, settings = identity.context, identity.context.settings
    site = camera.site or settings.site
    report = camera_report(camera.name, context.node.state, context.clock.wall_us(), gaps.get(camera.name))
    fields: dict[str, Any] = {
        **dict(report),
        "name": camera.name,
        "site": site,
        "site_id": site_id(site),
        "preset": camera.preset or settings.masking.preset,
        "has_rules": camera.rules_file is not None,
        "has_sub": camera.sub_url is not None,
        "can": sorted(permitted_on(identity.signed_in.grants, camera.name, site_id(site))),
    }
    return Camera.model_validate(fields)


def _whole(identity: Identity, camera: CameraSettings, revision: str) -> CameraWhole:
    fields: dict[str, Any] = dict(_camera(identity, camera, _open_gaps(identity.context)))
    if not identity.may(Permission.EDIT_CAMERAS, camera.name):
        return CameraWhole.model_validate(dict.fromkeys(CameraWhole.model_fields) | fields)
    fields |= {
        "url": shown(camera.url),
        "sub_url": shown(camera.sub_url) if camera.sub_url else None,
        "username": camera.username,
        "has_password": has_password(camera),
        "allow_basic": camera.allow_basic,
        "transport": camera.transport,
        "certificate_sha256": camera.certificate_sha256,
        "device_url": camera.device_url,
        "device_certificate_sha256": camera.device_certificate_sha256,
        "own_preset": camera.preset,
        "own_site": camera.site,
        "schedule": list(camera.schedule),
        "retention": CameraRetention(sealed_days=camera.sealed_days, masked_days=camera.masked_days, max_gb=camera.max_gb),
        "rules_file": camera.rules_file.name if camera.rules_file is not None else None,
        "counting_model": camera.counting_model,
        "etag": etag_of(revision) if revision else None,
    }
    return CameraWhole.model_validate(fields)


def _open_gaps(context: Context) -> dict[str, int]:
    """Since when the cameras that are not recorded are not; none is known where there is no index yet."""
    with contextlib.suppress(StoreError):
        gaps = context.index.gaps(from_us=context.clock.wall_us())
        return {gap.camera: gap.start_us for gap in gaps if gap.end_us is None}
    return {}


def _configured(context: Context, camera: str) -> CameraSettings:
    found = ConfigFile(config_path(context)).camera(camera)
    if found is None:
        raise not_found("camera")
    return found


def _revision(context: Context, camera: str) -> str:
    file = readable_config(context)
    return file.revision(camera) if file is not None else ""


def _check_reach(identity: Identity, given: dict[str, Any], before: CameraSettings) -> None:
    """Who may edit some cameras may not hand one over to others, by its site."""
    if given.get("site", before.site) != before.site and not identity.may_everywhere(Permission.EDIT_CAMERAS):
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "you may not move a camera to another site",
            kind="forbidden",
            remedy="ask an administrator of the whole node",
        )


def _without_empty(given: Mapping[str, Any]) -> Fields:
    """As `ConfigFile` takes it: an empty list or word is none, but for a model, where it means that none is used."""
    fields: dict[str, str | float | tuple[str, ...] | None] = {}
    for key, value in given.items():
        is_none = value in ([], "") and key != "counting_model"
        fields[key] = None if is_none else tuple(cast("list[str]", value)) if isinstance(value, list) else value
    return fields


def _as_it_would_be(before: CameraSettings, fields: Fields) -> dict[str, object]:
    """The camera's settings with those changed; one that is taken out has its default."""
    whole = before.model_dump(exclude={"password", "password_file", "credential", "rules"}) | dict(fields)
    defaults = CameraSettings.model_fields
    return {
        key: defaults[key].get_default() if value is None and not defaults[key].is_required() else value for key, value in whole.items()
    }


def _on_record(fields: Fields, kept: Fields, camera: CameraSettings) -> dict[str, Any]:
    """Which settings were given, and none of their values but the address, which is shown to everybody who may edit."""
    keys = sorted({*fields, *(("password",) if kept else ())})
    return {"keys": keys, "url": shown(camera.url)}
