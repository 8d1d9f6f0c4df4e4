"""Structured logs on standard error, with every secret cut out at the sink.

Redaction sits here, at the last step before a line is written, so that no
caller has to think of it; `redact` serves children's standard error as well.
The library is imported with the first logger: a command that logs nothing does not wait for it.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TextIO, cast

# user:password@ in any URL; the user stays readable, since operators look for it.
_URL_SECRET = re.compile(r"(?P<head>[a-z][a-z0-9+.-]*://[^\s/:@'\"]*):(?P<secret>[^\s'\"]*)@(?=[^\s@]*)", re.IGNORECASE)
_KEY_SECRET = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+", re.IGNORECASE)
# Some cameras want it within the path, as `user=admin_password=…_channel=1.sdp`: an underscore begins a word as well.
_NAMED_SECRET = re.compile(
    r"(?<![a-z0-9])(password|passwd|pwd|token|secret|authorization)(['\"]?\s*[=:]\s*)(?!\*)([^\s&,;]+)", re.IGNORECASE
)

_SECRET_NAME = re.compile(r"(?:.*_)?(?:password|passwd|pwd|token|secret|authorization)", re.IGNORECASE)
_MAX_DEPTH = 6


def redact(text: str) -> str:
    """`text` without passwords in URLs, age identities and `password=…` values."""
    text = _URL_SECRET.sub(r"\g<head>:***@", text)
    text = _KEY_SECRET.sub("AGE-SECRET-KEY-1***", text)
    return _NAMED_SECRET.sub(r"\1\2***", text)


def _redact_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        event[key] = _clean(key, value, _MAX_DEPTH)
    return event


def _clean(name: object, value: Any, depth: int) -> Any:
    """`value` of a field `name` without secrets, also within what it holds."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(name, str) and _SECRET_NAME.fullmatch(name):
        return "***"
    if isinstance(value, Mapping) and depth:
        return {key: _clean(key, item, depth - 1) for key, item in cast("Mapping[object, Any]", value).items()}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_clean(None, item, depth - 1) for item in cast("Iterable[Any]", value)]
    return redact(str(cast(object, value)))


class _LastingStderr:
    """Standard error of a process that goes on when nobody reads it any more."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            return sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def configure_logging(*, process: str, level: str = "info", as_json: bool = False) -> None:
    """Set up logging for this process; every line carries its name."""
    import structlog

    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=32)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_event,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _LastingStderr())),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def get_logger(room: str) -> Any:
    """A logger for one room, e.g. `get_logger("record")`; sets logging up where nobody has."""
    import structlog

    if not structlog.is_configured():
        # Never as structlog would by itself: on standard output, which a script may read as JSON, and with secrets in it.
        configure_logging(process="lamppost")
    return structlog.get_logger(room=room)
