"""Takes each request to who answers it: a SOAP service, the vendor's dialect, or the door."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Final, Protocol

from lamppost.cameras.simulated import analytics_service, device_io_service, device_service, media_services
from lamppost.cameras.simulated.faults import Fault, FaultKind, spoiled
from lamppost.cameras.simulated.http_server import Answer, Request
from lamppost.cameras.simulated.machine import Asked, Call, Machine, Operation
from lamppost.cameras.simulated.markup import Markup, tag
from lamppost.cameras.simulated.service_capabilities import CAPABILITIES
from lamppost.cameras.simulated.sign_in import Gate
from lamppost.cameras.simulated.soap import CONTENT_TYPE, Question, SoapRefusal, envelope, fault, not_supported, question

_OPERATIONS: Final[dict[str, dict[str, Operation]]] = {
    "tds": device_service.OPERATIONS,
    "trt": media_services.MEDIA1,
    "tr2": media_services.MEDIA2,
    "tmd": device_io_service.OPERATIONS,
}
# The access class PRE_AUTH (Core Specification 5.9.4.3).
_OPEN: Final = frozenset({"GetWsdlUrl", "GetServices", "GetCapabilities", "GetHostname", "GetSystemDateAndTime", "GetEndpointReference"})


class VendorDialect(Protocol):
    """What a vendor's cameras speak beside ONVIF."""

    def answer(self, machine: Machine, request: Request) -> Answer | None:
        """The answer to a request of somebody signed in; None for a path that is none of its own."""
        ...


class Answering:
    """One camera's answers. Runs in the threads of the connections."""

    def __init__(self, machine: Machine, gate: Gate, dialect: VendorDialect | None) -> None:
        self.faults: tuple[Fault, ...] = ()
        self._machine = machine
        self._gate = gate
        self._dialect = dialect

    def answer(self, request: Request, leaving: threading.Event, *, is_tls: bool, address: str) -> Answer:
        asked: Question | SoapRefusal | None = None
        if self._is_soap(request.path):
            asked = _asked(request)
        operation = asked.operation if isinstance(asked, Question) else ""
        struck = next((each for each in self.faults if each.strikes(request.path, operation)), None)
        if struck is not None and struck.kind is FaultKind.FOREIGN:
            address = struck.detail
        base = f"{'https' if is_tls else 'http'}://{address}"
        user, is_stale = self._user(request, asked)
        if struck is not None and struck.kind is FaultKind.REFUSE:
            answer = self._closed(is_stale=False)
        elif asked is not None:
            answer = self._soap(
                request, asked, base, user, is_unsupported=struck is not None and struck.kind is FaultKind.UNSUPPORTED, is_stale=is_stale
            )
        elif not user:
            answer = self._closed(is_stale=is_stale)
        elif struck is not None and struck.kind is FaultKind.UNSUPPORTED:
            answer = Answer(404)
        else:
            answer = self._plain(request)
        self._machine.asked.append(Asked(request.method, request.target, operation, user, answer.status))
        return answer if struck is None else spoiled(answer, struck, leaving, self._machine.clock)  # fmt: skip

    def _is_soap(self, path: str) -> bool:
        return path.startswith("/onvif/") and request_place(path) in {request_place(each) for each in self._machine.vendor.paths.values()}

    def _user(self, request: Request, asked: Question | SoapRefusal | None) -> tuple[str, bool]:
        """Who asks, and whether only the nonce was too old."""
        authorization = request.headers.get("authorization", "")
        if authorization:
            return self._gate.user(request.method, request.target, authorization)
        if isinstance(asked, Question) and asked.header is not None:
            return self._gate.token_user(asked.header, self._machine.device_us()), False
        return "", False

    def _closed(self, *, is_stale: bool) -> Answer:
        challenges = self._gate.challenges(is_stale=is_stale)
        return Answer(401, b"", headers=tuple(("WWW-Authenticate", challenge) for challenge in challenges))

    def _soap(
        self, request: Request, asked: Question | SoapRefusal, base: str, user: str, *, is_unsupported: bool, is_stale: bool
    ) -> Answer:
        if isinstance(asked, SoapRefusal):
            return _refused(asked)
        prefix, _, name = asked.operation.partition(":")
        is_open = name == "GetServiceCapabilities" or (prefix == "tds" and name in _OPEN)
        if not user and not is_open:
            has_token = asked.header is not None and b"UsernameToken" in request.content
            return (
                _refused(SoapRefusal("Sender", ("ter:NotAuthorized",), "Sender not authorized"))
                if has_token
                else self._closed(is_stale=is_stale)
            )
        try:
            if is_unsupported or not self._machine.has(prefix):
                raise not_supported()
            call = Call(self._machine, asked.operation, asked.body, base, request.path, asked.message_id)
            content = self._called(call, prefix, name)
        except SoapRefusal as refusal:
            return _refused(refusal)
        body = tag(f"{asked.operation}Response", content)
        return Answer(200, envelope(body), CONTENT_TYPE)  # fmt: skip

    def _called(self, call: Call, prefix: str, name: str) -> Markup:
        if name == "GetServiceCapabilities":
            return CAPABILITIES[prefix](self._machine)
        operation = _OPERATIONS.get(prefix, {}).get(name)
        if operation is None:
            raise not_supported()
        with self._machine.lock:
            return operation(call)

    def _plain(self, request: Request) -> Answer:
        if request.target == self._machine.vendor.snapshot_path:
            return Answer(200, self._machine.snapshot(), "image/jpeg")
        with self._machine.lock:
            answer = self._dialect.answer(self._machine, request) if self._dialect is not None else None
        return answer or Answer(404)


def request_place(path: str) -> str:
    """The path of a service, whatever stands behind it in a subscription's."""
    return "/".join(path.split("/")[:3])


def _asked(request: Request) -> Question | SoapRefusal:
    if request.method != "POST":
        return SoapRefusal("Sender", ("ter:WellFormed",), "SOAP is sent by POST")
    try:
        return question(request.content)
    except SoapRefusal as refusal:
        return refusal


def _refused(refusal: SoapRefusal) -> Answer:
    return replace(Answer(refusal.status, fault(refusal), CONTENT_TYPE))
