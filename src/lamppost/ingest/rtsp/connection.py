"""One TCP connection to a camera, with TLS where asked for, that never waits.

A name is looked up once, and the connection goes to an address that was judged
to be in a camera network. With TLS nothing is said before it is known who
answers: the system's authorities vouch for the host name, or the certificate is
the pinned one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import socket
import ssl
from typing import Final, Protocol

from lamppost.base.errors import CameraError
from lamppost.base.loop import Loop, Timer
from lamppost.base.names import Place, Resolve, is_number, look_up
from lamppost.ingest.locator import Locator, Scheme
from lamppost.ingest.rtsp import failures
from lamppost.model.networks import CameraNetworks

DEFAULT_PORTS: Final = {Scheme.RTSP: 554, Scheme.RTSPS: 322}
MOST_UNSENT_BYTES: Final = 64 * 1024
_MOST_PLACES: Final = 4
_IN_PROGRESS: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)


class Listener(Protocol):
    """The owner of a connection."""

    def connected(self) -> None: ...

    def readable(self) -> None: ...

    def failed(self, error: CameraError) -> None: ...


class Connection:
    """Connects when told to `start`; reports to its listener, in the loop's thread, until it is closed.

    Several addresses of one host name are tried in turn, each for its share of `timeout_s`; those outside `networks` are not.
    """

    def __init__(
        self,
        locator: Locator,
        loop: Loop,
        listener: Listener,
        *,
        networks: CameraNetworks,
        timeout_s: float,
        certificate_sha256: str | None,
        resolve: Resolve = look_up,
    ) -> None:
        self._locator = locator
        self._loop = loop
        self._listener = listener
        self._networks = networks
        self._resolve = resolve
        self._timeout_s = timeout_s
        self._pinned = certificate_sha256
        self._context: ssl.SSLContext | None = None
        self._places: list[Place] = []
        self._socket: socket.socket | None = None
        self._peer = ""
        self._tls: ssl.SSLSocket | None = None
        self._timer: Timer | None = None
        self._unsent = bytearray()
        self._is_closed = False
        self.doing = "connecting"

    @property
    def is_secure(self) -> bool:
        return self._locator.scheme is Scheme.RTSPS

    def start(self) -> None:
        """Find the host and connect."""
        if is_number(self._locator.host) and (not self.is_secure or self._pinned is not None):
            self._prepared(*self._prepare())
        else:
            self._loop.in_thread(self._prepare_in_thread)

    @property
    def peer(self) -> str:
        """The number that it connects or is connected to; empty where there is none."""
        return self._peer if self._socket is not None else ""

    def addresses(self) -> tuple[str, str]:
        """Our own address and the camera's, as numbers; call it while connected."""
        if self._socket is None:
            return "", ""
        return str(self._socket.getsockname()[0]), str(self._socket.getpeername()[0])

    def send(self, content: bytes) -> None:
        """Send `content`, or as much as goes now; the rest goes with the next call, or with `flush`."""
        self._unsent += content
        self.flush()

    def flush(self) -> None:
        """Send what is left; a peer that takes nothing for long has failed."""
        end = self._tls or self._socket
        try:
            while self._unsent and end is not None:
                del self._unsent[: end.send(self._unsent)]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if len(self._unsent) > MOST_UNSENT_BYTES:
                self._fail(failures.went_silent(self._locator, "sending to it", self._timeout_s))
        except OSError as error:
            self._fail_with(error)

    def receive_into(self, view: memoryview) -> int:
        """The bytes put into `view`; 0 when there are none now, -1 when the peer has hung up. Raises `CameraError`."""
        end = self._tls or self._socket
        if end is None:
            return 0
        try:
            return end.recv_into(view) or -1
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as error:
            raise failures.of_os_error(self._locator, error, self.doing, self._timeout_s) from error

    def pending_bytes(self) -> int:
        """Bytes that TLS has decrypted already: no descriptor tells of them."""
        return self._tls.pending() if self._tls is not None else 0

    def close(self, farewell: bytes = b"") -> None:
        """Send `farewell` if that needs no waiting, and let go."""
        end = self._tls or self._socket
        if farewell and end is not None and not self._unsent:
            with contextlib.suppress(OSError):
                end.send(farewell)
        self._is_closed = True
        self._drop()

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        end, self._socket, self._tls = self._tls or self._socket, None, None
        if end is not None and end.fileno() >= 0:
            self._loop.unwatch(end.fileno())
            end.close()

    def _prepare_in_thread(self) -> None:
        if self._is_closed:
            return  # it waited for its turn until nobody wanted it; where names cannot be had, many do
        places, context = self._prepare()
        self._loop.post(lambda: self._prepared(places, context))

    def _prepare(self) -> tuple[list[Place], ssl.SSLContext | None]:
        """What may take time: names, and the system's authorities."""
        port = self._locator.port or DEFAULT_PORTS[self._locator.scheme]
        return list(self._resolve(self._locator.host, port)), _context(self._pinned) if self.is_secure else None

    def _prepared(self, places: list[Place], context: ssl.SSLContext | None) -> None:
        if self._is_closed:
            return
        self._context = context
        self._places = [place for place in places if self._networks.holds(place.number)][:_MOST_PLACES]
        if not places:
            self._fail(failures.is_unknown(self._locator))
        elif not self._places:
            self._fail(failures.is_elsewhere(self._locator, self._networks.why_not(places[0].number)))
        else:
            self._connect(self._timeout_s / len(self._places))

    def _connect(self, share_s: float) -> None:
        place = self._places.pop(0)
        self._peer = place.number
        try:
            self._socket = end = socket.socket(place.family, socket.SOCK_STREAM)
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = end.connect_ex(place.address)  # pyright: ignore[reportArgumentType]
        except OSError as error:
            self._refused(error, share_s)
            return
        if code and code not in _IN_PROGRESS:
            self._refused(OSError(code, os.strerror(code)), share_s)
            return
        self._loop.watch(end.fileno(), lambda: self._connected(share_s), for_write=True)
        if self._places:
            timeout = OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            self._timer = self._loop.call_later(share_s, lambda: self._refused(timeout, share_s))

    def _refused(self, error: OSError, share_s: float) -> None:
        self._drop()
        if self._places:
            self._connect(share_s)
        else:
            self._fail_with(error)

    def _connected(self, share_s: float) -> None:
        end = self._socket
        if end is None:
            return
        code = end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._refused(OSError(code, os.strerror(code)), share_s)
            return
        if self._timer is not None:
            self._timer.cancel()
        self.doing = "opening"
        if self._context is None:
            self._opened(end)
            return
        self._loop.unwatch(end.fileno())  # whatever wrapping fails with, the descriptor may be another's then
        try:
            self._tls = self._context.wrap_socket(end, do_handshake_on_connect=False, server_hostname=self._locator.host.partition("%")[0])
        except OSError as error:
            self._fail_with(error)
            return
        self._socket = self._tls
        self._shake_hands()

    def _shake_hands(self) -> None:
        tls = self._tls
        if tls is None:
            return
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._loop.watch(tls.fileno(), self._shake_hands)
            return
        except ssl.SSLWantWriteError:
            self._loop.watch(tls.fileno(), self._shake_hands, for_write=True)
            return
        except OSError as error:
            self._fail_with(error)
            return
        if self._pinned is not None:
            shown = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
            if shown != self._pinned:
                self._fail(failures.is_another(self._locator, shown))
                return
        self._opened(tls)

    def _opened(self, end: socket.socket) -> None:
        self._loop.watch(end.fileno(), self._listener.readable)
        self._listener.connected()

    def _fail_with(self, error: OSError) -> None:
        self._fail(failures.of_os_error(self._locator, error, self.doing, self._timeout_s))

    def _fail(self, error: CameraError) -> None:
        if not self._is_closed:
            self.close()
            self._listener.failed(error)


def _context(pinned: str | None) -> ssl.SSLContext:
    if pinned is None:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The certificate itself is compared, which says more than any authority.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
