"""Gets a model's file from its source or a mirror: bounded in size and time, and checked before anybody sees it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Final, cast
from urllib.parse import urljoin, urlsplit

from lamppost.base.clock import Clock
from lamppost.base.errors import ModelError
from lamppost.base.logging import redact
from lamppost.detect.entry import ModelEntry
from lamppost.detect.weights_file import MOST_BYTES, check_hash, read_bounded

SILENCE_S: Final = 20.0  # of the other side
DEADLINE_S: Final = 600.0  # for the whole file
_MOST_REDIRECTS: Final = 5
_PIECE: Final = 256 * 1024


def fetch(entry: ModelEntry, mirror: str | None, clock: Clock, *, most_bytes: int = MOST_BYTES) -> bytes:
    """The model's bytes, of the pinned hash, from `mirror` (a folder or an http(s) URL), or from the entry's source.

    Raises `ModelError`: with one line for what failed, the address without secrets.
    """
    if mirror and "://" not in mirror:
        place = Path(mirror) / entry.file
        content, where = read_bounded(entry, place, f"put {entry.file} into the mirror"), str(place)
    else:
        where = f"{mirror.rstrip('/')}/{entry.file}" if mirror else entry.source_url
        content = _download(entry, where, clock, most_bytes)
    check_hash(entry, content, redact(where))
    return content


def _download(entry: ModelEntry, url: str, clock: Clock, most_bytes: int) -> bytes:
    shown = redact(url)
    remedy = "is the network there? LAMPPOST_MODEL_MIRROR names a folder or a URL to take models from instead"
    _check_address(entry, url)
    deadline_s = clock.monotonic_s() + DEADLINE_S
    try:
        with _opener().open(url, timeout=SILENCE_S) as reply:
            return _read(entry, cast(http.client.HTTPResponse, reply), shown, clock, deadline_s, most_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        raise ModelError(f"model {entry.name}: {shown} answers {error.code}: {_one_line(error.reason)}", remedy=remedy) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise ModelError(f"model {entry.name}: {shown} cannot be fetched: {_one_line(reason)}", remedy=remedy) from error


def _check_address(entry: ModelEntry, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ModelError(
            f"model {entry.name}: {redact(url)} is no address to take a model from",
            remedy="a mirror is a folder, or an http:// or https:// URL without a user name",
        )


def _read(entry: ModelEntry, reply: http.client.HTTPResponse, shown: str, clock: Clock, deadline_s: float, most_bytes: int) -> bytes:
    content = bytearray()
    expected = reply.length  # as the other side says; None when it does not
    while piece := reply.read1(_PIECE):
        content += piece
        if len(content) > most_bytes:
            raise ModelError(f"model {entry.name}: {shown} sends more than {most_bytes} bytes", remedy="it is no file of the catalogue")
        if clock.monotonic_s() > deadline_s:
            raise ModelError(f"model {entry.name}: {shown} takes more than {DEADLINE_S:g} s", remedy="try again, or use a mirror")
    if expected is not None and len(content) != expected:
        raise ModelError(f"model {entry.name}: {shown} ended after {len(content)} of {expected} bytes", remedy="try again")
    return bytes(content)


def _one_line(reason: object) -> str:
    return redact(" ".join(str(reason).split()))[:200]


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect from https to https, a few times, and no other."""

    max_redirections = _MOST_REDIRECTS

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The next request; raises `HTTPError` where the way is not https from end to end."""
        target = urljoin(req.full_url, newurl)
        if urlsplit(req.full_url).scheme != "https" or urlsplit(target).scheme != "https":
            raise urllib.error.HTTPError(req.full_url, code, "a redirect is followed from https to https alone", headers, fp)
        return urllib.request.Request(target, headers=dict(req.headers), method="GET")  # noqa: S310 - https, see above


def _opener() -> urllib.request.OpenerDirector:
    """Of urllib's ways just these: no file:, no ftp:, no cookies, no passwords from elsewhere."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),  # what the machine's environment says
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        SafeRedirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener
