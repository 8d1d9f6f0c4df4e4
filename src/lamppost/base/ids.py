"""Names and identifiers: random where they must not tell anything."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime

from lamppost.base.errors import ConfigError

AGE_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}")  # an X25519 recipient in Bech32, checksum unchecked
_CAMERA_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def check_camera_name(name: str) -> str:
    """Return `name`, or raise `ConfigError`: it becomes a folder and a part of a URL."""
    if not _CAMERA_NAME.fullmatch(name):
        raise ConfigError(
            f"camera name {name!r} cannot be used",
            remedy="use 1 to 63 lower-case letters, digits and hyphens, such as 'plaza-north'",
        )
    return name


def timed_id(wall_us: int) -> str:
    """An id that sorts by its UTC second and is unique by 32 random bits."""
    return f"{compact_utc(wall_us)}-{secrets.token_hex(4)}"


def compact_utc(wall_us: int) -> str:
    """`20261123T100000Z`: a UTC time to the second that fits a file name."""
    return f"{datetime.fromtimestamp(wall_us // 1_000_000, UTC):%Y%m%dT%H%M%SZ}"
