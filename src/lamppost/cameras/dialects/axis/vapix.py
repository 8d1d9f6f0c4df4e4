"""What VAPIX answers: applications, metadata producers, parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lamppost.base.errors import UnreadableReply
from lamppost.cameras.dialects.reading import Lines, fields_in, items_in, read_json, read_lines, read_xml
from lamppost.cameras.web import Reply

JSON: Final = {"Content-Type": "application/json"}
LIST: Final = "/axis-cgi/applications/list.cgi"
METADATA: Final = "/axis-cgi/analyticsmetadataconfig.cgi"
MOST_APPLICATIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Application:
    """An application on the device, in its own words."""

    name: str
    nice_name: str
    vendor: str
    status: str  # Running, Stopped, Idle

    @property
    def words(self) -> str:
        return f"{self.name} {self.nice_name}"


@dataclass(frozen=True, slots=True)
class Producer:
    """Who writes metadata on the device, and on which channels just now."""

    name: str
    nice_name: str
    channels: tuple[tuple[int, bool], ...]


def read_applications(reply: Reply) -> tuple[Application, ...]:
    """The list of applications; raises `UnreadableReply`, also where the device says that it failed."""
    root = read_xml(reply)
    if root.name != "reply" or root.attributes.get("result") != "ok":
        raise UnreadableReply("it answers with an error, or with another document")
    found = tuple(
        Application(*(element.attributes.get(name, "") for name in ("Name", "NiceName", "Vendor", "Status")))
        for element in root.each("application")
    )
    is_other = any(element.name != "application" for element in root.children)
    if len(found) > MOST_APPLICATIONS or any(not application.name for application in found) or (is_other and not found):
        raise UnreadableReply("its list of applications cannot be read")
    return found


def read_answer(reply: Reply) -> Mapping[str, Any]:
    """What stands under `data` in an answer in JSON; raises `UnreadableReply`, also where the device says that it failed."""
    found = read_json(reply)
    if "error" in found or not isinstance(found.get("data"), dict):
        raise UnreadableReply("it answers with an error")
    return fields_in(found["data"])


def read_producers(reply: Reply) -> tuple[Producer, ...]:
    """Who writes metadata; raises `UnreadableReply`."""
    said = read_answer(reply)
    found = said.get("producers")
    is_other = not found and len(said) > 1
    if not isinstance(found, list) or not all(fields_in(one) for one in items_in(found)) or is_other:
        raise UnreadableReply("its list of producers cannot be read")
    return tuple(
        Producer(str(one.get("name", ""))[:128], str(one.get("niceName", ""))[:128], tuple(_channels(one)))
        for one in map(fields_in, items_in(found))
    )


def read_parameters(reply: Reply) -> Lines:
    """Parameters; VAPIX tells of an error in a line that begins with #."""
    if reply.content.lstrip()[:1] == b"#":
        raise UnreadableReply("it answers with an error")
    return read_lines(reply)


def request(method: str, **parameters: Any) -> bytes:
    """A question in JSON."""
    return json.dumps({"apiVersion": "1.0", "context": "lamppost", "method": method, "params": parameters}).encode()


def _channels(producer: Mapping[str, Any]) -> Iterator[tuple[int, bool]]:
    """Only what says that it is off is off."""
    listed = producer.get("videochannels", producer.get("videoChannels"))
    for channel in map(fields_in, items_in(listed)):
        number = channel.get("channel")
        if not isinstance(number, int) or not 0 <= number < 1000:
            raise UnreadableReply("its list of producers cannot be read")
        yield number, channel.get("enabled") is not False
    if not listed:
        raise UnreadableReply("its list of producers does not say where they write")
