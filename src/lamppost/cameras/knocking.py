"""Asks one address for the time over HTTP, which every ONVIF device tells without a password; never waits."""

from __future__ import annotations

import errno
import socket
from typing import Final

_CONNECT_S: Final = 0.8
_ANSWER_S: Final = 2.0
_MOST_BYTES: Final = 16 * 1024
_IN_PROGRESS: Final = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)
_QUESTION: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
    b'<GetSystemDateAndTime xmlns="http://www.onvif.org/ver10/device/wsdl"/></s:Body></s:Envelope>'
)


class Knock:
    """One connection to one port; the owner closes the socket. `is_alive`: somebody is at that address, whoever it is."""

    PORTS: Final = (80, 8000, 8080, 8899)  # the others are tried where somebody is at the address

    def __init__(self, address: str, port: int, now_s: float) -> None:
        self.address = address
        self.port = port
        self.is_connected = False
        self.is_alive = False
        self.is_done = False
        self._began_s = now_s
        self._heard = b""

    @property
    def has_answered(self) -> bool:
        """Whether an ONVIF device has: any SOAP answer to this question, a refusal too."""
        return b"GetSystemDateAndTimeResponse" in self._heard or (b"Envelope" in self._heard and b"www.onvif.org" in self._heard)

    @property
    def device_url(self) -> str:
        place = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{place}" + ("" if self.port == 80 else f":{self.port}")

    def open(self) -> socket.socket | None:
        """Begin to connect; None where there is no way there."""
        end = socket.socket(socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_STREAM)
        end.setblocking(False)
        code = end.connect_ex((self.address, self.port))
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
        return now_s - self._began_s > (_ANSWER_S if self.is_connected else _CONNECT_S)

    def _connected(self, end: socket.socket) -> None:
        code = end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.is_alive = code in (0, errno.ECONNREFUSED)
        if code:
            self.is_done = True
            return
        self.is_connected = True
        host = f"[{self.address}]" if ":" in self.address else self.address
        head = (
            f"POST /onvif/device_service HTTP/1.1\r\nHost: {host}:{self.port}\r\nUser-Agent: lamppost\r\n"
            f"Content-Type: application/soap+xml; charset=utf-8\r\nContent-Length: {len(_QUESTION)}\r\nConnection: close\r\n\r\n"
        )
        end.send(head.encode() + _QUESTION)

    def _receive(self, end: socket.socket) -> None:
        chunk = end.recv(_MOST_BYTES)
        self._heard += chunk
        if not chunk or len(self._heard) >= _MOST_BYTES or b"Envelope>" in self._heard:
            self.is_done = True
