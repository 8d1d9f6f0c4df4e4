"""Tries a camera before it is saved: connects as the recorder would, says what comes, and keeps nothing."""

from __future__ import annotations

import ipaddress
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends
from pydantic import SecretStr

from lamppost.api.camera_addresses import checked, place_of, places_of, shown
from lamppost.api.camera_models import CameraTest, CameraTested, StreamReport
from lamppost.api.camera_passwords import keeper_of
from lamppost.api.context import Context
from lamppost.api.editing import check_body, config_path
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, forbidden, not_found
from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraRefused, CameraUnreachable, LamppostError
from lamppost.base.logging import redact
from lamppost.base.names import look_up
from lamppost.ingest.locator import Locator, Scheme, check_transport
from lamppost.model.access import Permission
from lamppost.model.networks import CameraNetworks
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.probing import probe_stream

MOST_AT_ONCE: Final = 2
LOOK_S: Final = 3.0  # with the time to connect, less than 15 s


class CameraTests:
    """How many run; one for each application."""

    def __init__(self) -> None:
        self.places = threading.BoundedSemaphore(MOST_AT_ONCE)


def test_camera(body: CameraTest, identity: Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS))]) -> CameraTested:
    """Connect to a camera, for up to 15 s, and say what it sends. Needs the permission for all cameras, or for `camera`."""
    context = identity.context
    locators = {key: checked(url, key) for key, url in (("url", body.url), ("sub_url", body.sub_url)) if url is not None}
    camera = _wanted(identity, body, list(locators.values()))
    tests = context.keep(CameraTests, CameraTests)
    if not tests.places.acquire(blocking=False):
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "other cameras are being tried just now",
            kind="busy",
            remedy="try again in some seconds",
            headers={"Retry-After": "5"},
        )
    try:
        context.act("camera_tested", identity.name, body.camera or "node", {key: shown(url.shown) for key, url in locators.items()})
        return _try(camera, locators, context.settings.devices.camera_networks)
    finally:
        tests.places.release()


def _wanted(identity: Identity, body: CameraTest, locators: list[Locator]) -> CameraSettings:
    """The camera to be tried; raises problems for what nobody may try, or not so."""
    known = _known(identity.context, identity, body.camera) if body.camera is not None else None
    is_at_home = known is not None and all(
        place_of(locator) in places_of(known) for locator in locators if locator.scheme is not Scheme.SIM
    )
    if not is_at_home and not identity.may_everywhere(Permission.EDIT_CAMERAS):
        raise forbidden("you may try your own cameras at their own addresses")
    username, password = body.username or locators[0].username or None, _password_of(body, locators)
    if known is not None and is_at_home and password is None:
        username, password = username or known.username, _secret(keeper_of(identity.context).password_of(known))
    says_basic = "allow_basic" in body.model_fields_set
    fields: dict[str, object] = {
        "name": "test",
        "url": body.url if locators[0].scheme is Scheme.SIM else locators[0].request_url,
        "sub_url": locators[1].request_url or body.sub_url if len(locators) > 1 else None,
        "username": username,
        "password": password,
        "transport": body.transport,
        "certificate_sha256": body.certificate_sha256,
        "allow_basic": known.allow_basic if known is not None and is_at_home and not says_basic else body.allow_basic,
    }
    check_body(CameraSettings, fields)
    camera = CameraSettings.model_validate(fields)
    for locator in locators:
        check_transport(locator, camera.transport, camera.certificate_sha256)
    return camera


def _known(context: Context, identity: Identity, name: str) -> CameraSettings:
    identity.require(Permission.EDIT_CAMERAS, name)
    # From the file: what is in force came here without passwords.
    known = ConfigFile(config_path(context)).camera(name)
    if known is None:
        raise not_found("camera")
    return known


def _password_of(body: CameraTest, locators: list[Locator]) -> SecretStr | None:
    return body.password or _secret(next((locator.password for locator in locators if locator.password), None))


def _secret(text: str | None) -> SecretStr | None:
    return SecretStr(text) if text else None


def _try(camera: CameraSettings, locators: dict[str, Locator], networks: CameraNetworks) -> CameraTested:
    """Both streams at once, so that it takes no longer than one."""
    urls = {key: url for key, url in (("url", camera.url), ("sub_url", camera.sub_url)) if url is not None}
    with ThreadPoolExecutor(len(urls), thread_name_prefix="camera-test") as pool:
        trials = {key: pool.submit(_probe, camera, url, locators[key], networks) for key, url in urls.items()}
        found = {key: trial.result() for key, trial in trials.items()}
    problems = [result for result in found.values() if isinstance(result, LamppostError)]
    reports = {key: result for key, result in found.items() if isinstance(result, StreamReport)}
    return CameraTested(
        ok=not problems,
        main=reports.get("url"),
        sub=reports.get("sub_url"),
        problem=redact(problems[0].problem) if problems else "",
        remedy=redact(problems[0].remedy) if problems else "",
    )


def _probe(camera: CameraSettings, url: str, locator: Locator, networks: CameraNetworks) -> StreamReport | LamppostError:
    try:
        report = probe_stream(camera, url, networks=networks, seconds=LOOK_S, clock=SystemClock(), stop=threading.Event())
    except LamppostError as error:
        is_a_camera = isinstance(error, CameraRefused)
        if locator.scheme is not Scheme.SIM and not is_a_camera and _is_our_own(locator.host):
            # What listens on this machine, and what does not, is nobody's business here.
            return CameraUnreachable("no camera answers there", remedy="is the address right, and does something send video there?")
        return error
    fields: dict[str, Any] = {key: value for key, value in asdict(report).items() if key in StreamReport.model_fields}
    return StreamReport.model_validate(fields | {"warnings": [redact(warning) for warning in report.warnings]})


def _is_our_own(host: str) -> bool:
    """Whether the name leads to this machine or its link, and not out into the network of the cameras."""
    addresses = [ipaddress.ip_address(place.number.partition("%")[0]) for place in look_up(host, 0)]
    return any(address.is_loopback or address.is_link_local or address.is_unspecified for address in addresses)
