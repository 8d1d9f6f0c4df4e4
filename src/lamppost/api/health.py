"""Whether the node serves, for those who look after machines: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from lamppost.api.context import Context, context_of
from lamppost.api.permit import Identity
from lamppost.api.problems import forbidden
from lamppost.api.security import identify
from lamppost.base.clock import US_PER_S
from lamppost.base.errors import StoreError
from lamppost.model.access import Permission

STALE_S: Final = 10.0

router = APIRouter(include_in_schema=False)
_Context = Annotated[Context, Depends(context_of)]


class Readiness(BaseModel):
    """What was looked at, and what is wrong with it; empty where nothing is."""

    ready: bool
    checks: dict[str, str]


@router.get("/healthz", status_code=HTTPStatus.NO_CONTENT)
async def healthz() -> None:
    """The server answers."""


@router.get("/readyz", response_model=Readiness)
def readyz(context: _Context) -> JSONResponse:
    """The server can do its work: the supervisor tells of the node, and the index can be read."""
    checks = {"index": _index_problem(context), "node": _node_problem(context)}
    is_ready = not any(checks.values())
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(Readiness(ready=is_ready, checks=checks).model_dump(), status)


@router.get("/metrics")
def metrics(request: Request, context: _Context) -> Response:
    """Prometheus metrics of all processes; for this machine, and for who may see the system."""
    if not _is_from_here(request, context) and not Identity(identify(request), context).may_everywhere(Permission.SEE_SYSTEM):
        raise forbidden("you may not do this")
    registry: CollectorRegistry = request.app.state.metrics
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), media_type=media_type)


def _is_from_here(request: Request, context: Context) -> bool:
    """A proxy on this machine speaks for somebody else, and says so: by a header, or by the name that they asked for."""
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    server = context.settings.server
    if (server.public_url or server.trusted_proxies) and not _is_loopback(_host(request)):
        return False
    return _is_loopback(request.client.host)


def _host(request: Request) -> str:
    try:
        return urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    if host in ("localhost", "localhost."):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _index_problem(context: Context) -> str:
    try:
        context.index.stored()
    except StoreError as error:
        return error.problem
    return ""


def _node_problem(context: Context) -> str:
    told_us = context.node.state.get("at_us")
    if told_us is None:
        return "the supervisor has told nothing yet"
    silent_s = (context.clock.wall_us() - int(told_us)) / US_PER_S
    return f"the supervisor has told nothing for {silent_s:.0f} s" if silent_s > STALE_S else ""
