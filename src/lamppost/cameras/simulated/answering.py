"""Takes each request to who answers it: a SOAP service, the vendor's dialect, or the door."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Final, Protocol

from lamppost.cameras.simulated import (
    analytics_service,
    device_io_service,
    device_service,
    events_service,
    imaging_service,
    media_services,
    ptz_service,
)
from lamppost.cameras.simulated.device_users import is_allowed
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
    "tev": events_service.OPERATIONS,
    "wsnt": events_service.SUBSCRIPTIONS,
    "tptz": ptz_service.OPERATIONS,
    "timg": imaging_service.OPERATIONS,
    "tmd": device_io_service.OPERATIONS,
    "tan": analytics_service.OPERATIONS,
}
# The access class PRE_AUTH (Core Specification 5.9.4.3).
_OPEN: Final = frozenset({"GetWsdlUrl", "GetServices", "GetCapabilities", "GetHostname", "GetSystemDateAndTime", "GetEndpointReference"})
_WAITING: Final = frozenset({"tev:PullMessages"})


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
        asked = _asked(request) if self._is_soap(request.path) else None
        operation = asked.operation if isinstance(asked, Question) else ""
        struck = next((each for each in self.faults if each.strikes(request.path, operation)), None)
        if struck is not None and struck.kind is FaultKind.FOREIGN:
            address = struck.detail
        base = f"{'https' if is_tls else 'http'}://{address}"
        user, is_stale = self._user(request, asked)
        if struck is not None and struck.kind is FaultKind.REFUSE:
            answer = self._closed(is_stale=False)
        elif asked is not None:
            answer = self._soap(request, asked, base, user, is_stale=is_stale)
        else:
            answer = self._plain(request) if user else self._closed(is_stale=is_stale)
        if struck is not None and struck.kind is FaultKind.UNSUPPORTED and answer.status != 401:
            answer = Answer(404) if asked is None else _refused(not_supported())
        self._machine.asked.append(Asked(request.method, request.target, operation, user, answer.status))
        return answer if struck is None else spoiled(answer, struck, leaving, self._machine.clock)

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

    def _soap(self, request: Request, asked: Question | SoapRefusal, base: str, user: str, *, is_stale: bool) -> Answer:
        if isinstance(asked, SoapRefusal):
            return _refused(asked)
        prefix, _, name = asked.operation.partition(":")
        is_open = name == "GetServiceCapabilities" or (prefix == "tds" and name in _OPEN)
        if not user and not is_open:
            if asked.header is not None and asked.header.first("UsernameToken") is not None:
                return _refused(SoapRefusal("Sender", ("ter:NotAuthorized",), "Sender not authorized"))
            return self._closed(is_stale=is_stale)
        try:
            if not self._machine.has("tev" if prefix == "wsnt" else prefix):
                raise not_supported()
            if user and not is_open and not is_allowed(self._machine.state.level_of(user), prefix, name):
                raise SoapRefusal("Sender", ("ter:NotAuthorized",), "this user may not do that")
            call = Call(self._machine, asked.operation, asked.body, base, request.target, asked.message_id)
            content = self._called(call, prefix, name)
        except SoapRefusal as refusal:
            return _refused(refusal)
        action = events_service.action_of(asked.operation)
        body = tag(f"{asked.operation}Response", content)
        return Answer(200, envelope(body, action=action, relates_to=asked.message_id), CONTENT_TYPE)

    def _called(self, call: Call, prefix: str, name: str) -> Markup:
        if name == "GetServiceCapabilities":
            return CAPABILITIES[prefix](self._machine)
        operation = _OPERATIONS.get(prefix, {}).get(name)
        if operation is None:
            raise not_supported()
        if call.operation in _WAITING:
            return operation(call)
        with self._machine.lock:
            return operation(call)

    def _plain(self, request: Request) -> Answer:
        if request.method == "HEAD":
            request = replace(request, method="GET")  # the server leaves the content out
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
    return Answer(refusal.status, fault(refusal), CONTENT_TYPE)
