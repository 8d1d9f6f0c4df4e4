"""A webhook against a real server with faults: what counts as delivered, what is tried again, what never."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from faulty_http import Answer, FaultyServer
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import CarrierDown, NoticeRefused
from lamppost.model.carriers import NotifySettings
from lamppost.notify import webhook
from lamppost.notify.signature import is_signed
from lamppost.notify.webhook import WebhookCarrier
from mqtt_broker import free_port
from notices import make_notice

SECRET = "kanarienvogel-geheim"
CLOCK_S = 1_700_000_000


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\nsecond line\n")
    return path


def make(url: str, secret: Path) -> WebhookCarrier:
    settings = NotifySettings(name="hook", type="webhook", url=url, secret_file=secret)
    return WebhookCarrier(settings, clock=ManualClock(CLOCK_S * US_PER_S))


def test_what_is_sent_is_signed_and_has_an_id(server: FaultyServer, secret: Path, tmp_path: Path) -> None:
    carrier, notice = make(server.url("/hook?key=kanarienvogel"), secret), make_notice(tmp_path)
    carrier.open()
    carrier.send(notice)
    carrier.send(notice)
    carrier.close()
    one, two = server.drain()
    assert one.body == two.body == notice.body
    assert one.path == "/hook?key=kanarienvogel"
    assert one.headers["Lamppost-Id"] == two.headers["Lamppost-Id"] == notice.id
    assert one.headers["Lamppost-Timestamp"] == str(CLOCK_S)
    assert one.headers["Content-Type"] == "application/json"
    assert is_signed(SECRET, one.body, one.headers["Lamppost-Signature"], now_s=CLOCK_S)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_status_of_200_to_299_is_delivered(server: FaultyServer, secret: Path, tmp_path: Path, status: int) -> None:
    server.decide = lambda _: Answer(status, body=b"")
    carrier = make(server.url(), secret)
    carrier.send(make_notice(tmp_path))
    carrier.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 499])
def test_what_is_wrong_with_the_request_is_never_asked_again(server: FaultyServer, secret: Path, tmp_path: Path, status: int) -> None:
    server.decide = lambda _: Answer(status)
    carrier = make(server.url(), secret)
    with pytest.raises(NoticeRefused, match=f"status {status}"):
        carrier.send(make_notice(tmp_path))
    carrier.close()


@pytest.mark.parametrize(("status", "is_about_all"), [(408, False), (425, False), (429, True), (500, False), (501, False), (503, True)])
def test_what_may_work_later_is_asked_again(server: FaultyServer, secret: Path, tmp_path: Path, status: int, is_about_all: bool) -> None:
    server.decide = lambda _: Answer(status)
    carrier = make(server.url(), secret)
    with pytest.raises(CarrierDown) as caught:
        carrier.send(make_notice(tmp_path))
    carrier.close()
    assert caught.value.is_about_all is is_about_all


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        (format_datetime(datetime.fromtimestamp(CLOCK_S, UTC) + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(CLOCK_S, UTC) - timedelta(seconds=90), usegmt=True), 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("9" * 400, 999_999_999.0),
    ],
)
def test_the_server_may_say_when(server: FaultyServer, secret: Path, tmp_path: Path, header: str, seconds: float) -> None:
    server.decide = lambda _: Answer(429, {"Retry-After": header})
    carrier = make(server.url(), secret)
    with pytest.raises(CarrierDown) as caught:
        carrier.send(make_notice(tmp_path))
    carrier.close()
    assert caught.value.retry_after_s == seconds


def test_a_redirect_is_not_followed(server: FaultyServer, secret: Path, tmp_path: Path) -> None:
    with FaultyServer() as elsewhere:
        server.decide = lambda _: Answer(307, {"Location": elsewhere.url()})
        carrier = make(server.url(), secret)
        with pytest.raises(CarrierDown, match="redirects are not followed"):
            carrier.send(make_notice(tmp_path))
        carrier.close()
        assert elsewhere.drain() == []


def test_a_broken_connection_and_a_closed_port_are_asked_again(server: FaultyServer, secret: Path, tmp_path: Path) -> None:
    server.decide = lambda _: Answer(reset=True)
    carrier = make(server.url(), secret)
    with pytest.raises(CarrierDown, match="breaks off") as caught:
        carrier.send(make_notice(tmp_path))
    assert not caught.value.is_about_all, "it may be this one notice that the server dies of"
    carrier.close()
    closed = make(f"http://127.0.0.1:{free_port()}/", secret)
    with pytest.raises(CarrierDown, match="cannot be reached") as caught:
        closed.send(make_notice(tmp_path))
    assert caught.value.is_about_all
    closed.close()


def test_a_server_that_does_not_answer_holds_nobody_up(
    server: FaultyServer, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "ANSWER_S", 0.2)
    server.decide = lambda _: Answer(wait_s=30)
    carrier = make(server.url(), secret)
    began = time.monotonic()
    with pytest.raises(CarrierDown, match="does not answer"):
        carrier.send(make_notice(tmp_path))
    assert time.monotonic() - began < 5
    carrier.close()


def test_an_endless_answer_is_not_read_to_its_end(server: FaultyServer, secret: Path, tmp_path: Path) -> None:
    server.decide = lambda _: Answer(body=b"x" * 8_000_000)
    carrier = make(server.url(), secret)
    carrier.send(make_notice(tmp_path))
    carrier.send(make_notice(tmp_path))
    carrier.close()
    assert len(server.drain()) == 2


def test_no_proxy_of_the_environment_is_asked(server: FaultyServer, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultyServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        carrier = make(server.url(), secret)
        carrier.send(make_notice(tmp_path))
        carrier.close()
        assert proxy.drain() == []
    assert len(server.drain()) == 1


def test_a_secret_that_was_changed_counts_at_once_and_one_that_is_gone_is_told(server: FaultyServer, secret: Path, tmp_path: Path) -> None:
    carrier = make(server.url(), secret)
    carrier.send(make_notice(tmp_path))
    secret.write_text("another-secret-of-mine\n")
    carrier.send(make_notice(tmp_path))
    first, second = server.drain()
    assert is_signed(SECRET, first.body, first.headers["Lamppost-Signature"], now_s=CLOCK_S)
    assert is_signed("another-secret-of-mine", second.body, second.headers["Lamppost-Signature"], now_s=CLOCK_S)
    secret.write_text("short\n")
    with pytest.raises(CarrierDown, match="fewer than 16"):
        carrier.send(make_notice(tmp_path))
    secret.unlink()
    with pytest.raises(CarrierDown, match="cannot be read"):
        carrier.send(make_notice(tmp_path))
    carrier.close()
    assert server.drain() == []


def test_nothing_of_path_and_secret_stands_in_an_error(server: FaultyServer, secret: Path, tmp_path: Path) -> None:
    for answer in (Answer(500), Answer(404), Answer(302, {"Location": "http://kanarienvogel/"}), Answer(reset=True)):
        server.decide = lambda _, answer=answer: answer
        carrier = make(server.url("/kanarienvogel?token=kanarienvogel"), secret)
        with pytest.raises((CarrierDown, NoticeRefused)) as caught:
            carrier.send(make_notice(tmp_path))
        carrier.close()
        assert "kanarienvogel" not in str(caught.value)


def test_tls_verifies_the_server(secret: Path, tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    make_certificate(certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with FaultyServer(context=context) as server:
        url = f"https://127.0.0.1:{server.port}/hook"
        trusting = NotifySettings(name="hook", type="webhook", url=url, secret_file=secret, ca_file=certificate)
        carrier = WebhookCarrier(trusting)
        carrier.send(make_notice(tmp_path))
        carrier.close()
        assert len(server.drain()) == 1
        carrier = make(url, secret)
        with pytest.raises(CarrierDown, match="cannot be reached"):
            carrier.send(make_notice(tmp_path))
        carrier.close()
        assert server.drain() == []
    broken = WebhookCarrier(trusting.model_copy(update={"ca_file": tmp_path / "none.pem"}))
    with pytest.raises(CarrierDown, match="ca_file"):
        broken.open()
    encrypted = tmp_path / "encrypted.key"
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", str(key), "-out", str(encrypted)], check=True, capture_output=True
    )
    asking = WebhookCarrier(trusting.model_copy(update={"certificate_file": certificate, "key_file": encrypted}))
    with pytest.raises(CarrierDown, match="certificate_file"):
        asking.open()


def make_certificate(certificate: Path, key: Path) -> None:
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files], check=True, capture_output=True
    )
