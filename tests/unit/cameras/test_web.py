"""Devices over HTTP: judged addresses alone, one deadline, bounded answers, and a password for nobody but the device."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import random
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from http_device import Asked, ScriptedDevice, Talk, digest_words
from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, ConfigError, UnreadableReply
from lamppost.base.names import Place, look_up
from lamppost.cameras.web import DeviceAddress, DeviceWeb, Reply, shown_certificate
from lamppost.model.networks import CameraNetworks
from loopback import ON_LOOPBACK as HERE
from self_signed import Certificate

CANARY = "kanarie"  # nowhere else: the lines of this file stand in tracebacks
USER, PASSWORD, QUERY = f"{CANARY}-user", f"{CANARY}-pass", f"token={CANARY}-query"
OFFER = 'WWW-Authenticate: Digest realm="cam", nonce="{nonce}", qop="auth", algorithm={algorithm}'


def web(device: ScriptedDevice, **options: Any) -> DeviceWeb:
    options = {"username": USER, "password": PASSWORD, "timeout_s": 5.0} | options
    return DeviceWeb(DeviceAddress.of(device.url), options.pop("networks", HERE), SystemClock(), **options)


def answers(*replies: Callable[[Talk, Asked], None]) -> Callable[[Talk], None]:
    """One reply for each request, the last one for all others; over as many connections as come."""
    left = list(replies)

    def script(talk: Talk) -> None:
        while (asked := talk.request()) is not None:
            (left.pop(0) if len(left) > 1 else left[0])(talk, asked)

    return script


def ok(talk: Talk, _: Asked) -> None:
    talk.answer(200, b"fine")


def told(error: BaseException) -> str:
    """All that is known of an error, its causes too."""
    chain, found = error, [repr(vars(error))]
    while chain.__cause__ or (chain.__context__ and not chain.__suppress_context__):
        chain = chain.__cause__ or chain.__context__ or chain
        found.append(repr(chain) + repr(vars(chain)))
    return "".join([str(error), *found, *traceback.format_exception(error)])


def fails_without_a_secret(kind: type[CameraError], call: Callable[[], Any]) -> CameraError:
    with pytest.raises(kind) as caught:
        call()
    assert CANARY not in told(caught.value)
    return caught.value


# Signing in.


class DigestDevice:
    """Checks Digest answers as a device does; each nonce is good for `uses`."""

    def __init__(self, algorithm: str = "MD5", password: str = PASSWORD, uses: int = 99) -> None:
        self.hash = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
        self.algorithm, self.password, self.uses = algorithm, password, uses
        self.counts = itertools.count(1)
        self.nonce, self.used = "n0", 0
        self.refusals = 0

    def __call__(self, talk: Talk, asked: Asked) -> None:
        words = digest_words(asked.headers.get("authorization", ""))
        if words and words["nonce"] == self.nonce and self.used < self.uses and self._is_right(asked, words):
            self.used += 1
            talk.answer(200, b"fine")
            return
        is_stale = bool(words) and (words["nonce"] != self.nonce or self.used >= self.uses)
        self.refusals += bool(words)
        if is_stale or not words:
            self.nonce, self.used = f"n{next(self.counts)}", 0
        talk.answer(401, b"", OFFER.format(nonce=self.nonce, algorithm=self.algorithm) + (", stale=true" if is_stale else ""))

    def _is_right(self, asked: Asked, words: dict[str, str]) -> bool:
        def hashed(text: str) -> str:
            return self.hash(text.encode()).hexdigest()

        secret, request = hashed(f"{USER}:cam:{self.password}"), hashed(f"{asked.method}:{asked.path}")
        expected = hashed(f"{secret}:{words['nonce']}:{words['nc']}:{words['cnonce']}:auth:{request}")
        return words["response"] == expected and words["uri"] == asked.path


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_is_answered_and_kept_for_what_follows(algorithm: str) -> None:
    with ScriptedDevice(answers(DigestDevice(algorithm))) as device, web(device) as asking:
        assert [asking.get(f"/a?{QUERY}").status, asking.ask("POST", "/b", b"body").status] == [200, 200]
    assert ["authorization" in asked.headers for asked in device.asked] == [False, True, True]
    assert device.asked[2].body == b"body"
    assert device.connections == 1


def test_a_nonce_that_grew_old_is_renewed_and_tells_of_no_wrong_password() -> None:
    with ScriptedDevice(answers(DigestDevice(uses=2))) as device, web(device) as asking:
        assert {asking.get("/a").status for _ in range(9)} == {200}


def test_a_wrong_password_is_offered_once_and_then_no_more() -> None:
    locks = DigestDevice(password="another")
    with ScriptedDevice(answers(locks)) as device, web(device) as asking:
        assert {asking.get(f"/{number}").status for number in range(20)} == {401}
    assert locks.refusals == 1


def test_a_password_that_was_changed_meanwhile_is_offered_a_few_times_at_most() -> None:
    locks = DigestDevice(uses=1)
    with ScriptedDevice(answers(locks)) as device, web(device) as asking:
        assert asking.get("/a").status == 200
        locks.password = "another"
        assert {asking.get("/a").status for _ in range(20)} == {401}
    assert locks.refusals <= 8


def test_without_a_user_nothing_is_offered() -> None:
    with ScriptedDevice(answers(DigestDevice())) as device, web(device, username="", password="") as asking:
        assert asking.get("/a").status == 401
    assert len(device.asked) == 1


@pytest.mark.parametrize(
    "offer", ['WWW-Authenticate: Basic realm="cam"', 'WWW-Authenticate: Digest realm="x", nonce="y", qop="auth-int", Basic realm="cam"']
)
def test_a_password_is_never_sent_in_the_clear(offer: str) -> None:
    with ScriptedDevice(answers(lambda talk, _: talk.answer(401, b"", offer))) as device, web(device) as asking:
        for _ in range(3):  # not with the next question either
            error = fails_without_a_secret(CameraRefused, lambda: asking.get(f"/a?{QUERY}"))
            assert "in the clear" in error.problem
    assert all("authorization" not in asked.headers for asked in device.asked)


def test_a_device_that_took_digest_gets_no_basic_afterwards() -> None:
    basic = lambda talk, _: talk.answer(401, b"", 'WWW-Authenticate: Basic realm="cam"')  # noqa: E731
    good = DigestDevice()
    with ScriptedDevice(answers(good, good, basic)) as device, web(device) as asking:
        assert asking.get("/a").status == 200
        for _ in range(2):
            fails_without_a_secret(CameraRefused, lambda: asking.get("/a"))
    assert not any(asked.headers.get("authorization", "").startswith("Basic") for asked in device.asked)


def test_over_tls_basic_will_do(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)

    def basic(talk: Talk, asked: Asked) -> None:
        is_right = asked.headers.get("authorization") == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        talk.answer(200 if is_right else 401, b"", 'WWW-Authenticate: Basic realm="cam"')

    with ScriptedDevice(answers(basic), tls=certificate.context) as device, web(device, certificate_sha256=certificate.sha256) as asking:
        assert asking.get("/a").status == 200


def test_names_and_realms_in_any_letters_come_back_as_they_came() -> None:
    realm = "Kamera Süd ł".encode()
    offer = b'HTTP/1.1 401 X\r\nContent-Length: 0\r\nWWW-Authenticate: Digest realm="' + realm + b'", nonce="n"\r\n\r\n'
    with ScriptedDevice(answers(lambda talk, _: talk.say(offer), ok)) as device, web(device, username="Łukasz") as asking:
        assert asking.get("/a").status == 200
    words = digest_words(device.asked[1].headers["authorization"])
    assert (words["realm"], words["username"]) == (realm.decode(), "Łukasz")


def test_a_user_name_cannot_add_a_header() -> None:
    with ScriptedDevice(answers(DigestDevice())) as device, web(device, username=f"{CANARY}\r\nX-Evil: 1") as asking:
        fails_without_a_secret(CameraRefused, lambda: asking.get("/a"))
    assert len(device.asked) == 1


# Where a request may go.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_and_no_password_goes_elsewhere(status: int) -> None:
    good = DigestDevice()
    with ScriptedDevice(answers(ok)) as elsewhere:

        def moved(talk: Talk, asked: Asked) -> None:
            if "authorization" in asked.headers:
                talk.answer(status, b"", f"Location: {elsewhere.url}/stolen")
            else:
                good(talk, asked)

        with ScriptedDevice(answers(moved)) as device, web(device) as asking:
            reply = asking.get("/a")
        assert (reply.status, reply.headers["location"]) == (status, f"{elsewhere.url}/stolen")
        assert elsewhere.connections == 0


@pytest.mark.parametrize("path", ["//elsewhere.example/x", "/@elsewhere.example", "/..%2f..", "/a?b=http://elsewhere.example"])
def test_a_path_stays_a_path(path: str) -> None:
    with ScriptedDevice(answers(ok)) as device, web(device) as asking:
        assert asking.get(path).status == 200
    assert device.asked[0].path == path
    assert device.asked[0].headers["host"] == f"127.0.0.1:{device.port}"


@pytest.mark.parametrize(
    "path", ["", "a", "http://x/", "/a b", "/a\r\nX: y", "/a\nb", "/a\tb", "/a#b", "/ä", "/\0", "/" + "a" * 9000, "*", "/\x7f"]
)
def test_a_path_that_is_none_is_never_asked_for(path: str) -> None:
    with ScriptedDevice(answers(ok)) as device, web(device) as asking:
        fails_without_a_secret(UnreadableReply, lambda: asking.get(path + CANARY if path else ""))
    assert device.connections == 0


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        *[("GET", {name: "x"}) for name in ("Host", "authorization", "Content-Length", "Transfer-Encoding", "Connection", "X y", "", "X:")],
        *[("GET", {"X-A": text}) for text in ("a\r\nEvil: 1", "a\nb", "\0", "ä")],
        *[(method, {}) for method in ("get", "GET /evil HTTP/1.1\r\nX:", "", "G T")],
    ],
)
def test_no_caller_slips_in_a_header_or_a_request(method: str, headers: dict[str, str]) -> None:
    with ScriptedDevice(answers(ok)) as device, web(device) as asking, pytest.raises(ValueError, match=r"header|method"):
        asking.ask(method, "/a", headers=headers)
    assert device.connections == 0


def test_a_header_of_the_caller_stands_in_place_of_ours() -> None:
    with ScriptedDevice(answers(ok)) as device, web(device) as asking:
        asking.ask("POST", "/a", b"<x/>", {"accept": "text/xml", "Content-Type": "application/soap+xml"})
    assert device.asked[0].headers["accept"] == "text/xml"
    assert device.asked[0].headers["content-type"] == "application/soap+xml"


@pytest.mark.parametrize(
    "url",
    [
        *["", "camera", "//10.0.0.1", "rtsp://10.0.0.1", "file:///etc/passwd", "http://", "http:///x", "http://:80", "javascript:1"],
        *["http://user@10.0.0.1", f"http://user:{CANARY}@10.0.0.1", "http://@10.0.0.1", "http://10.0.0.1:80@169.254.169.254"],
        *[
            "http://10.0.0.1\\@169.254.169.254",
            "http://10.0.0.1\\.example",
            "http://10.0.0.1:0",
            "http://10.0.0.1:99999",
            "http://10.0.0.1:80:80",
        ],
        *[
            "http://10.0.0.1:٨٠",
            "http://10.0.0.1 ",
            " http://10.0.0.1",
            "http://10.0.0.1\r\nHost: x",
            "http://10.0\t.0.1",
            "http://10.0.0.1\0",
        ],
        *[
            "http://0x7f.1",
            "http://2130706433",
            "http://0177.0.0.1",
            "http://127.1",
            "http://0x7f000001",
            "http://127.0.0.1.",
            "http://1.2.3.256",
        ],
        *[
            "http://\uff11\uff12\uff17.0.0.1",
            "http://ⓛocalhost",
            "http://müller.example",
            "http://a%2eb",
            "http://[::1",
            "http://[::1%25eth0/x]",
            "http://a..b",
        ],
        *["http://[127.0.0.1]", "http://[fe80::1%a b]", "http://-a", "http://a_b/" + "x" * 3000, "HTTP://", "http://10.0.0.1%eth0"],
    ],
)
def test_what_is_no_address_of_a_device_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DeviceAddress.of(url)
    assert CANARY not in told(caught.value)


@pytest.mark.parametrize(
    ("url", "address", "host_header"),
    [
        ("http://10.0.0.1", ("http", "10.0.0.1", 80), "10.0.0.1"),
        ("https://10.0.0.1/onvif/device_service?x=1#y", ("https", "10.0.0.1", 443), "10.0.0.1"),
        ("HTTP://Camera.Example:8080", ("http", "camera.example", 8080), "camera.example:8080"),
        ("http://[fd00::1]:81", ("http", "fd00::1", 81), "[fd00::1]:81"),
        ("http://[fe80::1%eth0]", ("http", "fe80::1%eth0", 80), "[fe80::1]"),
        ("http://10.0.0.1#@169.254.169.254/", ("http", "10.0.0.1", 80), "10.0.0.1"),
        ("http://10.0.0.1?@169.254.169.254/", ("http", "10.0.0.1", 80), "10.0.0.1"),
    ],
)
def test_the_place_of_a_device_is_read(url: str, address: tuple[str, str, int], host_header: str) -> None:
    found = DeviceAddress.of(url)
    assert (found.scheme, found.host, found.port) == address
    assert found.host_header == host_header


class Resolver:
    """Answers differently each time, as a name server of somebody's own does."""

    def __init__(self, port: int, *answers: str | Sequence[str]) -> None:
        self.port = port
        self.answers = [[answer] if isinstance(answer, str) else list(answer) for answer in answers]
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[Place]:
        self.asked.append(host)
        numbers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [place for number in numbers for place in look_up(number, self.port)]


@pytest.fixture
def no_real_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def numbers_alone(host: str, port: int, *places: int, flags: int = 0, **options: int) -> Any:
        assert flags & socket.AI_NUMERICHOST, f"asked the system about {host}"
        return real(host, port, *places, flags=flags, **options)

    monkeypatch.setattr(socket, "getaddrinfo", numbers_alone)


@pytest.mark.usefixtures("no_real_lookups")
def test_the_address_that_was_judged_is_the_one_that_is_connected_to() -> None:
    with ScriptedDevice(answers(ok)) as good, ScriptedDevice(answers(ok)) as trap:
        resolver = Resolver(good.port, "127.0.0.1", "127.0.0.2")
        only_first = CameraNetworks(["127.0.0.1/32"])
        address = DeviceAddress.of(f"http://camera.example:{trap.port}")
        with DeviceWeb(address, only_first, SystemClock(), resolve=resolver) as asking:
            assert [asking.get("/a").status for _ in range(3)] == [200] * 3
        assert resolver.asked == ["camera.example"], "once for a connection"
        assert trap.connections == 0
        assert good.asked[0].headers["host"] == f"camera.example:{trap.port}"


@pytest.mark.usefixtures("no_real_lookups")
def test_a_name_that_leads_elsewhere_when_it_is_looked_up_again_is_judged_again() -> None:
    hangs_up = answers(lambda talk, _: talk.answer(200, b"", "Connection: close"))
    with ScriptedDevice(hangs_up) as device:
        resolver = Resolver(device.port, "127.0.0.1", "169.254.169.254")
        asking = DeviceWeb(DeviceAddress.of("http://camera.example"), HERE, SystemClock(), resolve=resolver, timeout_s=1.0)
        assert [asking.get("/a").status for _ in range(2)] == [200] * 2, "the address is kept while it answers"
    with asking:
        fails_without_a_secret(CameraUnreachable, lambda: asking.get("/a"))  # that address is dead: forget it
        error = fails_without_a_secret(CameraRefused, lambda: asking.get("/a"))
    assert "clouds keep their keys" in error.problem
    assert "[devices]" in error.remedy


@pytest.mark.usefixtures("no_real_lookups")
def test_a_device_that_goes_by_a_name_is_followed_to_where_the_name_leads_then() -> None:
    resolver = Resolver(0, "127.0.0.1", "127.0.0.2")
    asking = DeviceWeb(DeviceAddress.of("http://camera.example"), HERE, SystemClock(), resolve=resolver, timeout_s=1.0)
    with asking:
        with ScriptedDevice(answers(ok)) as before:
            resolver.port = before.port
            assert asking.get("/a").status == 200
        with ScriptedDevice(answers(ok), address="127.0.0.2") as moved:
            resolver.port = moved.port
            fails_without_a_secret(CameraUnreachable, lambda: asking.get("/a"))  # it is at the old address no more
            assert asking.get("/a").status == 200
            assert [asked.headers["host"] for asked in moved.asked] == ["camera.example"]
    assert resolver.asked == ["camera.example"] * 2


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::1",
        "0.0.0.0",  # noqa: S104
        "8.8.8.8",
        "224.0.0.1",
        "64:ff9b::7f00:1",
    ],
)
def test_a_name_that_leads_where_no_camera_is_is_refused_before_anything_connects(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(80, number)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    with DeviceWeb(DeviceAddress.of("http://localhost"), CameraNetworks(), SystemClock(), password=PASSWORD, resolve=resolver) as asking:
        error = fails_without_a_secret(CameraRefused, lambda: asking.get(f"/a?{QUERY}"))
    assert "is not connected to" in error.problem


def test_an_address_of_this_machine_is_refused_before_anything_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("connected"))
    networks = CameraNetworks(["10.0.0.0/8"], is_own=lambda number: str(number) == "10.20.0.5")
    with DeviceWeb(DeviceAddress.of("http://10.20.0.5:8080"), networks, SystemClock(), password=PASSWORD) as asking:
        error = fails_without_a_secret(CameraRefused, lambda: asking.get(f"/a?{QUERY}"))
    assert "this machine itself, which no network but 10.20.0.5/32 opens" in error.problem


def test_of_several_addresses_only_the_allowed_ones_are_tried() -> None:
    with ScriptedDevice(answers(ok)) as device:
        resolver = Resolver(device.port, ["169.254.169.254", "8.8.8.8", "::1", "127.0.0.2", "127.0.0.1"])
        with DeviceWeb(DeviceAddress.of("http://camera"), CameraNetworks(["127.0.0.1/32"]), SystemClock(), resolve=resolver) as asking:
            assert asking.get("/a").status == 200


def test_a_name_server_that_does_not_answer_holds_nobody_up() -> None:
    def never(host: str, port: int) -> list[Place]:
        time.sleep(0.5)
        return []

    began = time.monotonic()
    with DeviceWeb(DeviceAddress.of("http://camera"), HERE, SystemClock(), resolve=never, timeout_s=0.1) as asking:
        fails_without_a_secret(CameraUnreachable, lambda: asking.get("/a"))
    assert time.monotonic() - began < 0.4


def test_nobody_listens_and_nobody_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}", "http://nobody.invalid"):
        with DeviceWeb(DeviceAddress.of(url), HERE, SystemClock(), password=PASSWORD) as asking:
            fails_without_a_secret(CameraUnreachable, lambda: asking.get(f"/a?{QUERY}"))


def test_no_proxy_of_the_surroundings_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedDevice(answers(ok)) as device, ScriptedDevice(answers(ok)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with web(device) as asking:
            assert asking.get("/a").status == 200
        assert proxy.connections == 0


# Certificates.


def test_a_pinned_certificate_needs_nobody_to_vouch(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    written = ":".join(certificate.sha256.upper()[at : at + 2] for at in range(0, 64, 2))
    with ScriptedDevice(answers(DigestDevice()), tls=certificate.context) as device, web(device, certificate_sha256=written) as asking:
        assert [asking.get("/a").status for _ in range(2)] == [200] * 2
    assert device.connections == 1


def test_another_certificate_than_the_pinned_one_hears_nothing(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with ScriptedDevice(answers(ok), tls=certificate.context) as device, web(device, certificate_sha256="ab" * 32) as asking:
        error = fails_without_a_secret(CameraRefused, lambda: asking.get(f"/a?{QUERY}"))
    assert certificate.sha256 in error.remedy
    assert device.asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.9.9.9"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, host: str) -> None:
    with ScriptedDevice(answers(ok), tls=Certificate(tmp_path, host).context) as device, web(device) as asking:
        error = fails_without_a_secret(CameraRefused, lambda: asking.get(f"/a?{QUERY}"))
    assert "device_certificate_sha256" in error.remedy
    assert device.asked == []


def test_one_vouched_for_must_be_for_that_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = Certificate(tmp_path, "10.9.9.9")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    with ScriptedDevice(answers(ok), tls=certificate.context) as device, web(device) as asking:
        error = fails_without_a_secret(CameraRefused, lambda: asking.get("/a"))
    assert "mismatch" in error.problem
    right = Certificate(tmp_path)
    with ScriptedDevice(answers(ok), tls=right.context) as device, web(device) as asking:
        assert asking.get("/a").status == 200


def test_the_certificate_can_be_looked_at_and_nothing_is_said(tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with ScriptedDevice(answers(ok), tls=certificate.context) as device:
        address = DeviceAddress.of(device.url)
        assert shown_certificate(address, HERE, SystemClock()) == certificate.sha256
        fails_without_a_secret(CameraRefused, lambda: shown_certificate(address, CameraNetworks(), SystemClock()))
    assert device.asked == []
    with ScriptedDevice(lambda talk: talk.say(b"HTTP/1.1 400 X\r\n\r\n")) as plain:
        address = DeviceAddress.of(plain.url.replace("http:", "https:"))
        fails_without_a_secret(CameraUnreachable, lambda: shown_certificate(address, HERE, SystemClock()))


def test_who_is_there_and_speaks_no_tls_is_not_called_away() -> None:
    with ScriptedDevice(lambda talk: talk.say(b"HTTP/1.1 400 X\r\n\r\n")) as plain:
        asking = DeviceWeb(DeviceAddress.of(plain.url.replace("http:", "https:")), HERE, SystemClock())
        with asking, pytest.raises(CameraUnreachable, match="does not speak TLS") as caught:
            asking.get("/")
    assert "http://" in caught.value.remedy


# Time and size.


def slowly_head(talk: Talk) -> None:
    talk.request()
    talk.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: y\r\n" * 1000)


def slowly_body(talk: Talk) -> None:
    talk.request()
    talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    talk.drip(b"x" * 100_000)


def slowly_chunks(talk: Talk) -> None:
    talk.request()
    talk.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    talk.drip(b"1\r\nx\r\n" * 10_000)


def slowly_promises(talk: Talk) -> None:
    talk.request()
    talk.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, every_s=0.005)


def slowly_again(talk: Talk) -> None:
    talk.request()
    talk.answer(401, b"", OFFER.format(nonce="n", algorithm="MD5"))
    talk.request()
    talk.drip(b"HTTP/1.1 200 OK\r\n" * 1000)


def silent(talk: Talk) -> None:
    talk.request()
    talk.request()


@pytest.mark.parametrize("script", [slowly_head, slowly_body, slowly_chunks, slowly_promises, slowly_again, silent])
def test_whoever_is_slow_is_left_at_the_deadline(script: Callable[[Talk], None]) -> None:
    with ScriptedDevice(script) as device, web(device, timeout_s=0.3) as asking:
        began = time.monotonic()
        fails_without_a_secret(CameraUnreachable, lambda: asking.get(f"/a?{QUERY}"))
        assert 0.2 < time.monotonic() - began < 0.8


def test_one_that_takes_nothing_is_left_at_the_deadline() -> None:
    with ScriptedDevice(lambda talk: (talk.drip(b"", 1), device.stop.wait(3))[0]) as device, web(device) as asking:
        began = time.monotonic()
        fails_without_a_secret(CameraUnreachable, lambda: asking.ask("POST", "/a", bytes(32 << 20), timeout_s=0.3))
        assert time.monotonic() - began < 1.0
        device.stop.set()


def test_a_handshake_that_never_ends_is_left_at_the_deadline() -> None:
    def half_a_handshake(talk: Talk) -> None:
        talk.drip(b"\x16\x03\x03\x40\x00" + bytes(5000))

    with ScriptedDevice(half_a_handshake) as device:
        address = DeviceAddress.of(device.url.replace("http:", "https:"))
        began = time.monotonic()
        with DeviceWeb(address, HERE, SystemClock(), timeout_s=0.3) as asking:
            fails_without_a_secret(CameraUnreachable, lambda: asking.get("/a"))
        assert time.monotonic() - began < 1.0


def endless(head: bytes, piece: bytes) -> Callable[[Talk], None]:
    def script(talk: Talk) -> None:
        talk.request()
        talk.say(head)
        while True:
            talk.say(piece)

    return script


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", bytes(65_536)),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", bytes(65_536)),
        (CHUNKED, b"10000\r\n" + bytes(65_536) + b"\r\n"),
        (CHUNKED, b"1;" + b"x" * 4000 + b"\r\ny\r\n"),
        (CHUNKED, b"1\r\ny\r\n" * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: y\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65_536),
    ],
)
def test_an_answer_without_end_is_cut_off(head: bytes, piece: bytes) -> None:
    with ScriptedDevice(endless(head, piece)) as device, web(device, most_bytes=100_000) as asking:
        fails_without_a_secret(UnreadableReply, lambda: asking.get(f"/a?{QUERY}"))


def test_nothing_is_decompressed() -> None:
    bomb = gzip.compress(bytes(1 << 20))
    with ScriptedDevice(answers(lambda talk, _: talk.answer(200, bomb, "Content-Encoding: gzip"))) as device, web(device) as asking:
        assert asking.get("/a").content == bomb
    assert device.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "answer",
    [
        *[
            b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            b"",
            b"\r\n",
            b"hello",
            b"RTSP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 999999 X\r\n\r\n",
            b"\x16\x03\x01",
            bytes(100),
        ],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfoo",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nfoo",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nfoofoo",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nfoof",
        b"HTTP/1.1 200 OK\r\nX Y: 4\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nfoo",
        *[CHUNKED + garbage for garbage in (b"zz\r\nfoo", b"-1\r\n", b"5\r\nfoo", b"3\r\nfooX", b"ffffffffffffffffffffff\r\nx", b"3\nfoo")],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5",
    ],
)
def test_what_is_no_http_is_told(answer: bytes) -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.say(answer)

    with ScriptedDevice(script) as device, web(device) as asking:
        fails_without_a_secret(UnreadableReply, lambda: asking.ask("POST", f"/a?{QUERY}", CANARY.encode()))


def test_who_hangs_up_without_a_word_is_not_said_to_have_answered() -> None:
    def script(talk: Talk) -> None:
        talk.request()

    with ScriptedDevice(script) as device, web(device) as asking, pytest.raises(UnreadableReply) as failed:
        asking.ask("POST", "/axis-cgi/basicdeviceinfo.cgi", b"{}")
    assert "hangs up without an answer" in failed.value.problem


def test_an_answer_that_came_before_its_question_is_none() -> None:
    def two_at_once(talk: Talk, _: Asked) -> None:
        talk.say(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo")

    with ScriptedDevice(answers(two_at_once, lambda talk, _: talk.answer(200, b"real"))) as device, web(device) as asking:
        assert asking.get("/a").content == b"one"
        assert asking.get("/b").content == b"real"


def test_a_device_that_hangs_up_between_two_questions_is_asked_again() -> None:
    def script(talk: Talk) -> None:
        talk.request()
        talk.answer(200, b"fine")

    with ScriptedDevice(script) as device, web(device) as asking:
        assert [asking.get("/a").status for _ in range(4)] == [200] * 4


def test_a_device_that_hangs_up_after_its_challenge_is_asked_again() -> None:
    good = DigestDevice()

    def script(talk: Talk) -> None:
        asked = talk.request()
        if asked is not None:
            good(talk, asked)

    with ScriptedDevice(script) as device, web(device) as asking:
        assert asking.ask("POST", "/a", b"x").status == 200


def test_an_order_that_may_have_been_carried_out_is_not_given_twice() -> None:
    with ScriptedDevice(answers(ok, lambda talk, _: talk._end.close())) as device, web(device) as asking:
        assert asking.get("/a").status == 200
        with pytest.raises((CameraUnreachable, UnreadableReply)):
            asking.ask("POST", "/reboot", b"x")
    assert [asked.method for asked in device.asked] == ["GET", "POST"]


@pytest.mark.parametrize("status", [200, 204, 304, 400, 403, 404, 500, 503])
def test_any_status_comes_back(status: int) -> None:
    with (
        ScriptedDevice(answers(lambda talk, _: talk.answer(status, b"", "Upgrade: x", "Connection: close"))) as device,
        web(device) as asking,
    ):
        assert asking.get("/a").status == status


def test_after_any_failure_the_next_question_is_answered() -> None:
    left: Iterator[Callable[[Talk], None]] = iter([slowly_body, endless(CHUNKED, b"zz"), endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(9999))])
    with ScriptedDevice(lambda talk: next(left, answers(ok))(talk)) as device, web(device, timeout_s=0.3, most_bytes=50_000) as asking:
        for _ in range(3):
            fails_without_a_secret(CameraError, lambda: asking.get("/a"))
        assert asking.get("/a").content == b"fine"


def mutated(chance: random.Random, whole: bytes) -> bytes:
    content = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content)) if content else 0
        match chance.randrange(4):
            case 0:
                content[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del content[at : at + chance.randint(1, 9)]
            case 2:
                content[at:at] = bytes(chance.choices(b'\r\n :;,="0123456789\x00\xff', k=chance.randint(1, 9)))
            case _:
                content[at:at] = content[:at]
    return bytes(content)


def test_mutated_answers_are_replies_or_told() -> None:
    whole = [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 11\r\n\r\n<a>hello</a>",
        CHUNKED + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX: y\r\n\r\n",
        b'HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm="r", nonce="n", qop="auth"\r\nContent-Length: 0\r\n\r\n',
    ]
    chance = random.Random(7)

    def script(talk: Talk) -> None:
        if talk.request() is not None:
            talk.say(mutated(chance, chance.choice(whole)))

    outcomes: set[str] = set()
    with ScriptedDevice(script) as device:
        for _ in range(400):
            with web(device, timeout_s=2.0) as asking:
                outcome: BaseException | Reply
                try:
                    outcome = asking.get(f"/a?{QUERY}")
                except CameraError as error:
                    outcome = error
            outcomes.add(type(outcome).__name__)
            assert isinstance(outcome, Reply) or CANARY not in told(outcome)
    assert {Reply.__name__, UnreadableReply.__name__} <= outcomes
