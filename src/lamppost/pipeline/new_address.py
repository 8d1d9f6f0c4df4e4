"""Writes a camera's new address into the configuration: hosts change, and nothing else of its addresses does.

Whoever is there has proved little, so that it does not get the password itself: with the address, `allow_basic` becomes false.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lamppost.base.errors import ConfigChanged, ConfigError
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile

STREAM_ADDRESSES: Final = ("url", "sub_url")
ADDRESSES: Final = (*STREAM_ADDRESSES, "device_url")
_ATTEMPTS: Final = 3


def host_of(url: str) -> str:
    """The host that a URL names, lower case; empty where it names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def with_host(url: str, old: str, new: str) -> str:
    """`url` with the host `new` where it names `old`: user, port, path and query stay to the letter."""
    if host_of(url) != old.lower():
        return url
    scheme, slashes, rest = url.partition("://")
    end = next((at for at, character in enumerate(rest) if character in "/?#"), len(rest))
    place, tail = rest[:end], rest[end:]
    user, at, host_port = place.rpartition("@")
    port = host_port.partition("]")[2] if host_port.startswith("[") else "".join(host_port.partition(":")[1:])
    host = f"[{new}]" if isinstance(ip_address(new.partition("%")[0]), IPv6Address) else new
    return f"{scheme}{slashes}{user}{at}{host}{port}{tail}"


def moved(camera: CameraSettings, old: str, new: str) -> dict[str, str]:
    """The addresses of a camera that change when its host `old` is `new`."""
    fields: dict[str, str] = {}
    for key in ADDRESSES:
        url = getattr(camera, key)
        if url is not None and (changed := with_host(url, old, new)) != url:
            fields[key] = changed
    return fields


def write_new_address(config: Path, camera: str, old: str, new: str, *, first: Callable[[], object]) -> bool:
    """Have the configuration name the new address; `first` puts it on the record before it is so.

    False where the configuration says something else than `old` by now. Raises `ConfigError` and `StoreError` where it cannot be written.
    """
    for _ in range(_ATTEMPTS):
        file = ConfigFile(config)
        known = file.camera(camera)
        fields = moved(known, old, new) if known is not None else {}
        if not fields:
            return False
        is_readable = any(urlsplit(fields.get(key, "")).scheme == "rtsp" for key in STREAM_ADDRESSES)
        file.set(camera, {**fields, "allow_basic": False} if is_readable else fields)
        try:
            file.replace(first=first)
        except ConfigChanged:
            continue
        return True
    raise ConfigError(f"others are changing {config} just now", remedy="it is tried again soon")
