"""Asks a device over TLS for its certificate, and says nothing else: so that an installer can compare it, and pin it."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
from typing import Final

from lamppost.base.errors import CameraRefused, CameraUnreachable, UnreadableReply
from lamppost.base.names import Lookup, Resolve, look_up
from lamppost.cameras.web import DeviceAddress
from lamppost.model.networks import REFUSED_REMEDY, CameraNetworks

TIMEOUT_S: Final = 4.0


def certificate_of(address: DeviceAddress, networks: CameraNetworks, *, timeout_s: float = TIMEOUT_S, resolve: Resolve = look_up) -> str:
    """SHA-256 of the certificate that the device shows, in hexadecimal; whoever vouches for it.

    Raises `CameraRefused` for an address in no camera network, `CameraUnreachable`, and `UnreadableReply` where there is no TLS.
    """
    try:
        places = Lookup(address.host, address.port, resolve).places(timeout_s)
    except TimeoutError:
        places = ()
    allowed = [place for place in places if networks.holds(place.number)]
    if places and not allowed:
        why = networks.why_not(places[0].number)
        raise CameraRefused(f"{address} is not connected to: {why}", remedy=REFUSED_REMEDY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is sent over it: who vouches is the question that its answer is for.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for place in allowed:
        with contextlib.suppress(TimeoutError, ConnectionError), _connected(place.family, place.address, timeout_s) as end:
            try:
                with context.wrap_socket(end, server_hostname=address.host) as tls:
                    return hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
            except ssl.SSLError as error:
                raise UnreadableReply(f"{address} speaks no TLS") from error
    raise CameraUnreachable(f"{address} cannot be reached", remedy="is it on, and is that its address?")


def _connected(family: int, address: tuple[object, ...], timeout_s: float) -> socket.socket:
    end = socket.socket(family, socket.SOCK_STREAM)
    try:
        end.settimeout(timeout_s)
        end.connect(address)
    except OSError as error:
        end.close()
        raise ConnectionError from error
    return end
