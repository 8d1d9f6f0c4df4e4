"""Connects to judged addresses alone, and gives no call more time or bytes than it has: what `web` stands on."""

from __future__ import annotations

import hashlib
import select
import socket
import ssl
from collections.abc import Iterable
from typing import Any, Final

import httpcore

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraRefused, CameraUnreachable, UnreadableReply
from lamppost.base.names import Lookup, Place, Resolve, look_up
from lamppost.model.networks import REFUSED_REMEDY, CameraNetworks

_MOST_PLACES: Final = 4


class Guard(httpcore.NetworkBackend):
    """The network of one device: one host, whose addresses are judged each time its name is looked up.

    An address that was connected to is kept until it can be connected to no more, so that all requests of a call go to
    one device. `shown` names it in errors.
    """

    def __init__(
        self,
        host: str,
        port: int,
        shown: str,
        networks: CameraNetworks,
        clock: Clock,
        *,
        pinned: str | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        self.connections = 0
        self.reads = 0
        self.taken_bytes = 0
        self.shown = shown
        self.pinned = pinned
        self.server_name = host.partition("%")[0]
        self._port = port
        self._networks = networks
        self._clock = clock
        self._lookup = Lookup(host, port, resolve)
        self._places: tuple[Place, ...] = ()
        self._deadline_s = 0.0
        self._most_bytes = 0

    def begin(self, timeout_s: float, most_bytes: int) -> None:
        """A call begins: `most_bytes` may come on the wire until `timeout_s` have passed."""
        self._deadline_s = self._clock.monotonic_s() + timeout_s
        self._most_bytes = most_bytes
        self.taken_bytes = 0

    def left_s(self) -> float:
        """Time that the call has left; raises when it has none."""
        left_s = self._deadline_s - self._clock.monotonic_s()
        if left_s <= 0:
            raise httpcore.ReadTimeout
        return left_s

    def take(self, length: int) -> None:
        """Count what has come; raises when it is too much, whatever it is."""
        self.reads += 1
        self.taken_bytes += length
        if self.taken_bytes > self._most_bytes:
            raise UnreadableReply(f"{self.shown} answers with more than {self._most_bytes >> 10} KiB")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        del host, port, timeout, local_address, socket_options
        places = self._places or self._judged()
        failure: Exception = httpcore.ConnectError()
        for index, place in enumerate(places):
            end = socket.socket(place.family, socket.SOCK_STREAM)
            try:
                end.settimeout(self.left_s() / (len(places) - index))
                end.connect(place.address)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                failure = httpcore.ConnectTimeout()
            except OSError:
                failure = httpcore.ConnectError()
            except BaseException:
                end.close()
                raise
            else:
                self.connections += 1
                self._places = (place,)
                return _Wire(end, self)
            end.close()
        self._places = ()
        raise failure

    def _judged(self) -> tuple[Place, ...]:
        try:
            places = self._lookup.places(self.left_s())
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        if not places:
            raise httpcore.ConnectError("no such host")
        allowed = tuple(place for place in places if self._networks.holds(place.number))[:_MOST_PLACES]
        if not allowed:
            raise CameraRefused(f"{self.shown} is not connected to: {self._networks.why_not(places[0].number)}", remedy=REFUSED_REMEDY)
        return allowed

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        raise httpcore.ConnectError("devices are on the network")

    def sleep(self, seconds: float) -> None:
        """Nothing is tried again here."""


class _Wire(httpcore.NetworkStream):
    """One connection, each of whose steps ends when the call must."""

    def __init__(self, end: socket.socket, guard: Guard) -> None:
        self._end = end
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        self._end.settimeout(self._guard.left_s())
        try:
            content = self._end.recv(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError:
            raise httpcore.ReadError from None
        self._guard.take(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        left = memoryview(buffer)
        while left:
            self._end.settimeout(self._guard.left_s())
            try:
                left = left[self._end.send(left) :]
            except TimeoutError:
                raise httpcore.WriteTimeout from None
            except OSError:
                raise httpcore.WriteError from None

    def close(self) -> None:
        self._end.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del server_hostname, timeout
        try:
            self._end.settimeout(self._guard.left_s())
            secure = ssl_context.wrap_socket(self._end, server_hostname=self._guard.server_name)
        except ssl.SSLCertVerificationError as error:
            self._end.close()
            raise CameraRefused(
                f"{self._guard.shown} is not vouched for: {error.verify_message or 'its certificate fails the test'}",
                remedy="pin its certificate with device_certificate_sha256, if you know it to be the device's own",
            ) from None
        except TimeoutError:
            self._end.close()
            raise httpcore.ConnectTimeout from None
        except (OSError, ValueError):
            # It took the connection, and answers with something else, or hangs up.
            self._end.close()
            raise CameraUnreachable(
                f"{self._guard.shown} is there, and does not speak TLS as we do",
                remedy="write http://, or the port at which it speaks https; old devices know no TLS that is safe",
            ) from None
        except BaseException:
            self._end.close()
            raise
        self._end = secure
        pinned, shown = self._guard.pinned, fingerprint(secure)
        if pinned is not None and shown != pinned:
            secure.close()
            raise CameraRefused(
                f"{self._guard.shown} shows another certificate than the pinned one",
                remedy=f"if it was renewed on purpose, pin {shown}; else somebody is in between",
            )
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            # Also when the other end has closed it: on a kept connection, nothing else should come.
            if self._end.fileno() < 0:
                return True
            poll = select.poll()
            poll.register(self._end, select.POLLIN)
            return bool(poll.poll(0))
        return self._end if info == "socket" else None


def certificate_shown(guard: Guard) -> str:
    """Connect, shake hands whoever vouches, and let go again; raises what httpcore raises."""
    stream = guard.connect_tcp("", 0)
    try:
        return fingerprint(stream.start_tls(tls_context("")).get_extra_info("socket"))
    finally:
        stream.close()


def fingerprint(secure: ssl.SSLSocket) -> str:
    """SHA-256 of the certificate that the other end shows."""
    return hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()


def tls_context(pinned: str | None) -> ssl.SSLContext:
    """One that the system's authorities vouch in; where a certificate is pinned, that is compared and nothing else."""
    if pinned is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate itself is compared, which says more than any authority.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
