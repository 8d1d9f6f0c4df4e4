"""Asks a device over HTTP, and believes nothing of what comes back.

The one way in which this room talks HTTP. A name is looked up once, and the
connection goes to the very address that was judged. A call has one deadline and
one limit of bytes from beginning to end; redirects are not followed, so that a
password goes to nobody but the device.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore

from lamppost.base.clock import Clock
from lamppost.base.digest import SignIn
from lamppost.base.errors import CameraRefused, CameraUnreachable, ConfigError, UnreadableReply
from lamppost.model.networks import CameraNetworks

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 1 << 20
_PORTS: Final = {"http": 80, "https": 443}
_MOST_ADDRESSES: Final = 4


@dataclass(frozen=True, slots=True)
class Reply:
    """What a device has answered, whatever its status; names of headers are lower case."""

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
        """The place that `url` names; raises `ConfigError`."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
            raise ConfigError("this is no address of a device", remedy="write http://HOST[:PORT] or https://HOST[:PORT], without a user")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme])

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


class DeviceWeb:
    """Requests to one device, one after the other, in one thread; a context manager, which holds a connection open.

    Any status comes back as a `Reply`, 401 too, after the password was offered once. Raises `CameraUnreachable` where no
    answer comes in time, `CameraRefused` where only a password in the clear would do or another certificate is shown, and
    `UnreadableReply` for what is no HTTP or too much of it. No message holds user, password or query.
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
    ) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._most_bytes = most_bytes
        self._sign_in = SignIn(username, password)
        self._guard = _Guard(address, networks, clock, certificate_sha256)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(certificate_sha256) if address.scheme == "https" else None,
            max_connections=1,
            network_backend=self._guard,
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
        """Ask for `path`, which begins with `/`, and sign in where the device asks for it."""
        self._guard.begin(timeout_s or self._timeout_s)
        reply, challenges = self._once(method, path, content, headers or {})
        if reply.status == 401 and self._sign_in.learn(challenges):
            if self.address.scheme == "http" and self._sign_in.is_in_the_clear:
                raise CameraRefused(
                    f"{self.address} wants its password in the clear", remedy="switch on digest authentication there, or use https://"
                )
            reply, _ = self._once(method, path, content, headers or {})
        if reply.status < 400:
            self._sign_in.accept()
        return reply

    def _once(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> tuple[Reply, list[str]]:
        sent = {"Host": str(self.address).partition("://")[2], "User-Agent": "lamppost", "Accept": "*/*", **headers}
        answer = self._sign_in.answer(method, path)
        if answer is not None:
            sent["Authorization"] = answer
        if content or method in ("POST", "PUT"):
            sent["Content-Length"] = str(len(content))
        target = httpcore.URL(
            scheme=self.address.scheme, host=self.address.host, port=self.address.port, target=path.encode("ascii", "strict")
        )
        try:
            with self._pool.stream(method, target, headers=list(sent.items()), content=content) as response:
                body = self._read(response.iter_stream())
        except httpcore.TimeoutException as error:
            raise CameraUnreachable(f"{self.address} has not answered in time", remedy="is it on, and is the network?") from error
        except (httpcore.NetworkError, OSError) as error:
            raise CameraUnreachable(f"{self.address} cannot be reached", remedy="is it on, and is that its address?") from error
        except (httpcore.ProtocolError, ValueError, UnicodeError) as error:
            raise UnreadableReply(f"{self.address} answers with what is no HTTP") from error
        pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers]
        challenges = [value for name, value in pairs if name == "www-authenticate"]
        return Reply(response.status, dict(reversed(pairs)), body), challenges

    def _read(self, chunks: Iterable[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > self._most_bytes:
                raise UnreadableReply(f"{self.address} answers with more than {self._most_bytes >> 10} KiB")
        return bytes(body)


class _Guard(httpcore.NetworkBackend):
    """Connects to judged addresses alone, and gives no call more time than it has."""

    def __init__(self, address: DeviceAddress, networks: CameraNetworks, clock: Clock, certificate_sha256: str | None) -> None:
        self._address = address
        self._networks = networks
        self._clock = clock
        self._pinned = certificate_sha256
        self._deadline_s = 0.0
        self._backend = httpcore.SyncBackend()
        self._numbers: tuple[str, ...] = ()

    def begin(self, timeout_s: float) -> None:
        self._deadline_s = self._clock.monotonic_s() + timeout_s

    def left_s(self) -> float:
        """Time that the call has left; raises when it has none."""
        left_s = self._deadline_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise httpcore.ReadTimeout
        return left_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        del host, timeout
        self._numbers = self._numbers or self._look_up()
        last: Exception = httpcore.ConnectError()
        for number in self._numbers:
            try:
                stream = self._backend.connect_tcp(number, port, self.left_s() / 2, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
                continue
            return _GuardedStream(stream, self, self._pinned, str(self._address))
        raise last

    def _look_up(self) -> tuple[str, ...]:
        try:
            found = socket.getaddrinfo(self._address.host, self._address.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("no such host") from error
        numbers = tuple(dict.fromkeys(str(place[0]) for *_, place in found))[:_MOST_ADDRESSES]
        allowed = tuple(number for number in numbers if self._networks.holds(number))
        if not allowed:
            why = self._networks.why_not(numbers[0]) if numbers else "it has no address"
            raise CameraRefused(f"{self._address} is not connected to: {why}", remedy="name its network in `networks` of [devices]")
        return allowed

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        raise httpcore.ConnectError("devices are on the network")

    def sleep(self, seconds: float) -> None:
        """Nothing is tried again here."""


class _GuardedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, guard: _Guard, pinned: str | None, shown: str) -> None:
        self._stream = stream
        self._guard = guard
        self._pinned = pinned
        self._shown = shown

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._stream.read(max_bytes, self._guard.left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._stream.write(buffer, self._guard.left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        stream = self._stream.start_tls(ssl_context, server_hostname, self._guard.left_s())
        if self._pinned is not None:
            certificate = stream.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
            shown = hashlib.sha256(certificate).hexdigest()
            if shown != self._pinned:
                stream.close()
                raise CameraRefused(
                    f"{self._shown} shows another certificate than the pinned one",
                    remedy=f"if it was renewed on purpose, pin {shown}; else somebody is in between",
                )
        return _GuardedStream(stream, self._guard, self._pinned, self._shown)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _tls(pinned: str | None) -> ssl.SSLContext:
    if pinned is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate itself is compared, which says more than any authority.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
