"""Reads where a device is asked: settings and connections by the same words, so that nothing is accepted that could never be asked."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from lamppost.base.errors import ConfigError
from lamppost.base.names import is_host

PORTS: Final = MappingProxyType({"http": 80, "https": 443})
_LONGEST: Final = 2048
_NO_ADDRESS: Final = "write http://HOST[:PORT] or https://HOST[:PORT], without a user"
# Python's parser leaves such characters out in silence; whoever else reads the address may not.
_LEFT_OUT: Final = re.compile(r"[\s\\]")


def split_device_url(url: str) -> tuple[str, str, int]:
    """Scheme, host and port that `url` names, whatever path follows; raises `ConfigError`, whose text holds nothing of `url`."""
    parts, host, port = None, None, None
    if len(url) <= _LONGEST and url.isascii() and url.isprintable() and not _LEFT_OUT.search(url):
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None  # not told from within: a ValueError of urlsplit may quote a password
    if parts is None or parts.scheme not in PORTS or not host or "@" in parts.netloc or port == 0 or not is_host(host):
        raise ConfigError("this is no address of a device", remedy=_NO_ADDRESS)
    return parts.scheme, host, port or PORTS[parts.scheme]
