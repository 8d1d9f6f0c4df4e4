"""Knows which head turns a camera's picture, and whose pictures a head turns: recorders and many-eyed cameras have several of both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from urllib.parse import parse_qsl, urlsplit

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.model.devices import StreamProfile
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.device_access import device_address


def head_of(camera: CameraSettings, profiles: Sequence[StreamProfile]) -> StreamProfile:
    """The profile by which a camera's picture is turned; raises `ConfigError` where there is none, or no telling which."""
    turning = [profile for profile in profiles if profile.has_ptz]
    if not turning:
        raise ConfigError(f"camera {camera.name} does not turn: none of its profiles has PTZ")
    own = _profiles_of(camera, profiles)
    sources = _sources(camera, profiles)
    found = [profile for profile in turning if profile in own] or [profile for profile in turning if profile.source in sources]
    if found:
        return found[0]
    if sources:
        raise ConfigError(f"camera {camera.name} does not turn: the head of its device turns another picture")
    if len({profile.source for profile in turning}) > 1:
        problem = f"camera {camera.name} is not turned: its device has several heads, and none is known to be its own"
        raise ConfigError(problem, remedy="give it the url by which the device itself names the stream")
    return turning[0]


def turned_with(
    camera: CameraSettings, cameras: Iterable[CameraSettings], profiles_of: Callable[[str], Sequence[StreamProfile]]
) -> tuple[str, ...]:
    """The cameras whose pictures its head may turn: itself, and those of its device that are not known to have another source."""
    host = _host(camera)
    sources = _sources(camera, profiles_of(camera.name))
    found = [camera.name]
    for other in cameras:
        if other.name == camera.name or not host or _host(other) != host:
            continue
        theirs = _sources(other, profiles_of(other.name))
        if not (sources and theirs and sources.isdisjoint(theirs)):
            found.append(other.name)
    return tuple(found)


class HeadCover:
    """Covers all pictures that a head turns. Safe from any thread.

    One picture may be turned by the helms of several cameras: it is covered until the last of them has done.
    """

    def __init__(self, cover: Callable[[str, float], None], turned: Callable[[str], Collection[str]], clock: Clock) -> None:
        self._cover = cover
        self._turned = turned
        self._clock = clock
        self._until_s: dict[str, dict[str, float]] = {}
        self._mutex = threading.Lock()  # until it is covered: what is asked for later must not be said earlier

    def cover(self, camera: str, for_s: float) -> None:
        """As `Covering.cover`, for the head of `camera`; returns once all are covered."""
        pictures = self._turned(camera)
        with self._mutex:
            for picture in pictures:
                now_s = self._clock.monotonic_s()
                others = {helm: s for helm, s in self._until_s.get(picture, {}).items() if s > now_s and helm != camera}
                # Kept where it fails as well: it may have been heard.
                self._until_s[picture] = others | {camera: now_s + for_s}
                self._cover(picture, max([for_s, *(until_s - now_s for until_s in others.values())]))


def _host(camera: CameraSettings) -> str:
    """Where its device is; empty where it has none that could be asked."""
    try:
        return device_address(camera).host if camera.has_device else ""
    except ConfigError:
        return ""


def _sources(camera: CameraSettings, profiles: Sequence[StreamProfile]) -> set[str]:
    return {profile.source for profile in _profiles_of(camera, profiles)} - {""}


def _profiles_of(camera: CameraSettings, profiles: Sequence[StreamProfile]) -> list[StreamProfile]:
    """Those whose stream a camera gets: the same path, and nothing asked for otherwise. Devices name more than people write."""
    wanted = [_place(url) for url in (camera.url, camera.sub_url) if url]
    return [
        profile
        for profile in profiles
        if any(path == place and query <= options for path, query in wanted for place, options in [_place(profile.stream_url)])
    ]


def _place(url: str) -> tuple[str, set[tuple[str, str]]]:
    parts = urlsplit(url)
    return parts.path.rstrip("/"), set(parse_qsl(parts.query, keep_blank_values=True))
