"""Opens a camera, whatever it is, without waiting for it.

```python
stream = open_stream("rtsp://camera/stream", loop=loop, clock=clock, sink=recording, stop=stop, networks=networks)
```
"""

from __future__ import annotations

import threading

from lamppost.base.clock import Clock
from lamppost.base.digest import InTheClear
from lamppost.base.loop import Loop
from lamppost.base.names import Resolve, look_up
from lamppost.ingest.files import FileSource, PlayOptions
from lamppost.ingest.locator import Scheme, check_transport, parse_locator
from lamppost.ingest.rtsp.stream import RtspStream
from lamppost.ingest.simulation import SimulatedSource
from lamppost.ingest.stream import Stream, StreamSink, Transport
from lamppost.ingest.threads import ThreadStream
from lamppost.model.networks import CameraNetworks


def open_stream(
    url: str,
    *,
    loop: Loop,
    clock: Clock,
    sink: StreamSink,
    stop: threading.Event,
    networks: CameraNetworks,
    username: str | None = None,
    password: str | None = None,
    timeout_s: float = 10.0,
    transport: Transport = "tcp",
    certificate_sha256: str | None = None,
    clear: InTheClear | None = None,
    resolve: Resolve = look_up,
) -> Stream:
    """Begin to open `url`: `rtsp://`, `rtsps://`, `sim://`, `file:PATH` or a plain path.

    Nothing connects outside `networks`. Returns at once; the sink is told what comes of it, from within `loop`. Raises
    `ConfigError` for an address or options that cannot be used. No message, cause or log line of any error holds the
    password. `clear` is kept from one opening of a camera to the next. `stop` ends the threads behind files and
    simulations; streams are closed by their owners.
    """
    locator = parse_locator(url, username=username, password=password)
    if locator.scheme is Scheme.SIM:
        simulated = SimulatedSource(locator, clock)
        return ThreadStream(loop, sink, stop, simulated.started, "simulation")
    if locator.scheme is Scheme.FILE:
        options = PlayOptions.of(locator)
        return ThreadStream(loop, sink, stop, lambda closed: FileSource(locator, options, clock, closed, timeout_s), "file-reader")
    check_transport(locator, transport, certificate_sha256)
    return RtspStream(
        locator,
        loop,
        clock,
        sink,
        networks=networks,
        timeout_s=timeout_s,
        transport=transport,
        certificate_sha256=_plain_fingerprint(certificate_sha256),
        clear=clear,
        resolve=resolve,
    )


def _plain_fingerprint(fingerprint: str | None) -> str | None:
    return fingerprint.replace(":", "").lower() if fingerprint is not None else None
