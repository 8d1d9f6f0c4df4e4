"""A model comes from a folder or an address, within bounds, and only when it is the pinned one."""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import http.server
import io
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import ModelError
from lamppost.detect import fetching
from lamppost.detect.catalogue import YUNET_N
from lamppost.detect.fetching import SafeRedirects, fetch

CONTENT = b"weights of a model" * 5000
ENTRY = dataclasses.replace(YUNET_N, sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve():
    """Start a server on the loopback whose answer is what is given; gives its address and the paths that it was asked for."""
    servers = []

    def start(answer: Callable[[http.server.BaseHTTPRequestHandler], None]):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                answer(self)

            def log_message(self, *_arguments):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}", asked

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(content=CONTENT, status=200, length=None, **headers):
    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def refused(*arguments, **more):
    with pytest.raises(ModelError) as caught:
        fetch(*arguments, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_serves(tmp_path):
    (tmp_path / ENTRY.file).write_bytes(CONTENT)
    assert fetch(ENTRY, str(tmp_path), SystemClock()) == CONTENT


@pytest.mark.parametrize("tail", ["/models", "/models/"])
def test_an_address_serves(serve, tail):
    url, asked = serve(reply())
    assert fetch(ENTRY, url + tail, SystemClock()) == CONTENT
    assert asked == [f"/models/{ENTRY.file}"]


def test_a_file_of_another_hash_is_refused_wherever_it_comes_from(serve, tmp_path):
    (tmp_path / ENTRY.file).write_bytes(CONTENT + b"!")
    url, _ = serve(reply(CONTENT + b"!"))
    for mirror in (str(tmp_path), url):
        assert "is not the pinned file" in refused(ENTRY, mirror, SystemClock())


def test_what_the_folder_lacks_is_told(tmp_path):
    assert f"put {ENTRY.file} into the mirror" in refused(ENTRY, str(tmp_path), SystemClock())


@pytest.mark.parametrize("length", [None, 10])
def test_no_more_is_read_than_is_allowed(serve, length):
    url, _ = serve(reply())
    assert "sends more than 1000 bytes" in refused(ENTRY, url, SystemClock(), most_bytes=1000)


def test_an_answer_without_a_length_is_bounded_too(serve):
    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b"x" * 10_000)
        except OSError:
            pass

    url, _ = serve(endless)
    assert "sends more than 50000 bytes" in refused(ENTRY, url, SystemClock(), most_bytes=50_000)


def test_an_answer_that_is_cut_off_is_told(serve):
    url, _ = serve(reply(CONTENT[:1000], length=len(CONTENT)))
    assert f"ended after 1000 of {len(CONTENT)} bytes" in refused(ENTRY, url, SystemClock())


def test_a_silent_server_is_waited_for_so_long_and_no_longer(serve, monkeypatch):
    monkeypatch.setattr(fetching, "SILENCE_S", 0.2)
    done = threading.Event()
    url, _ = serve(lambda _handler: done.wait(30))
    try:
        assert "cannot be fetched: timed out" in refused(ENTRY, url, SystemClock())
    finally:
        done.set()


def test_a_slow_one_has_a_deadline(serve):
    class Hurried(ManualClock):
        def monotonic_s(self):
            self.advance(fetching.DEADLINE_S * 0.6)
            return super().monotonic_s()

    url, _ = serve(reply(CONTENT * 20))
    assert "takes more than 600 s" in refused(ENTRY, url, Hurried())


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_error_of_the_server_is_told(serve, status):
    url, _ = serve(reply(b"<html>no</html>", status=status))
    assert f"answers {status}" in refused(ENTRY, url, SystemClock())


def test_nobody_there_is_told(serve):
    said = refused(ENTRY, "http://127.0.0.1:9", SystemClock())
    assert "cannot be fetched" in said
    assert "LAMPPOST_MODEL_MIRROR" in said


def test_http_is_redirected_nowhere(serve):
    goal, asked = serve(reply())
    url, _ = serve(lambda handler: reply(b"", status=302, Location=f"{goal}/{ENTRY.file}")(handler))
    assert "from https to https alone" in refused(ENTRY, url, SystemClock())
    assert asked == []


@pytest.mark.parametrize("mirror", ["ftp://h/x", "file:///etc", "https://user:kanarienvogel@h/x", "https://", "http://[x/"])
def test_other_addresses_are_none(mirror):
    said = refused(ENTRY, mirror, SystemClock())
    assert "is no address to take a model from" in said
    assert "kanarienvogel" not in said


def follow(old, new):
    headers = http.client.HTTPMessage()
    request = urllib.request.Request(old)  # noqa: S310 - nothing is opened
    return SafeRedirects().redirect_request(request, io.BytesIO(), 302, "Found", headers, new)


@pytest.mark.parametrize("new", ["https://other.example/y", "/y", "//other.example/y"])
def test_https_is_redirected_to_https(new):
    assert follow("https://one.example/x", new).full_url.startswith("https://")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://one.example/x", "http://one.example/x"),
        ("https://one.example/x", "file:///etc/passwd"),
        ("http://one.example/x", "https://one.example/x"),
    ],
)
def test_and_never_away_from_it(old, new):
    with pytest.raises(urllib.error.HTTPError, match="from https to https alone") as caught:
        follow(old, new)
    caught.value.close()
