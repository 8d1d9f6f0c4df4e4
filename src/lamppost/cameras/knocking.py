"""Asks one address over HTTP what an ONVIF device tells without a password: the time, and who it is; never waits, and never signs in.

Over `https` anybody's certificate will do for these questions, since nothing secret is said. It is told, for a person to compare and pin.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from html import unescape
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from lamppost.base.digest import parse_challenges
from lamppost.cameras.onvif.device import plain_mac
from lamppost.cameras.tls_bytes import TlsBytes
from lamppost.cameras.wire import tls_context
from lamppost.model.devices import DeviceIdentity

_USUAL: Final = {"http": 80, "https": 443}


class Door(NamedTuple):
    """Where one may knock at an address: a port, and whether TLS is spoken there."""

    port: int
    is_secure: bool = False

    @classmethod
    def of(cls, device_url: str) -> Door:
        """Where one knocks for a device that is asked there."""
        parts = urlsplit(device_url)
        return cls(parts.port or _USUAL[parts.scheme], parts.scheme == "https")

    def url_at(self, address: str) -> str:
        """Where a device behind it is asked."""
        place = f"[{address}]" if ":" in address else address
        scheme = "https" if self.is_secure else "http"
        return f"{scheme}://{place}" + ("" if self.port == _USUAL[scheme] else f":{self.port}")


FIRST: Final = (Door(80), Door(443, is_secure=True))
"""Where everybody is asked. Some devices have nothing but TLS, and are silent at port 80."""

DOORS: Final = (*FIRST, Door(8000), Door(8080), Door(8899), Door(8443, is_secure=True))
"""Where devices speak HTTP; the others are tried where somebody is at the address."""

_CONNECT_S: Final = 0.8
_ANSWER_S: Final = 2.0
_SECURE_ANSWER_S: Final = 3.0  # many cameras take a second to shake hands
_MOST_BYTES: Final = 16 * 1024
_MOST_WIRE_BYTES: Final = 64 * 1024  # with certificates, and all that is around what is said
_IN_PROGRESS: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    '<{} xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
)
_TIME: Final = _ENVELOPE.format("GetSystemDateAndTime").encode()
_WHO: Final = _ENVELOPE.format("GetDeviceInformation").encode()
_END: Final = re.compile(rb"</(?:[A-Za-z0-9_-]{1,32}:)?Envelope\s*>")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})\b")
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,6})[^\r\n]{0,64}\r\n")
_SAID: Final = re.compile(
    r"<(?:[A-Za-z0-9_-]{1,32}:)?(Manufacturer|Model|FirmwareVersion|SerialNumber|HardwareId)(?:\s[^<>]{0,512})?>([^<>]{0,512})</"
)
_FIELDS: Final = {
    "Manufacturer": "vendor",
    "Model": "model",
    "FirmwareVersion": "firmware",
    "SerialNumber": "serial",
    "HardwareId": "hardware",
}
# Who asks for a password in these words. What stands behind Dahua's is the serial number in some devices and a hash in others.
_REALMS: Final = (
    (re.compile(r"AXIS_([0-9A-Fa-f]{12})"), "AXIS"),
    (re.compile(r"Login to [0-9A-Za-z]{8,64}"), "Dahua"),
    (re.compile(r"IP Camera\([0-9A-Za-z]{1,16}\)"), "Hikvision"),
)


class Knock:
    """One question to one port; the owner closes the socket. `is_alive`: somebody is at that address, whoever it is."""

    def __init__(self, address: str, door: Door, now_s: float, *, asks_who: bool = False, context: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.door = door
        self.asks_who = asks_who
        self.is_connected = False
        self.is_alive = False
        self.is_done = False
        self._began_s = now_s
        self._heard = b""
        self._taken_bytes = 0
        self._tls = TlsBytes(context or any_certificate()) if door.is_secure else None

    @property
    def has_answered(self) -> bool:
        """Whether an ONVIF device has: any SOAP answer, a refusal too, or a 401 in the words of a maker that we know."""
        body = _body(self._heard)
        is_soap = b"GetSystemDateAndTimeResponse" in body or (b"Envelope" in body and b"www.onvif.org" in body)
        # What says our own question again, as some pages about errors do, is no device.
        return (is_soap and b"GetSystemDateAndTime " not in body) or bool(self.identity.vendor)

    @property
    def identity(self) -> DeviceIdentity:
        """What it has said of itself unasked, or in asking for a password; empty fields where it has not."""
        return identity_in(self._heard)

    @property
    def device_url(self) -> str:
        return self.door.url_at(self.address)

    @property
    def certificate_sha256(self) -> str:
        """Of the certificate that is shown there; empty where none was."""
        return self._tls.certificate_sha256 if self._tls is not None else ""

    def open(self) -> socket.socket | None:
        """Begin to connect; None where there is no way there. Raises `OSError` where no socket is left to us."""
        end = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_STREAM)
        end.setblocking(False)
        code = end.connect_ex((self.address, self.door.port))
        if code == 0 or code in _IN_PROGRESS:
            return end
        end.close()
        self.is_alive = code == errno.ECONNREFUSED
        return None

    def go_on(self, end: socket.socket) -> None:
        """Do what can be done now."""
        try:
            if not self.is_connected:
                self._connected(end)
            else:
                self._receive(end)
        except BlockingIOError:
            return
        except OSError:
            self.is_done = True

    def is_over(self, now_s: float) -> bool:
        """Whether its time is over."""
        answer_s = _ANSWER_S if self._tls is None else _SECURE_ANSWER_S
        return now_s - self._began_s > (answer_s if self.is_connected else _CONNECT_S)

    def _connected(self, end: socket.socket) -> None:
        code = end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.is_alive = code in (0, errno.ECONNREFUSED)
        if code:
            self.is_done = True
            return
        self.is_connected = True
        if self._tls is None:
            end.send(self._question())
        else:
            self._tls.open()
            end.send(self._tls.to_send())

    def _question(self) -> bytes:
        host = f"[{self.address}]" if ":" in self.address else self.address
        question = _WHO if self.asks_who else _TIME
        head = (
            f"POST /onvif/device_service HTTP/1.1\r\nHost: {host}:{self.door.port}\r\nUser-Agent: lamppost\r\n"
            f"Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {len(question)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + question

    def _receive(self, end: socket.socket) -> None:
        chunk = end.recv(_MOST_BYTES)
        self._taken_bytes += len(chunk)
        self._heard += chunk if self._tls is None else self._decrypted(self._tls, end, chunk)
        if self._taken_bytes >= _MOST_WIRE_BYTES:
            self.is_done = True
            return
        is_whole = _END.search(self._heard) is not None or (_status(self._heard) == 401 and b"\r\n\r\n" in self._heard)
        self.is_done = not chunk or len(self._heard) >= _MOST_BYTES or is_whole

    def _decrypted(self, tls: TlsBytes, end: socket.socket, chunk: bytes) -> bytes:
        """What is said in `chunk`; shakes hands first, and asks then."""
        tls.take(chunk)
        said = b""
        if tls.is_open:
            said = tls.heard()
        elif tls.open():
            tls.say(self._question())
        if to_send := tls.to_send():
            end.send(to_send)
        return said


def any_certificate() -> ssl.SSLContext:
    """A context in which nobody vouches for who is there: for questions that hold nothing secret."""
    return tls_context("")


def identity_in(heard: bytes) -> DeviceIdentity:
    """What an HTTP answer says of who gave it: in reply to `GetDeviceInformation`, or in the realm of its 401."""
    status = _status(heard)
    if status == 401:
        return _by_realm(heard)
    body = _body(heard)
    if status != 200 or b"GetDeviceInformationResponse" not in body:
        return DeviceIdentity()
    said: dict[str, str] = {}
    for name, text in _SAID.findall(body.decode("utf-8", "replace")):
        said.setdefault(_FIELDS[name], _plain(unescape(text)))
    return DeviceIdentity(**said)


def _by_realm(heard: bytes) -> DeviceIdentity:
    head = heard.partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = (line.partition(":") for line in head.split("\r\n")[1:64])
    challenges = parse_challenges(text.strip() for name, _, text in lines if name.strip().lower() == "www-authenticate")
    for challenge in challenges:
        for pattern, vendor in _REALMS:
            if (found := pattern.fullmatch(challenge.realm)) is not None:
                return DeviceIdentity(vendor=vendor, mac=plain_mac(found[1]) if found.groups() else "")
    return DeviceIdentity()


def _status(heard: bytes) -> int:
    found = _STATUS.match(heard)
    return int(found[1]) if found else 0


def _body(heard: bytes) -> bytes:
    """What follows the headers, without the sizes of chunks."""
    head, _, body = heard.partition(b"\r\n\r\n")
    if not re.search(rb"\r\ntransfer-encoding:[^\r]{0,64}chunked", head, re.IGNORECASE):
        return body
    whole, at = bytearray(), 0
    while (size := _SIZE.match(body, at)) is not None and (length := int(size[1], 16)):
        whole += body[size.end() : size.end() + length]
        at = size.end() + length + 2
    return bytes(whole)


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()[:64]
