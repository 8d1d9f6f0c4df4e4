"""Asks a device over HTTP, and believes nothing of what comes back.

The one way in which this room talks HTTP. A name is looked up once for a
connection, which goes to the very address that was judged. A call has one
deadline and one limit of bytes from beginning to end; redirects are not
followed, so that a password goes to nobody but the device.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpcore

from lamppost.base.clock import Clock
from lamppost.base.digest import SignIn
from lamppost.base.errors import CameraRefused, CameraUnreachable, UnreadableReply
from lamppost.base.names import Resolve, look_up
from lamppost.cameras.wire import Guard, certificate_shown, tls_context
from lamppost.model.device_url import PORTS, split_device_url
from lamppost.model.networks import CameraNetworks

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 1 << 20
_MOST_PATH: Final = 8192
_MOST_REFUSALS: Final = 4  # in a row
_ROOM_BYTES: Final = 256 << 10  # on the wire, for headers and for what is around chunks
_METHOD = re.compile(r"[A-Z]{3,10}")
_PATH = re.compile(r"/[\x21\x22\x24-\x7e]*")  # no blank, no control, and no fragment
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_UNSAYABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OURS: Final = frozenset({"host", "authorization", "content-length", "transfer-encoding", "connection", "accept-encoding"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a device has answered, whatever its status; names of headers are lower case. Nothing of it was decompressed."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class DeviceAddress:
    """Where a device is asked: `http://HOST[:PORT]`, or https."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> DeviceAddress:
        """The place that `url` names, whatever path follows; raises `ConfigError`, whose text holds nothing of `url`."""
        return cls(*split_device_url(url))

    def __str__(self) -> str:
        return f"{self.scheme}://{self._place(self.host)}"

    @property
    def host_header(self) -> str:
        """What `Host` says: without the zone, which means something on this machine alone."""
        return self._place(self.host.partition("%")[0])

    def _place(self, host: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return host + ("" if self.port == PORTS[self.scheme] else f":{self.port}")


class PasswordInTheClear(CameraRefused):
    """The device asks for the password itself, over http: it does not get it."""


class DeviceWeb:
    """Requests to one device, one after the other, in one thread; a context manager, which holds a connection open.

    Any status comes back as a `Reply`, 401 too: a wrong password is offered once, and then no more. Raises
    `CameraUnreachable` where no answer comes in time, `CameraRefused` where nothing may connect to that address, only a
    password in the clear would do or nobody vouches for the certificate, and `UnreadableReply` for what is no HTTP or too
    much of it. No message, and no cause of one, holds user, password or query.
    """

    def __init__(
        self,
        address: DeviceAddress,
        networks: CameraNetworks,
        clock: Clock,
        *,
        username: str = "",
        password: str = "",
        certificate_sha256: str | None = None,
        timeout_s: float = TIMEOUT_S,
        most_bytes: int = MOST_BYTES,
        resolve: Resolve = look_up,
    ) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._sign_in = SignIn(username, password)
        self._is_accepted = False
        self._times_refused = 0
        pinned = certificate_sha256.replace(":", "").lower() if certificate_sha256 else None
        self._guard = Guard(address.host, address.port, str(address), networks, clock, pinned=pinned, resolve=resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls_context(pinned) if address.scheme == "https" else None, max_connections=1, network_backend=self._guard
        )

    def __enter__(self) -> DeviceWeb:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()

    def get(self, path: str, *, timeout_s: float | None = None) -> Reply:
        return self.ask("GET", path, timeout_s=timeout_s)

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        """Ask for `path`, which begins with `/`, and sign in where the device asks for it.

        Raises `ValueError` for a method or headers that no caller should give, and `UnreadableReply` for a path that
        cannot be asked for: those come from devices.
        """
        _check(method, headers or {})
        if len(path) > _MOST_PATH or not _PATH.fullmatch(path):
            raise UnreadableReply(f"{self.address} names a place that cannot be asked for")
        self._guard.begin(timeout_s or self._timeout_s, 2 * self._most_bytes + _ROOM_BYTES)
        reply, challenges, is_signed = self._once(method, path, content, headers or {}, is_again=False)
        if reply.status == 401 and not self._is_turned_away and self._sign_in.learn(challenges):
            if self._is_in_the_clear:
                raise PasswordInTheClear(
                    f"{self.address} wants its password in the clear", remedy="switch on digest authentication there, or use https://"
                )
            reply, _, is_signed = self._once(method, path, content, headers or {}, is_again=True)
        self._times_refused += is_signed and reply.status == 401
        return reply

    @property
    def has_signed_in(self) -> bool:
        """Whether the device has asked who we are, and was content with the answer."""
        return self._is_accepted

    @property
    def _is_turned_away(self) -> bool:
        """Whether the password is offered no more: many devices lock the account, or us out, after a few wrong ones.

        One that was taken before may still be refused where its user has no right, or no longer be the right one.
        """
        return self._times_refused >= (_MOST_REFUSALS if self._is_accepted else 1)

    @property
    def _is_in_the_clear(self) -> bool:
        return self.address.scheme == "http" and self._sign_in.is_in_the_clear

    def _once(self, method: str, path: str, content: bytes, headers: Mapping[str, str], *, is_again: bool) -> tuple[Reply, list[str], bool]:
        """The reply, its challenges, and whether the request was signed."""
        answer = None if self._is_turned_away or self._is_in_the_clear else self._sign_in.answer(method, path)
        sent = {"Host": self.address.host_header, "User-Agent": "lamppost", "Accept": "*/*", "Accept-Encoding": "identity"}
        # Theirs win where they say the same, whatever the case.
        given = {name.lower() for name in headers}
        sent = {name: text for name, text in sent.items() if name.lower() not in given} | dict(headers)
        if answer is not None:
            sent["Authorization"] = answer
        if content or method in ("POST", "PUT"):
            sent["Content-Length"] = str(len(content))
        lines = [(name.encode("ascii"), text.encode("utf-8", "surrogateescape")) for name, text in sent.items()]
        if any(_UNSAYABLE.search(text) for text in sent.values()):
            raise CameraRefused(f"{self.address}: that user name cannot be sent", remedy="name a user without control characters")
        request = httpcore.Request(
            method,
            httpcore.URL(scheme=self.address.scheme, host=self.address.host, port=self.address.port, target=path.encode("ascii")),
            headers=lines,
            content=content or None,
        )
        reply, raw = self._send(request, is_again or method == "GET")
        if answer is not None and reply.status < 400:
            self._sign_in.accept()
            self._is_accepted, self._times_refused = True, 0
        # As the password is hashed, so that a realm in whatever letters comes back as it came.
        texts = [value.decode("utf-8", "surrogateescape") for name, value in raw if name.lower() == b"www-authenticate"]
        return reply, texts, answer is not None

    def _send(self, request: httpcore.Request, may_repeat: bool) -> tuple[Reply, list[tuple[bytes, bytes]]]:
        """Send it; once more where a connection that was kept turns out to be closed, and it may be sent twice."""
        connections, had = self._guard.connections, self._guard.taken_bytes
        try:
            return self._receive(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError) as error:
            was_kept = connections > 0 and self._guard.connections == connections and self._guard.taken_bytes == had
            if not (was_kept and may_repeat):
                raise self._translated(error, had) from None
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise self._translated(error, had) from None
        try:
            return self._receive(request)
        except (httpcore.ProtocolError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise self._translated(error, had) from None

    def _translated(self, error: Exception, had: int) -> CameraUnreachable | UnreadableReply:
        # Without the error as its cause: some of them quote what was sent.
        if isinstance(error, httpcore.TimeoutException):
            return CameraUnreachable(f"{self.address} has not answered in time", remedy="is it on, and is the network?")
        if isinstance(error, httpcore.NetworkError):
            return CameraUnreachable(f"{self.address} cannot be reached", remedy="is it on, and is that its address?")
        if self._guard.taken_bytes == had:
            return UnreadableReply(f"{self.address} hangs up without an answer")
        return UnreadableReply(f"{self.address} answers with what is no HTTP")

    def _receive(self, request: httpcore.Request) -> tuple[Reply, list[tuple[bytes, bytes]]]:
        reads = self._guard.reads
        response = self._pool.handle_request(request)
        try:
            # What lay in the buffer before anything was asked belongs to no question.
            if self._guard.reads == reads:
                raise httpcore.RemoteProtocolError("an answer to nothing")
            body = self._read(response.iter_stream())
        except BaseException:
            response.close()
            self._pool.close()
            raise
        response.close()
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers]
        return Reply(response.status, dict(reversed(headers)), body), list(response.headers)

    def _read(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._most_bytes:
                raise UnreadableReply(f"{self.address} answers with more than {self._most_bytes >> 10} KiB")
            self._guard.left_s()
        return bytes(body)


def shown_certificate(
    address: DeviceAddress, networks: CameraNetworks, clock: Clock, *, timeout_s: float = TIMEOUT_S, resolve: Resolve = look_up
) -> str:
    """SHA-256 of the certificate that an `https` device shows, whoever vouches for it; nothing else is said to it.

    For a person who compares it with what the device's own pages say, and then pins it. Raises as `DeviceWeb` does.
    """
    guard = Guard(address.host, address.port, str(address), networks, clock, resolve=resolve)
    guard.begin(timeout_s, _ROOM_BYTES)
    try:
        return certificate_shown(guard)
    except (httpcore.NetworkError, httpcore.TimeoutException):
        raise CameraUnreachable(f"{address} shows no certificate", remedy="is it on, and does it speak https there?") from None


def _check(method: str, headers: Mapping[str, str]) -> None:
    if not _METHOD.fullmatch(method):
        raise ValueError("this is no method of HTTP")
    for name, text in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS or not text.isascii() or not text.isprintable():
            raise ValueError(f"the header {name[:64]!r} is not the caller's to give")
