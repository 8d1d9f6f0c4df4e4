"""A carrier against a real Mosquitto: topics, acknowledgement, its will, restarts, passwords and TLS."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lamppost.base.errors import CarrierDown, NoticeRefused
from lamppost.model.carriers import NotifySettings
from lamppost.notify import mqtt
from lamppost.notify.mqtt import MqttCarrier
from mqtt_broker import Broker, Subscriber, free_port
from notices import make_notice

pytestmark = pytest.mark.debian


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "broker") as broker:
        yield broker


def make(url: str, **more: object) -> MqttCarrier:
    return MqttCarrier(NotifySettings(name="broker", type="mqtt", url=url, topic_prefix="city/plaza", **more))


def test_a_notice_is_published_with_its_id(broker: Broker, tmp_path: Path) -> None:
    carrier, notice = make(broker.url), make_notice(tmp_path)
    with Subscriber(broker.port, "city/plaza/events/#") as subscriber:
        carrier.open()
        carrier.send(notice)
        message = subscriber.next()
        carrier.send(make_notice(tmp_path, camera=None, kind="camera_lost"))
        node = subscriber.next()
        carrier.close()
    assert (message.topic, message.qos, message.retain) == ("city/plaza/events/plaza/zone_entered", 1, False)
    assert message.payload == notice.body
    assert dict(message.properties.UserProperty) == {"id": notice.id, "phase": "start"}
    assert message.properties.ContentType == "application/json"
    assert node.topic == "city/plaza/events/_node/camera_lost"


def test_its_status_is_kept_whoever_ends_the_connection(broker: Broker, tmp_path: Path) -> None:
    carrier = make(broker.url)
    with Subscriber(broker.port, "city/plaza/status") as subscriber:
        carrier.open()
        assert subscriber.next().payload == b"online"
        carrier.close()
        assert subscriber.next().payload == b"offline"
        carrier.open()
        assert subscriber.next().payload == b"online"
        connection = carrier._client.socket()  # type: ignore[union-attr]
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)  # as a kill does
        assert subscriber.next().payload == b"offline"
        carrier.close()


def test_it_finds_the_broker_again_after_its_restart(broker: Broker, tmp_path: Path) -> None:
    carrier = make(broker.url)
    carrier.send(make_notice(tmp_path))
    broker.stop()
    for _ in range(2):
        with pytest.raises(CarrierDown):
            carrier.send(make_notice(tmp_path, sequence=1))
    broker.start()
    with Subscriber(broker.port, "city/plaza/events/#") as subscriber:
        carrier.send(make_notice(tmp_path, sequence=2))
        sequences = [json.loads(subscriber.next().payload)["sequence"]]
        carrier.close()
        assert [json.loads(message.payload)["sequence"] for message in subscriber.drain()] == []
    assert sequences == [2], "what was not acknowledged is offered again by us, and by nobody else"


def test_a_broker_that_is_silent_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mqtt, "CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        carrier = make(f"mqtt://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(CarrierDown, match="does not answer"):
            carrier.open()
        carrier.close()
    threads = [thread.name for thread in threading.enumerate() if thread.name.startswith("paho")]
    assert threads == [], "the library's thread is gone"


def test_a_broker_that_does_not_acknowledge_is_left(broker: Broker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mqtt, "ANSWER_S", 0.3)
    carrier = make(broker.url)
    carrier.open()
    broker.tell(signal.SIGSTOP)
    try:
        with pytest.raises(CarrierDown, match=r"does not answer within 0\.3 s"):
            carrier.send(make_notice(tmp_path))
    finally:
        broker.tell(signal.SIGCONT)
    carrier.send(make_notice(tmp_path))
    carrier.close()


def test_nobody_there_is_told_in_one_line(tmp_path: Path) -> None:
    carrier = make(f"mqtt://127.0.0.1:{free_port()}")
    with pytest.raises(CarrierDown, match="cannot be reached: Connection refused"):
        carrier.send(make_notice(tmp_path))
    carrier.close()


def test_who_is_not_let_in_says_so_without_the_password(tmp_path: Path) -> None:
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    passwords.write_text("lamppost:kanarienvogel-42\n")
    subprocess.run(["mosquitto_passwd", "-U", str(passwords)], check=True)
    acl = tmp_path / "acl"
    acl.write_text("user lamppost\ntopic write city/plaza/events/plaza/#\ntopic write city/plaza/status\n")
    for path in (passwords, acl):
        path.chmod(0o644)
    lines = ("allow_anonymous false", f"password_file {passwords}", f"acl_file {acl}")
    with Broker(tmp_path / "closed", *lines) as broker:
        secret.write_text("kanarienvogel-42\n")
        carrier = make(broker.url, username="lamppost", password_file=secret)
        carrier.send(make_notice(tmp_path))
        with pytest.raises(NoticeRefused, match="Not authorized"):
            carrier.send(make_notice(tmp_path, camera="elsewhere"))
        carrier.close()
        secret.write_text("kanarienvogel-43\n")
        with pytest.raises(CarrierDown, match="does not let us in") as caught:
            carrier.send(make_notice(tmp_path))
        assert "kanarienvogel" not in str(caught.value)
        secret.unlink()
        with pytest.raises(CarrierDown, match="password_file"):
            carrier.open()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library leaves a refused connection to the collector
def test_tls_verifies_the_broker(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {key}")
    with Broker(tmp_path / "tls", *lines) as broker:
        url = broker.url.replace("mqtt://", "mqtts://")
        carrier = make(url, ca_file=certificate)
        carrier.send(make_notice(tmp_path))
        carrier.close()
        stranger = make(url)
        with pytest.raises(CarrierDown, match="cannot be reached"):
            stranger.send(make_notice(tmp_path))
        stranger.close()
