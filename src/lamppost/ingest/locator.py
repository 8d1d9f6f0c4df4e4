"""Reads what the operator wrote as a camera's address, and lets only four kinds of it through."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from lamppost.base.errors import ConfigError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
# `user=admin_password=…_channel=1.sdp` is how one large family of recorders writes its path.
_NAMED_SECRET = re.compile(r"(?<![a-z0-9])(pass(?:word|wd)?|pwd|token|secret|key|auth)=[^&]*", re.IGNORECASE)
_REMEDY = "use rtsp://, rtsps://, sim:// or file:PATH"


class Scheme(StrEnum):
    """Where video may come from."""

    RTSP = "rtsp"
    RTSPS = "rtsps"
    FILE = "file"
    SIM = "sim"


@dataclass(frozen=True, slots=True)
class Locator:
    """An address taken apart.

    `shown` is safe to print. User, password and `request_url` (which carries
    neither, but whose path may hold what some cameras take for a password) are
    left out of `repr`. `port` is 0 where none is given.
    """

    scheme: Scheme
    shown: str
    path: str = ""
    options: tuple[tuple[str, str], ...] = ()
    host: str = ""
    port: int = 0
    request_url: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def option(self, name: str, default: str) -> str:
        return dict(self.options).get(name, default)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """The whole number `name`; raises `ConfigError` when it is none or out of range."""
        text = self.option(name, str(default))
        if not re.fullmatch(r"-?[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ConfigError(f"{self.shown}: {name}={text} cannot be used", remedy=f"{name} is a whole number from {least} to {most}")
        return int(text)

    def check_options(self, known: frozenset[str]) -> None:
        """Raise `ConfigError` when an option is not among `known`."""
        for name, _ in self.options:
            if name not in known:
                raise ConfigError(f"{self.shown}: unknown option {name!r}", remedy=f"known options: {', '.join(sorted(known))}")


def parse_locator(url: str, *, username: str | None = None, password: str | None = None) -> Locator:
    """Take `url` apart; a plain path means a file.

    `username` and `password` win over those in the URL. Raises `ConfigError`
    for any other scheme and for a URL without host; no message of it holds what
    may be a password.
    """
    match = _SCHEME.match(url)
    if match is None:
        return Locator(Scheme.FILE, f"file:{url}", path=url)
    name = match[1].lower()
    if name not in set(Scheme):
        raise ConfigError(f"a camera's address cannot begin with {name}:", remedy=_REMEDY)
    scheme = Scheme(name)
    if scheme is Scheme.FILE:
        return _file_locator(url[match.end() :])
    parts, host, port = _split(url, name)
    bare = f"[{host}]" if ":" in host else host
    if scheme is Scheme.SIM:
        return Locator(scheme, url, path=bare, options=tuple(parse_qsl(parts.query, keep_blank_values=True)))
    place = bare if port is None else f"{bare}:{port}"
    return Locator(
        scheme,
        urlunsplit((name, place, _NAMED_SECRET.sub(r"\1=***", parts.path), _NAMED_SECRET.sub(r"\1=***", parts.query), "")),
        host=host,
        port=port or 0,
        request_url=urlunsplit((name, place, parts.path, parts.query, "")),
        username=username if username is not None else unquote(parts.username or ""),
        password=password if password is not None else unquote(parts.password or ""),
    )


def check_transport(locator: Locator, transport: str, certificate_sha256: str | None) -> None:
    """Raise `ConfigError` where the address cannot be had in this way."""
    if locator.scheme is Scheme.RTSPS and transport == "udp":
        raise ConfigError(f"{locator.shown}: over UDP the video would not be encrypted", remedy='set transport = "tcp", or use rtsp://')
    if locator.scheme is Scheme.RTSP and certificate_sha256 is not None:
        raise ConfigError(f"{locator.shown}: without TLS there is no certificate", remedy="use rtsps://, or leave certificate_sha256 out")


def _split(url: str, name: str) -> tuple[SplitResult, str, int | None]:
    # Raised outside the handler: a ValueError of urlsplit may quote the password.
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or not host:
        raise ConfigError(f"the {name} address has no valid host and port", remedy=f"write {name}://HOST:PORT/PATH")
    return parts, host, port


def _file_locator(rest: str) -> Locator:
    path, _, query = rest.partition("?")
    if path.startswith("//"):
        path = re.sub(r"^//(localhost)?(?=/)", "", path)
    if not path:
        raise ConfigError("the address file: names no file", remedy="write file:PATH, such as file:clips/plaza.mp4?loop=1")
    name = unquote(path) if "%" in path else path
    if "\0" in name:
        raise ConfigError("the address file: holds the character NUL", remedy="no file name does")
    return Locator(Scheme.FILE, f"file:{path}", path=name, options=tuple(parse_qsl(query)))
