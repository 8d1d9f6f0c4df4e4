"""What a device says where it does not do what it is asked: a SOAP fault, in either version, or a status alone."""

from __future__ import annotations

from typing import Final

from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.onvif import xml
from lamppost.cameras.web import Reply

_NOT_AUTHORIZED: Final = frozenset({"notauthorized", "failedauthentication", "sendernotauthorized"})


class SoapFault(CameraError):
    """The device has understood, and says no. `code` and `subcode` are local names, such as `Sender` and `NotAuthorized`."""

    def __init__(self, problem: str, *, code: str, subcode: str, was_asked_over_http: bool = False) -> None:
        super().__init__(problem, remedy="look whether the device supports it, and whether its user may do it")
        self.code = code
        self.subcode = subcode
        self.was_asked_over_http = was_asked_over_http  # whether it has asked for a user there, and was given ours

    @property
    def is_refusal(self) -> bool:
        """Whether it is for the lack of a user, or of the user's rights."""
        return self.subcode.lower() in _NOT_AUTHORIZED


def lacking(what: str) -> SoapFault:
    """The device does not have what is needed."""
    return SoapFault(f"the device has no {what}", code="Receiver", subcode="ActionNotSupported")


def turned_away() -> CameraRefused:
    """User and password are wrong."""
    return CameraRefused("the device refuses user and password", remedy="give those of its administrator; they were tried once")


def unauthorized(what: str, reply: Reply) -> SoapFault:
    """A status that says so, whatever page comes with it."""
    was_asked = reply.status == 401 and "www-authenticate" in reply.headers
    problem = f"the device refuses {what}: not authorized"
    return SoapFault(problem, code="Sender", subcode="NotAuthorized", was_asked_over_http=was_asked)


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
    return SoapFault(f"the device refuses {what}: {said or subcode or 'it does not say why'}", code=names[0], subcode=subcode)
