"""Looks at the device of one camera now, for somebody who asks: who it is, its streams, how it is; all of it is kept in the device book."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraUnreachable
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.device_access import DeviceExchanged, device_address
from lamppost.pipeline.device_talk import open_talk
from lamppost.store.device_book import DeviceBook

EXCHANGED: Final = "another device is there than the known one"


def look_at_device(
    camera: CameraSettings,
    settings: Settings,
    password: str | None,
    book: DeviceBook,
    clock: Clock,
    *,
    is_accepted: bool = False,
    first: Callable[[], object] = lambda: None,
) -> None:
    """Ask it, and keep what it says. `first` puts it on the record before it is asked.

    Raises `CameraError`, `DeviceExchanged` unless `is_accepted`, `ConfigError` for a camera without a device, and `StoreError`.
    """
    address = device_address(camera)
    known = book.device(camera.name)
    first()
    with open_talk(camera, settings, clock, password, known=known.identity if known is not None else None) as talk:
        identity = talk.identity()
        if known is not None and known.identity.is_another(identity) and not is_accepted:
            raise DeviceExchanged(
                f"{EXCHANGED}: it has the number {(identity.serial or identity.mac)[:64]}",
                remedy="if it was exchanged on purpose, accept it; else somebody has swapped it",
            )
        book.remember(camera.name, identity, str(address), clock.wall_us())
        try:
            book.keep_profiles(camera.name, talk.profiles(), clock.wall_us())
            book.note_health(camera.name, talk.health(), clock.wall_us())
        except CameraUnreachable as error:
            raise CameraUnreachable(f"it went away while it was asked: {error.problem}", remedy="ask it again") from error
