"""Serves the built console at `/`: whatever no route answers is one of its files, or one of its pages.

A page of the console is an address such as `/cameras/plaza`; the browser gets
`index.html` for all of them and finds the page itself. Files below `assets/`
carry a hash of their content in their name and never change, so a browser
keeps them for a year; everything else is asked for anew each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.datastructures import Headers
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lamppost.api.headers import POLICY

FOLDER: Final = Path(__file__).with_name("console")
INDEX: Final = "index.html"
FOREVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
_NOT_PAGES: Final = ("/api", "/healthz", "/readyz", "/metrics", "/openapi.json")
# What the build packed beside each file, the smallest first, and the name that a browser has for it.
_PACKED: Final = ((".br", "br"), (".gz", "gzip"))
_LONGEST: Final = 512
# Not those of the machine, which differ from one to the next.
_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".md": "text/plain",
    ".woff2": "font/woff2",
    ".png": "image/png",
}
_REFUSED: Final = re.compile(r"q=0(\.0*)?")
_NOT_BUILT: Final = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Lamppost</title><meta name="color-scheme" content="light dark"></head>
<body>
<h1>The console is not built</h1>
<p>Lamppost runs and its API answers, but this installation holds no console.
Run <code>make console</code> in the source tree, and load this page again.</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class ConsoleFile:
    """One file as it is sent: perhaps a packed one, under the media type of what it is unpacked."""

    path: Path
    media_type: str
    encoding: str
    cache: str

    def response(self) -> Response:
        headers = {"Cache-Control": self.cache, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        if self.encoding:
            headers["Content-Encoding"] = self.encoding
        if self.path.name.startswith(INDEX):
            headers |= {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}
        return FileResponse(self.path, media_type=self.media_type, headers=headers)


def install_console(app: FastAPI, folder: Path = FOLDER) -> None:
    """Answer with the console where no route of `app` does; what the API does not know stays unknown."""
    unknown = app.router.default

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        response = await run_in_threadpool(_answer, folder, scope) if scope["type"] == "http" else None
        next_app: ASGIApp = response or unknown
        await next_app(scope, receive, send)

    app.router.default = answer


def _answer(folder: Path, scope: Scope) -> Response | None:
    path: str = scope["path"]
    if scope["method"] not in ("GET", "HEAD") or any(path == prefix or path.startswith(prefix + "/") for prefix in _NOT_PAGES):
        return None
    accepted = _accepted(Headers(scope=scope))
    found = find_file(folder, path, accepted)
    if found is None and "." in path.rsplit("/", 1)[-1]:
        return None  # a file that is not there: a page's address has no dot
    found = found or find_file(folder, INDEX, accepted)
    return found.response() if found else HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})


def find_file(folder: Path, name: str, accepted: Iterable[str] = ()) -> ConsoleFile | None:
    """The file of that name below `folder`, packed in a way that is `accepted` if there is one; nothing outside of it, nothing hidden."""
    parts = name.strip("/").split("/")
    if len(name) > _LONGEST or any(not part or part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    path = folder.joinpath(*parts)
    if not path.is_file():
        return None
    media_type = _MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    cache = FOREVER if parts[0] == "assets" else ASK_AGAIN
    for suffix, encoding in _PACKED:
        packed = path.with_name(path.name + suffix)
        if encoding in accepted and packed.is_file():
            return ConsoleFile(packed, media_type, encoding, cache)
    return ConsoleFile(path, media_type, "", cache)


def _accepted(headers: Headers) -> frozenset[str]:
    """The encodings that a browser takes."""
    named = (entry.replace(" ", "").partition(";") for entry in headers.get("accept-encoding", "").split(","))
    return frozenset(name.lower() for name, _, quality in named if not _REFUSED.fullmatch(quality))
