"""What goes wrong, told as RFC 9457 problem documents: what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from lamppost.base.errors import ConfigError, DataFolderBusy, DeviceBusy, LamppostError, StoreError
from lamppost.base.logging import get_logger, redact

MEDIA_TYPE: Final = "application/problem+json"
_KIND: Final = "urn:lamppost:problem:"


class Mistake(BaseModel):
    """One thing that is wrong with what was sent."""

    at: str = Field(description="Where, such as `body.name`.")
    problem: str


class ProblemDocument(BaseModel):
    """RFC 9457, with a remedy."""

    type: str = Field(default="about:blank", description="`urn:lamppost:problem:NAME`, where a program may want to tell it from others.")
    title: str
    status: int
    detail: str = ""
    remedy: str = Field(default="", description="What to do about it; may be empty.")
    errors: list[Mistake] = Field(default_factory=list[Mistake])


class Problem(Exception):
    """Ends a request with a problem document; `kind` names it for programs."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        kind: str = "",
        remedy: str = "",
        errors: Sequence[Mistake] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers or {}
        self.document = ProblemDocument(
            type=_KIND + kind if kind else "about:blank",
            title=status.phrase,
            status=status.value,
            detail=redact(detail),
            remedy=redact(remedy),
            errors=list(errors),
        )

    def response(self) -> JSONResponse:
        return JSONResponse(self.document.model_dump(), self.status.value, self.headers, MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """Also for what somebody may not know of."""
    return Problem(HTTPStatus.NOT_FOUND, f"there is no such {what}", kind="not-found")


def forbidden(detail: str) -> Problem:
    """For what somebody may know of and may not do."""
    return Problem(HTTPStatus.FORBIDDEN, detail, kind="forbidden", remedy="an administrator can grant a role that may")


def install_problems(app: FastAPI) -> None:
    """Tell every error of `app` as a problem document."""
    app.add_exception_handler(Problem, _of_problem)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(LamppostError, _of_error)
    app.add_exception_handler(Exception, _of_bug)


class _Sent(Response):
    """What the framework may send once more without harm."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        return


async def _of_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - the framework keys handlers by type
    response = error.response()
    # For a WebSocket the framework hands over the socket; what is returned would be sent as well, after the denial.
    socket: object = request
    if isinstance(socket, WebSocket):
        await socket.send_denial_response(response)
        return _Sent()
    return response


async def _of_http(_request: Request, error: Exception) -> JSONResponse:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else None
    return Problem(status, str(getattr(error, "detail", "")), headers=headers).response()


async def _of_validation(_request: Request, error: Exception) -> JSONResponse:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else []
    mistakes = [Mistake(at=".".join(str(part) for part in each["loc"]), problem=_words(each)) for each in jsonable_encoder(found)]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=mistakes).response()


def _words(found: dict[str, Any]) -> str:
    """Without what was sent: it may be a password."""
    return redact(str(found.get("msg", "is wrong")).removeprefix("Value error, "))


async def _of_error(_request: Request, error: Exception) -> JSONResponse:
    headers: dict[str, str] | None = None
    if isinstance(error, DeviceBusy):
        status, kind, headers = HTTPStatus.CONFLICT, "busy", {"Retry-After": "30"}
    elif isinstance(error, ConfigError):
        status, kind = HTTPStatus.UNPROCESSABLE_ENTITY, "invalid"
    elif isinstance(error, DataFolderBusy):
        status, kind = HTTPStatus.SERVICE_UNAVAILABLE, "busy"
    elif isinstance(error, StoreError):
        status, kind = HTTPStatus.SERVICE_UNAVAILABLE, "store"
    else:
        status, kind = HTTPStatus.BAD_GATEWAY, "failed"
    problem, remedy = (error.problem, error.remedy) if isinstance(error, LamppostError) else (str(error), "")
    return Problem(status, problem, kind=kind, remedy=remedy, headers=headers).response()


async def _of_bug(request: Request, error: Exception) -> JSONResponse:
    get_logger("server").error("a request ended in a bug", path=request.url.path, exc_info=error)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong in Lamppost", remedy="the server's log has the details"
    ).response()
