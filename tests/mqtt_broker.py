"""A real broker, Mosquitto, that tests end and start again, and a subscriber that never misses what the broker keeps for it."""

from __future__ import annotations

import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_S = 15.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Broker:
    """Mosquitto on a port of loopback; what it holds for lasting sessions survives an end in good order."""

    def __init__(self, folder: Path, *lines: str, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self._program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        settings = [
            *("user root", f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/"),
            *("max_queued_messages 0", "max_inflight_messages 0"),
            *(lines or ("allow_anonymous true",)),
        ]
        self._config.write_text("\n".join(settings) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([self._program, "-c", str(self._config)], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline, "the broker does not start"
                time.sleep(0.02)

    def tell(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)
            self._process = None


class Subscriber:
    """Keeps every message under a topic, through the ends of the broker."""

    def __init__(self, port: int, topic: str = "#", *, username: str | None = None, password: str | None = None) -> None:
        self.messages: queue.SimpleQueue[MQTTMessage] = queue.SimpleQueue()
        self._topic = topic
        self._marker = topic.replace("#", "marker-of-the-test") if "#" in topic else None
        self._caught_up = threading.Event()
        self._client = client = Client(CallbackAPIVersion.VERSION2, client_id="test-subscriber", protocol=MQTTProtocolVersion.MQTTv5)
        if username is not None:
            client.username_pw_set(username, password)
        client.reconnect_delay_set(min_delay=1, max_delay=1)
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        self._subscribed: queue.SimpleQueue[bool] = queue.SimpleQueue()
        lasting = Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 0xFFFFFFFF
        client.connect("127.0.0.1", port, clean_start=False, properties=lasting)
        client.loop_start()
        assert self._subscribed.get(timeout=PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def catch_up(self, timeout_s: float = 1.0) -> bool:
        """Whether it is connected and has got all that the broker had kept for it."""
        if self._marker is None or not self._client.is_connected():
            return False
        self._caught_up.clear()
        self._client.publish(self._marker, b"", qos=1)
        return self._caught_up.wait(timeout_s)

    def next(self, timeout_s: float = PATIENCE_S) -> MQTTMessage:
        return self.messages.get(timeout=timeout_s)

    def drain(self) -> list[MQTTMessage]:
        """What has come since the last call."""
        found = []
        while not self.messages.empty():
            found.append(self.messages.get())
        return found

    def _on_connect(self, client: Client, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, _client: Client, _data: Any, _mid: int, _reasons: Any, _properties: Any) -> None:
        self._subscribed.put(True)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic == self._marker:
            self._caught_up.set()
        else:
            self.messages.put(message)
