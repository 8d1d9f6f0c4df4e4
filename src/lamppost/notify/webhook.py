"""Sends notices as signed HTTP requests.

Connects to the host of its address and to no other: redirects are not followed, and no proxy, password or
certificate is taken from the environment. Of an answer only the status counts.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from lamppost import __version__
from lamppost.base.clock import US_PER_S, Clock, SystemClock
from lamppost.base.errors import CarrierDown, NoticeRefused
from lamppost.model.carriers import NotifySettings
from lamppost.notify.carrier import read_secret
from lamppost.notify.notice import Notice
from lamppost.notify.signature import HEADER, sign
from lamppost.notify.tls import tls_context

CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
LEAST_SECRET: Final = 16
_CHUNKS_READ: Final = 4  # of the answer's body: enough to use the connection again, too few to be held up by
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_OVERLOADED: Final = frozenset({429, 502, 503, 504})


class WebhookCarrier:
    """Posts each notice to one address; 2xx means that it is delivered."""

    def __init__(self, settings: NotifySettings, *, clock: Clock | None = None) -> None:
        if settings.url is None or settings.secret_file is None:
            raise ValueError("a webhook has an address and a secret")
        self._settings = settings
        self._url = httpx.URL(settings.url)
        self._secret_file = settings.secret_file
        self._clock = clock or SystemClock()
        self._client: httpx.Client | None = None
        # Of the address, host and port alone may be shown: the rest is a key at many services.
        self._place = f"{self._url.scheme}://{self._url.netloc.decode('ascii')}"

    def open(self) -> None:
        if self._client is None:
            self._client = httpx.Client(
                verify=tls_context(self._settings) if self._url.scheme == "https" else True,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=15.0),
            )

    def send(self, notice: Notice) -> None:
        self.open()
        if self._client is None:
            raise CarrierDown("it is not open")
        # Read each time: a secret that was changed counts at once.
        secret = read_secret(self._secret_file, "secret_file", least=LEAST_SECRET)
        now_s = self._clock.wall_us() // US_PER_S
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"lamppost/{__version__}",
            "Lamppost-Id": notice.id,
            "Lamppost-Timestamp": str(now_s),
            HEADER: sign(secret, notice.body, now_s),
        }
        with self._told(), self._client.stream("POST", self._url, content=notice.body, headers=headers) as answer:
            status, retry_after = answer.status_code, answer.headers.get("Retry-After", "")
            with contextlib.suppress(httpx.HTTPError):  # the status was all that counts
                for _ in itertools.islice(answer.iter_raw(), _CHUNKS_READ):
                    pass
        self._judge(status, retry_after)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _judge(self, status: int, retry_after: str) -> None:
        if 200 <= status < 300:
            return
        problem = f"{self._place} answers with status {status}"
        if 300 <= status < 400:
            raise CarrierDown(problem, remedy="redirects are not followed: write the address that it points to")
        if 400 <= status < 500 and status not in _TRY_AGAIN:
            raise NoticeRefused(problem)
        raise CarrierDown(problem, retry_after_s=self._seconds(retry_after), is_about_all=status in _OVERLOADED)

    def _seconds(self, retry_after: str) -> float:
        """Of a `Retry-After` header: seconds or a date (RFC 9110, 10.2.3); 0 where it says nothing that can be read."""
        text = retry_after.strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self._clock.wall_us() / US_PER_S)
        except (ValueError, TypeError, OverflowError):
            return 0.0

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        """Turn the library's errors into ours, in words that hold nothing of the address but host and port."""
        try:
            yield
        except httpx.ConnectTimeout as error:
            raise CarrierDown(f"{self._place} cannot be reached within {CONNECT_S:g} s") from error
        except httpx.TimeoutException as error:
            raise CarrierDown(f"{self._place} does not answer within {ANSWER_S:g} s", is_about_all=False) from error
        except httpx.ConnectError as error:
            raise CarrierDown(f"{self._place} cannot be reached: {error}") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise CarrierDown(f"{self._place} breaks off: {type(error).__name__}", is_about_all=False) from error
        except httpx.InvalidURL as error:
            raise CarrierDown(f"{self._place} is no address that can be used") from error
