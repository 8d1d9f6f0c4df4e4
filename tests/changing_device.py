"""A device that is played from replies and takes changes, as Hikvision's, Dahua's and Axis's do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from lamppost.base.errors import CameraUnreachable
from lamppost.cameras.dialects.replies import PlayedDevice, Variant, question_of, reply
from lamppost.cameras.web import Reply

_TAKEN = b'<ResponseStatus version="2.0"><statusCode>1</statusCode><statusString>OK</statusString></ResponseStatus>'


@dataclass
class ChangingDevice:
    """`changes` are the requests that change something, in order. It `ignores` some, and is gone after `lasts` of them."""

    variant: Variant
    ignores: str = "nothing"
    lasts: int = 1000
    changes: list[str] = field(default_factory=list[str])
    replies: dict[str, Reply] = field(init=False)

    def __post_init__(self) -> None:
        self.replies = dict(self.variant.replies)

    def ask(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None, *, timeout_s: float | None = None
    ) -> Reply:
        if len(self.changes) > self.lasts:
            raise CameraUnreachable("the device has not answered in time")
        query = dict(parse_qsl(urlsplit(path).query))
        if method == "PUT":
            return self._change(path, lambda: self._put(f"GET {path}", content), _TAKEN)
        if query.get("action") == "setConfig":
            key, value = path.partition("setConfig&")[2].split("=", 1)
            return self._change(f"{key}={value}", lambda: self._line(key, value), b"OK\r\n")
        if query.get("action") in ("stop", "start"):
            return self._change(f"{query['action']} {query['package']}", lambda: self._application(query), b"OK\n")
        if method == "POST" and b"setEnabledProducers" in content:
            return self._change(content.decode(), lambda: self._producers(content), b'{"data": {}}')
        played = PlayedDevice(Variant(self.variant.vendor, self.variant.name, self.replies, self.variant.able))
        return played.ask(method, path, content, headers, timeout_s=timeout_s)

    def text(self, question: str) -> str:
        return self.replies[question].content.decode()

    def replace(self, question: str, text: str) -> None:
        self.replies[question] = reply(200, text.encode(), self.replies[question].headers["content-type"])

    def _change(self, what: str, change: object, answer: bytes) -> Reply:
        self.changes.append(what)
        if len(self.changes) > self.lasts:
            raise CameraUnreachable("the device has not answered in time")
        if self.ignores not in what and callable(change):
            change()
        return reply(200, answer, "application/json" if answer[:1] == b"{" else "application/xml" if answer[:1] == b"<" else "text/plain")

    def _put(self, question: str, content: bytes) -> None:
        assert question in self.replies, question
        self.replace(question, content.decode())

    def _line(self, key: str, value: str) -> None:
        for question, answer in self.replies.items():
            text = answer.content.decode()
            if f"table.{key}=" in text:
                self.replace(question, re.sub(rf"(?m)^(table\.{re.escape(key)}=)[^\r\n]*", rf"\g<1>{value}", text))
                return
        raise AssertionError(f"there is no {key}")

    def _application(self, query: Mapping[str, str]) -> None:
        question = "GET /axis-cgi/applications/list.cgi"
        status = "Stopped" if query["action"] == "stop" else "Running"
        self.replace(question, re.sub(rf'(Name="{query["package"]}".*Status=")\w+', rf"\g<1>{status}", self.text(question)))

    def _producers(self, content: bytes) -> None:
        question = question_of("POST", "/axis-cgi/analyticsmetadataconfig.cgi", b'{"method": "listProducers"}')
        told = json.loads(self.text(question))
        for wanted in json.loads(content)["params"]["producers"]:
            for producer in told["data"]["producers"]:
                for channel in producer["videochannels"]:
                    for one in wanted["videochannels"]:
                        if producer["name"] == wanted["name"] and channel["channel"] == one["channel"]:
                            channel["enabled"] = one["enabled"]
        self.replace(question, json.dumps(told))
