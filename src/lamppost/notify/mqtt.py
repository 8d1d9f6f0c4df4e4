"""Publishes notices to an MQTT broker, at least once, one after the other.

The library would queue what is not acknowledged and send it again by itself, in an order of its own and without an end. So a
client lives for one connection: when that fails in any way it is thrown away, and what was not acknowledged is offered again.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import socket
from dataclasses import dataclass
from typing import Any, Final

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from lamppost.base.clock import Clock, SystemClock
from lamppost.base.errors import CarrierDown, NoticeRefused
from lamppost.model.carriers import NotifySettings, split_carrier_url
from lamppost.notify.carrier import read_secret
from lamppost.notify.notice import Notice
from lamppost.notify.tls import tls_context

CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
LAST_WORDS_S: Final = 1.0
KEEPALIVE_S: Final = 30
NODE: Final = "_node"  # in place of a camera; no camera has such a name
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
# Reasons of a PUBACK (MQTT 5, 3.4.2.1) that will be the same next time.
_FOR_GOOD: Final = frozenset({0x87, 0x90, 0x99})  # not authorised, topic name invalid, payload format invalid


@dataclass(frozen=True, slots=True)
class _Answer:
    """Something that the broker said, or that the connection ended (`mid` is None)."""

    mid: int | None
    reason: ReasonCode


class MqttCarrier:
    """Publishes with QoS 1 to `PREFIX/events/CAMERA/TYPE`; a broker's acknowledgement means that it is delivered.

    While it is connected, the retained topic `PREFIX/status` says `online`; afterwards `offline`, whoever ended it.
    """

    def __init__(self, settings: NotifySettings, *, clock: Clock | None = None) -> None:
        if settings.url is None:
            raise ValueError("a broker has an address")
        self._clock = clock or SystemClock()
        parts = split_carrier_url(settings.url, ("mqtt", "mqtts"))
        self._settings = settings
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._is_tls = parts.scheme == "mqtts"
        self._status = f"{settings.topic_prefix}/status"
        self._client: Client | None = None
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._place = f"the broker {self._host}:{self._port}"

    def open(self) -> None:
        if self._client is not None and self._client.is_connected():
            return
        self.close()
        client = self._make_client()
        self._client = client
        try:
            client.connect(self._host, self._port, keepalive=KEEPALIVE_S)
            client.loop_start()
            answer = self._await(None, CONNECT_S)
        except (OSError, ValueError) as error:  # ValueError: a host that can be none
            self._drop()
            raise CarrierDown(f"{self._place} cannot be reached: {getattr(error, 'strerror', None) or error}") from error
        except CarrierDown:
            self._drop()
            raise
        if answer.reason.is_failure:
            self._drop()
            raise CarrierDown(f"{self._place} does not let us in: {answer.reason}", remedy="look at username and password_file")
        self._publish(client, self._status, b"online", retain=True)

    def send(self, notice: Notice) -> None:
        self.open()
        client = self._client
        if client is None:
            raise CarrierDown("it is not open")
        topic = f"{self._settings.topic_prefix}/events/{notice.camera or NODE}/{notice.type}"
        make_properties: Any = Properties  # the library does not type it
        properties = make_properties(PacketTypes.PUBLISH)
        properties.ContentType = "application/json"
        properties.UserProperty = [("id", notice.id), ("phase", notice.phase.value)]
        info = self._publish(client, topic, notice.body, properties=properties)
        try:
            answer = self._await(info.mid, ANSWER_S)
        except CarrierDown:
            self._drop()
            raise
        if not answer.reason.is_failure:
            return
        problem = f"{self._place} does not take it: {answer.reason}"
        if answer.reason.value in _FOR_GOOD:
            raise NoticeRefused(problem)
        raise CarrierDown(problem)

    def close(self) -> None:
        client = self._client
        if client is not None and client.is_connected():
            with contextlib.suppress(CarrierDown):
                info = self._publish(client, self._status, b"offline", retain=True)
                self._await(info.mid, LAST_WORDS_S)
                client.disconnect()
                self._await(info.mid, LAST_WORDS_S)  # until the connection has ended: its will must not come after a new "online"
        self._drop()

    def _make_client(self) -> Client:
        settings = self._settings
        # Each connection of its own: two nodes that name a carrier alike must not push each other out.
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"lamppost-{settings.name}-{secrets.token_hex(4)}",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        client.max_queued_messages_set(8)
        if settings.username is not None:
            password = read_secret(settings.password_file, "password_file") if settings.password_file is not None else None
            client.username_pw_set(settings.username, password)
        if self._is_tls:
            untyped: Any = client
            untyped.tls_set_context(tls_context(settings))
        client.will_set(self._status, b"offline", qos=1, retain=True)
        answers = self._answers = queue.SimpleQueue[_Answer]()  # one that a thrown away client still holds is not read any more

        def on_connect(_client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
            answers.put(_Answer(0, reason))

        def on_publish(_client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
            answers.put(_Answer(mid, reason))

        def on_disconnect(_client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
            answers.put(_Answer(None, reason))

        client.on_connect, client.on_publish, client.on_disconnect = on_connect, on_publish, on_disconnect
        return client

    def _publish(
        self, client: Client, topic: str, payload: bytes, *, retain: bool = False, properties: Properties | None = None
    ) -> MQTTMessageInfo:
        info = client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._drop()
            raise CarrierDown(f"{self._place} is not connected any more")
        return info

    def _await(self, mid: int | None, patience_s: float) -> _Answer:
        """The answer to the message `mid`, or to the connection where it is None; raises `CarrierDown`."""
        wanted = 0 if mid is None else mid  # the library numbers messages from 1
        deadline_s = self._clock.monotonic_s() + patience_s
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, deadline_s - self._clock.monotonic_s()))
            except queue.Empty as error:
                raise CarrierDown(f"{self._place} does not answer within {patience_s:g} s") from error
            if answer.mid is None:
                # It may be the message that the broker cannot stand: others are tried first.
                raise CarrierDown(f"{self._place} has ended the connection: {answer.reason}", is_about_all=mid is None)
            if answer.mid == wanted:
                return answer

    def _drop(self) -> None:
        """Throw the client away, with what it would send again."""
        client, self._client = self._client, None
        if client is None:
            return
        connection: Any = client.socket()  # plain, or one of TLS
        if connection is not None:
            # The library's thread waits for what is not acknowledged; without a connection it ends.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        client.loop_stop()
