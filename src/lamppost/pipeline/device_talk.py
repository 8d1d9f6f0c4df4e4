"""A conversation with the device of one camera: in ONVIF first, and in its maker's own way where that says more or ONVIF says nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from dataclasses import asdict
from typing import Any

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, UnreadableReply
from lamppost.cameras.dialects.dialect import DeviceHealth, Dialect
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.events import PullPoint
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.cameras.web import DeviceWeb
from lamppost.model.devices import DeviceEvent, DeviceIdentity, StreamProfile
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.device_access import device_password, device_user, device_web


class DeviceTalk:
    """Talks with one device, in one thread at a time; a context manager. Each method raises `CameraError`."""

    def __init__(
        self,
        web: DeviceWeb,
        clock: Clock,
        *,
        username: str = "",
        password: str = "",
        known: DeviceIdentity | None = None,
    ) -> None:
        self._web = web
        self._clock = clock
        self._known = known
        self._onvif: OnvifDevice | None = OnvifDevice(web, clock, web.address.host, username=username, password=password)
        self._dialect: Dialect | None = None
        self._events: PullPoint | None = None
        self._dropped_before = 0

    def __enter__(self) -> DeviceTalk:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def dropped(self) -> int:
        """Messages that were not read."""
        return self._dropped_before + (self._events.dropped if self._events is not None else 0)

    @property
    def has_signed_in(self) -> bool:
        """Whether the device has asked who we are, and was content with the answer, over HTTP or in a message."""
        return self._web.has_signed_in or (self._onvif is not None and self._onvif.soap.has_signed_in)

    def identity(self) -> DeviceIdentity:
        """Who it says it is."""
        if self._onvif is not None:
            try:
                identity = self._onvif.identity()
            except CameraUnreachable:
                raise
            except CameraError as error:
                # Many devices keep users of ONVIF apart; no more ways are tried than one, for some lock who tries too often.
                return self._by_its_dialect(error)
            self._dialect = next((dialect for dialect in DIALECTS if dialect.speaks(identity)), None)
            return identity
        return self._by_its_dialect(None)

    def sign_in(self) -> bool:
        """Ask who it is, and, where it tells that to everybody, what it tells to few: whether it wanted our password, and took it.

        Raises `CameraRefused` where it did not take it.
        """
        self.identity()
        if not self.has_signed_in and self._onvif is not None:
            try:
                self._onvif.users()
            except SoapFault as fault:
                if not fault.is_refusal:
                    raise
                raise CameraRefused(fault.problem, remedy="give user and password of its administrator") from None
        return self.has_signed_in

    def _by_its_dialect(self, error: CameraError | None) -> DeviceIdentity:
        fitting = [dialect for dialect in DIALECTS if self._known is not None and dialect.speaks(self._known)]
        if not fitting and not isinstance(error, CameraRefused):
            fitting = list(DIALECTS)
        for dialect in fitting:
            identity = dialect.identify(self._web)
            if identity is not None:
                self._onvif, self._dialect = (None if error is not None else self._onvif), dialect
                return identity
        raise error or UnreadableReply("it answers in no way that we know", remedy="is ONVIF switched on there?")

    def profiles(self) -> tuple[StreamProfile, ...]:
        """What streams it has; none where it does not say in ONVIF."""
        if self._onvif is None:
            return ()
        with _but_there():
            return self._onvif.profiles()
        return ()

    def health(self) -> Mapping[str, Any]:
        """As the device book keeps it; None where the device does not say."""
        document: dict[str, Any] = {"clock_offset_s": None, "ntp": None}
        if self._onvif is not None:
            with _but_there():
                document["clock_offset_s"] = self._onvif.clock_offset_s()
            with _but_there():
                document["ntp"] = ", ".join(self._onvif.ntp())[:200] or None
        health = DeviceHealth()
        if self._dialect is not None:
            with _but_there():
                health = self._dialect.health(self._web)
        return document | asdict(health)

    def listen(self, timeout_s: float) -> tuple[DeviceEvent, ...]:
        """What it has told since the last call; the first one begins to listen."""
        if self._onvif is None:
            raise UnreadableReply("it tells nothing: it does not speak ONVIF")
        try:
            if self._events is None:
                events = PullPoint(self._onvif, self._clock)
                events.open()
                self._events = events
            return self._events.pull(timeout_s)
        except CameraError:
            self._stop_listening(is_lost=True)
            raise

    def set_password(self, username: str, new: str) -> None:
        """Have the device take another password; raises `UnreadableReply` where it cannot be had in ONVIF."""
        if self._onvif is None:
            raise UnreadableReply("its password cannot be changed from here: it does not speak ONVIF", remedy="change it on the device")
        self._onvif.set_password(username, new)

    def close(self) -> None:
        """Stop listening, and hang up."""
        self._stop_listening(is_lost=False)
        self._web.close()

    def _stop_listening(self, *, is_lost: bool) -> None:
        events, self._events = self._events, None
        if events is None:
            return
        self._dropped_before += events.dropped
        if not is_lost:
            with contextlib.suppress(CameraError):
                events.close()


@contextlib.contextmanager
def _but_there() -> Generator[None]:
    """What a device does not answer is not known; but one that is gone is gone."""
    try:
        yield
    except CameraUnreachable:
        raise
    except CameraError:
        return


def open_talk(
    camera: CameraSettings, settings: Settings, clock: Clock, password: str | None, *, known: DeviceIdentity | None = None, **options: Any
) -> DeviceTalk:
    """A conversation with a configured camera's device; close it. Raises `ConfigError` where it has none."""
    web = device_web(camera, settings, clock, password, **options)
    return DeviceTalk(web, clock, username=device_user(camera), password=device_password(camera, password), known=known)
