"""What a device says where it does not do what it is asked: a SOAP fault, in either version, or a status alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.web import Reply

# ONVIF's, and those of WS-Security 1.1, section 12, that are about whoever asks.
_NOT_AUTHORIZED: Final = frozenset(
    {
        *("notauthorized", "sendernotauthorized", "failedauthentication", "failedcheck"),
        *("invalidsecurity", "invalidsecuritytoken", "securitytokenunavailable", "messageexpired"),
    }
)
# Where a device gives no code for it, its words say it.
_WORDS: Final = re.compile(r"not authori[sz]ed|unauthori[sz]ed|authentication|authority failure", re.IGNORECASE)
_LIMITS: Final = ("MaxTimeout", "MaxMessageLimit")


class SoapFault(CameraError):
    """The device has understood, and says no. `code` and `subcode` are local names, such as `Sender` and `NotAuthorized`.

    `limits` is what it can do at most, where it names that (PullMessages); `wants_clear`: over HTTP it asks for the password itself.
    """

    def __init__(
        self,
        problem: str,
        *,
        code: str,
        subcode: str,
        was_asked_over_http: bool = False,
        limits: Mapping[str, str] = MappingProxyType({}),
        wants_clear: bool = False,
    ) -> None:
        super().__init__(problem, remedy="look whether the device supports it, and whether its user may do it")
        self.code = code
        self.subcode = subcode
        self.was_asked_over_http = was_asked_over_http  # whether it has asked for a user there, and was given ours
        self.limits = limits
        self.wants_clear = wants_clear

    @property
    def is_refusal(self) -> bool:
        """Whether it is for the lack of a user, or of the user's rights."""
        return self.subcode.lower() in _NOT_AUTHORIZED


def lacking(what: str) -> SoapFault:
    """The device does not have what is needed."""
    return SoapFault(f"the device has no {what}", code="Receiver", subcode="ActionNotSupported")


def turned_away(*, wants_clear: bool = False) -> CameraRefused:
    """User and password are wrong, as far as can be told."""
    if wants_clear:
        return CameraRefused(
            "the device refuses user and password as a digest, and asks for the password in the clear",
            remedy="are they right? if so, switch on digest authentication there, or use https://",
        )
    return CameraRefused("the device refuses user and password", remedy="give those of its administrator; they were tried once")


def unauthorized(what: str, reply: Reply) -> SoapFault:
    """A status that says so, whatever page comes with it."""
    was_asked = reply.status == 401 and "www-authenticate" in reply.headers
    problem = f"the device refuses {what}: not authorized"
    return SoapFault(problem, code="Sender", subcode="NotAuthorized", was_asked_over_http=was_asked)


def nobody() -> CameraRefused:
    """It was asked without a user."""
    return CameraRefused("the device tells nothing without user and password", remedy="give those of its administrator")


def in_the_clear(refused: CameraRefused) -> SoapFault:
    """It wants the password itself over HTTP, which it does not get there; it may be content with a digest in the message."""
    return SoapFault(refused.problem, code="Sender", subcode="NotAuthorized", wants_clear=True)


def fault_in(what: str, reply: Reply) -> CameraError:
    """What a reply that is not the answer to `what` says; a page for people says nothing."""
    if reply.status == 401:
        return unauthorized(what, reply)
    # What we ask for comes in one part.
    if reply.content_type.startswith("multipart/"):
        return UnreadableReply(f"the device answers {what} in several parts")
    # Not read: what a device tells of persons may stand in it.
    root = xml.parse(reply.content) if b"Fault" in reply.content and b"NotificationMessage" not in reply.content else None
    fault = xml.child(root, "Body", "Fault")
    if fault is not None:
        return read_fault(what, fault)
    if reply.status == 403:
        return unauthorized(what, reply)
    return UnreadableReply(f"the device answers {what} with status {reply.status}, and with no answer to it")


def read_fault(what: str, fault: xml.Element) -> SoapFault:
    """A `Fault` element of SOAP 1.2 or 1.1. Its words for people are of the device, and cut short."""
    codes: list[str] = []
    code = xml.child(fault, "Code")
    while code is not None and len(codes) < 8:
        codes.append(xml.text_of(xml.child(code, "Value"), 64))
        code = xml.child(code, "Subcode")
    codes += [xml.text_of(xml.child(fault, "faultcode"), 64)]
    names = [name.rpartition(":")[2] for name in codes if name] or [""]
    # The first that says it: some makers add words of their own below it.
    subcode = next((name for name in names[1:] if name.lower() in _NOT_AUTHORIZED), names[-1])
    said = xml.text_of(xml.child(fault, "Reason", "Text"), 120) or xml.text_of(xml.child(fault, "faultstring"), 120)
    said = said.rstrip(" .:;")
    if len(names) == 1 and _WORDS.search(said):
        subcode = "NotAuthorized"
    limits = {name: xml.text_of(next(xml.named(fault, name), None), 32) for name in _LIMITS}
    return SoapFault(
        f"the device refuses {what}: {said or subcode or 'it does not say why'}", code=names[0], subcode=subcode, limits=limits
    )
