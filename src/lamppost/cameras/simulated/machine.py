"""What the parts of a simulated camera share: who it is, its memory, its clock, and what was asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lamppost.base.clock import US_PER_S, Clock
from lamppost.cameras.simulated.markup import Markup
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.notifications import Notification
from lamppost.cameras.simulated.pull_points import PullPoints
from lamppost.cameras.simulated.state import SimulatedState
from lamppost.cameras.simulated.vendors import Vendor
from lamppost.model.devices import DeviceIdentity

_MOST_ASKED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `operation` is that of SOAP, such as `tds:GetHostname`; `user` is empty where nobody signed in."""

    method: str
    target: str
    operation: str
    user: str
    status: int


@dataclass(frozen=True, slots=True)
class StreamShape:
    """How a stream is encoded, by what the camera says."""

    width_px: int
    height_px: int
    fps: int
    kbit_per_s: int
    keyframe_interval_s: int = 1
    codec: str = "H264"


@dataclass(slots=True)
class Machine:
    """The camera behind its services. `lock` is held while a request is answered, and never while one waits."""

    vendor: Vendor
    identity: DeviceIdentity
    state: SimulatedState
    clock: Clock
    streams: tuple[StreamShape, StreamShape]
    rtsp_urls: tuple[str | None, str | None]
    rtsp_port: int
    reboot: Callable[[], None]
    snapshot: Callable[[], bytes]
    endpoint: str
    pull_points: PullPoints
    lock: threading.RLock = field(default_factory=threading.RLock)
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=_MOST_ASKED))
    metadata_version: int = 1

    def device_us(self) -> int:
        """UTC by the camera's own clock."""
        return self.clock.wall_us() + round(self.state.clock_offset_s * US_PER_S)

    def now_s(self) -> float:
        return self.clock.monotonic_s()

    def tell(self, notification: Notification) -> None:
        """Tell whoever listens."""
        self.pull_points.tell(notification, self.device_us())

    def has(self, service: str) -> bool:
        """Whether the camera has the service with this prefix."""
        return service in self.vendor.paths

    def stream_url(self, number: int, base: str) -> str:
        """Where a stream is: the camera names itself as it was called, on its port of RTSP, unless it was given an address."""
        given = self.rtsp_urls[number]
        if given is not None:
            return given
        host = base.partition("://")[2]
        host = host.rpartition(":")[0] if host.rpartition("]")[2].count(":") == 1 else host
        return f"rtsp://{host}:{self.rtsp_port}{self.vendor.stream_paths[number]}"

    def scopes(self) -> tuple[str, ...]:
        """What the camera says of itself to everybody on the network."""
        return (*self.fixed_scopes(), *self.state.scopes)

    def fixed_scopes(self) -> tuple[str, ...]:
        """Those of its scopes that nobody can set."""
        scope = "onvif://www.onvif.org"
        spoken = ["Profile/Streaming"] + (["Profile/T"] if self.has("tr2") else [])
        said = [f"{scope}/{profile}" for profile in spoken]
        said += [f"{scope}/type/video_encoder", f"{scope}/type/ptz", f"{scope}/hardware/{_quoted(self.identity.model)}"]
        said += [f"{scope}/name/{_quoted(self.identity.vendor)}", f"{scope}/MAC/{self.identity.mac}", *self.vendor.scopes]
        return tuple(said)


@dataclass(frozen=True, slots=True)
class Call:
    """One SOAP request: `body` is the operation's element; `base` is the camera's address as the client wrote it."""

    machine: Machine
    operation: str
    body: Node
    base: str
    target: str  # path and query
    message_id: str = ""

    @property
    def state(self) -> SimulatedState:
        return self.machine.state


Operation = Callable[[Call], Markup]


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace(" ", "%20").replace("/", "%2F")
