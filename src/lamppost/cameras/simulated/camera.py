"""A whole simulated camera on one port, to be talked to as to a real one.

    with SimulatedCamera("dahua", password="correct horse") as camera:
        web = DeviceWeb(DeviceAddress.of(camera.url), ...)

It keeps nothing, and on leaving no thread, socket or file of it is left.
"""

from __future__ import annotations

import base64
import secrets
import ssl
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Self

from lamppost.base.clock import Clock, SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cameras.simulated.analytics_service import first_modules, first_rules
from lamppost.cameras.simulated.answering import Answering
from lamppost.cameras.simulated.discovery import PORT, DiscoveryResponder
from lamppost.cameras.simulated.faults import Fault
from lamppost.cameras.simulated.http_server import Answer, HttpServer, Request
from lamppost.cameras.simulated.machine import Asked, Machine, StreamShape
from lamppost.cameras.simulated.notifications import UNWANTED, Notification, told_by
from lamppost.cameras.simulated.pull_points import PullPoints
from lamppost.cameras.simulated.sign_in import Gate
from lamppost.cameras.simulated.state import Preset, SimulatedState
from lamppost.cameras.simulated.vendor_dialects import DEVICES, variant_of
from lamppost.cameras.simulated.vendors import vendor_named
from lamppost.model.devices import Ability, DeviceEvent, DeviceEventKind, DeviceIdentity

STREAMS: Final = (StreamShape(1280, 720, 15, 2048), StreamShape(640, 360, 10, 512))
NONCE_LIFE_S: Final = 300.0
_REBOOT_S: Final = 1.0
# A grey picture of 8 by 8 pixels.
_GREY_JPEG: Final = base64.b64decode(
    "/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/wAALCAAIAAgBAREA/8QAFAABAAAAAAAA"
    "AAAAAAAAAAAAB//EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AT//Z"
)


class SimulatedCamera:
    """A camera of `vendor`: `onvif`, `onvif-s`, `dahua`, `hikvision` or `axis`.

    `url` is where it is asked, `state` its memory, `requests` what it was asked. `most` is the most that it is able to do
    with faces, and `is_armed` says whether that is switched on at first; `variant` picks another folder of a dialect's replies.
    Without a password it makes one up. `discovery` answers to WS-Discovery, at port 3702 unless `discovery_port` says another.
    """

    def __init__(
        self,
        vendor: str,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        username: str = "admin",
        password: str = "",
        identity: DeviceIdentity | None = None,
        number: int = 1,
        most: Ability | None = Ability.RECOGNISE,
        is_armed: bool = True,
        variant: str = "",
        rtsp_url: str | None = None,
        rtsp_sub_url: str | None = None,
        rtsp_port: int = 554,
        streams: tuple[StreamShape, StreamShape] = STREAMS,
        discovery: bool = False,
        discovery_port: int | None = None,
        discovery_interface: str = "",
        fault: str | Fault | Iterable[str | Fault] | None = None,
        clock: Clock | None = None,
        tls: ssl.SSLContext | None = None,
        algorithms: tuple[str, ...] | None = None,
        nonce_life_s: float = NONCE_LIFE_S,
        snapshot: Callable[[], bytes] = lambda: _GREY_JPEG,
    ) -> None:
        kind = vendor_named(vendor)
        self.username = username
        self.password = password or secrets.token_urlsafe(12)
        self.identity = identity or kind.identified(number)
        self.state = _state(self.username, self.password, self.identity, most, is_armed=is_armed)
        self._address, self._port, self._tls = address, port, tls
        clock = clock or SystemClock()
        self._machine = Machine(
            vendor=kind,
            identity=self.identity,
            state=self.state,
            clock=clock,
            streams=streams,
            rtsp_urls=(rtsp_url, rtsp_sub_url or rtsp_url),
            rtsp_port=rtsp_port,
            reboot=self._reboot_soon,
            snapshot=snapshot,
            pull_points=PullPoints(clock),
            endpoint=f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, self.identity.mac or self.identity.serial)}",
        )
        realm = kind.realm.format(mac=self.identity.mac.replace(":", "").upper())
        self.gate = Gate(self.state.users, realm, clock, algorithms=algorithms or kind.algorithms, nonce_life_s=nonce_life_s)
        make = DEVICES.get(vendor)
        self.dialect = make(variant or variant_of(most, is_armed=is_armed), self.identity) if make else None
        self._answering = Answering(self._machine, self.gate, self.dialect)
        self.fault(fault)
        self._server: HttpServer | None = None
        self._is_found = discovery or discovery_port is not None
        self.discovery_port = PORT if discovery_port is None else discovery_port
        self._discovery_interface = discovery_interface
        self._responder: DiscoveryResponder | None = None
        self._stop = threading.Event()
        self._reboot_asked = threading.Event()
        self._life: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where its ONVIF device service is."""
        return f"{self.base}{self._machine.vendor.paths['tds']}"

    @property
    def base(self) -> str:
        """`http://ADDRESS:PORT`."""
        return f"{'https' if self._tls else 'http'}://{self._place}"

    def path_of(self, service: str) -> str:
        """Where the ONVIF service with this prefix (`tds`, `tr2`, ...) is asked."""
        return self._machine.vendor.paths[service]

    @property
    def rtsp_port(self) -> int:
        """The port of RTSP that its stream addresses name, where no `rtsp_url` was given."""
        return self._machine.rtsp_port

    @rtsp_port.setter
    def rtsp_port(self, port: int) -> None:
        self._machine.rtsp_port = port

    def stream_url(self, number: int = 0) -> str:
        """Where its main (0) or sub (1) stream is, as it tells a client that asks at `base`."""
        return self._machine.stream_url(number, self.base)

    def device_us(self) -> int:
        """UTC by its own clock."""
        return self._machine.device_us()

    def scopes(self) -> tuple[str, ...]:
        """What it says of itself to who looks for devices."""
        return self._machine.scopes()

    def has(self, service: str) -> bool:
        """Whether it has the ONVIF service with this prefix."""
        return self._machine.has(service)

    @property
    def profile_tokens(self) -> tuple[str, str]:
        """What its main and its sub profile are called."""
        return self._machine.vendor.profile_tokens

    @property
    def port(self) -> int:
        return self._port

    @property
    def address(self) -> str:
        return self._address

    @property
    def requests(self) -> tuple[Asked, ...]:
        """What was asked since the camera was made, the last 10,000."""
        return tuple(self._machine.asked)

    def fault(self, fault: str | Fault | Iterable[str | Fault] | None) -> None:
        """From now on, have these faults and no others; None heals the camera."""
        several: Sequence[str | Fault] = () if fault is None else (fault,) if isinstance(fault, str | Fault) else tuple(fault)
        self._answering.faults = tuple(each if isinstance(each, Fault) else Fault.of(each) for each in several)

    def start(self) -> None:
        """Be there; raises `ConfigError` where the address cannot be used."""
        self._come_up()
        self._life = threading.Thread(target=self._live, name="simulated camera: life", daemon=True)
        self._life.start()

    def close(self) -> None:
        self._stop.set()
        self._reboot_asked.set()
        if self._life is not None:
            self._life.join()
            self._life = None
        self._say_bye()
        self.go_down()

    def _say_bye(self) -> None:
        responder, self._responder = self._responder, None
        if responder is not None:
            responder.close(with_bye=True)

    def emit(self, event: DeviceEvent | Notification | str) -> None:
        """Tell whoever listens: an event that Lamppost takes, or by name one that it must not read (see `UNWANTED`)."""
        with self._machine.lock:
            if isinstance(event, DeviceEvent):
                self._remember(event)
                event = told_by(event, by_rule=self._machine.vendor.tells_by_rule)
            self._machine.tell(UNWANTED[event] if isinstance(event, str) else event)

    def _remember(self, event: DeviceEvent) -> None:
        is_active = event.is_active is not False
        match event.kind:
            case DeviceEventKind.MOTION:
                self.state.has_motion = is_active
            case DeviceEventKind.TAMPER:
                self.state.is_tampered = is_active
            case DeviceEventKind.INPUT:
                self.state.inputs[event.place or "DigitalInput_1"] = is_active
            case DeviceEventKind.OUTPUT:
                self.state.relays[event.place or "RelayOutput_1"] = is_active
            case DeviceEventKind.STORAGE | DeviceEventKind.HEALTH:
                pass  # nobody asks for these later

    def go_down(self) -> None:
        """Break off every connection and take no more, as without power."""
        self._machine.pull_points.go_down()
        responder, self._responder = self._responder, None
        if responder is not None:
            responder.close(with_bye=False)
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def come_up(self) -> None:
        """Be there again, at the same address, as when the network was gone."""
        self._come_up()

    def reboot(self) -> None:
        """Be away and back; state that is not kept over a reboot is gone."""
        self._say_bye()
        self.go_down()
        with self._machine.lock:
            self.state.reboots += 1
            self.state.stop(self._machine.now_s())
        self._come_up(is_rebooted=True)

    def move_to(self, address: str, port: int = 0) -> None:
        """Be at another address from now on; 0 takes any free port. `url` says where."""
        self.go_down()
        self._address, self._port = address, port
        self._machine.metadata_version += 1
        self._come_up()

    @property
    def _place(self) -> str:
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"{host}:{self._port}"

    def _come_up(self, *, is_rebooted: bool = False) -> None:
        self._machine.pull_points.come_up(is_rebooted=is_rebooted)
        try:
            self._server = HttpServer(self._address, self._port, self._machine.vendor.server, self._answer, tls=self._tls)
        except OSError as error:
            raise ConfigError(f"{self._place} cannot be used: {error.strerror}", remedy="name another --address or --port") from error
        self._port = self._server.port
        if self._is_found:
            place, interface = self._address, self._discovery_interface
            try:
                self._responder = DiscoveryResponder(self._machine, place, self.discovery_port, self._url_over, interface=interface)
            except ConfigError:
                self.go_down()
                raise
            self.discovery_port = self._responder.port

    def _url_over(self, address: str) -> str:
        """The URL that is told to who asks over `address`; a camera at all addresses names that one."""
        return self.url if self._address != "0.0.0.0" else self.url.replace("0.0.0.0", address, 1)  # noqa: S104 - all of them

    def _answer(self, request: Request) -> Answer:
        server = self._server
        leaving = server.leaving if server is not None else self._stop
        named = request.headers.get("host") or self._place
        return self._answering.answer(request, leaving, is_tls=self._tls is not None, address=named)

    def _reboot_soon(self) -> None:
        self._reboot_asked.set()

    def _live(self) -> None:
        """Reboots when a client has asked for it, after the answer has gone out."""
        clock = self._machine.clock
        while not self._stop.is_set():
            self._reboot_asked.wait()
            self._reboot_asked.clear()
            if clock.wait(self._stop, _REBOOT_S / 4):
                return
            self._say_bye()
            self.go_down()
            if clock.wait(self._stop, _REBOOT_S):
                return
            self.reboot()


def _state(username: str, password: str, identity: DeviceIdentity, most: Ability | None, *, is_armed: bool) -> SimulatedState:
    return SimulatedState(
        users={username: password},
        hostname=f"{identity.vendor}-{identity.serial[-6:]}".lower().replace(" ", "-"),
        most=most,
        rules=first_rules(most, is_armed=is_armed),
        modules=first_modules(most, is_armed=is_armed),
        ntp="pool.ntp.org",
        dns=["192.0.2.53"],
        gateway="192.0.2.1",
        presets={"1": Preset("Square", -0.5, 0.1, 0.0), "2": Preset("Bridge", 0.4, -0.2, 0.3)},
        relays={"RelayOutput_1": False},
        inputs={"DigitalInput_1": False, "DigitalInput_2": False},
        imaging={"Brightness": 50.0, "ColorSaturation": 50.0, "Contrast": 50.0, "Sharpness": 50.0, "IrCutFilter": "AUTO"},
    )
