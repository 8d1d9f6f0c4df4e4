"""How the supervisor tells the server how the node is: one JSON object, twice a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from lamppost.model.books import Severity
from lamppost.model.settings import Settings
from lamppost.pipeline.alarms import Condition
from lamppost.pipeline.fleet import Role

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class TellingChild(Protocol):
    """What is told of a child."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def deaths(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def status(self) -> Mapping[str, Any]: ...
    @property
    def process_id(self) -> int | None: ...


class TellingNode(Protocol):
    """What is told of a node."""

    @property
    def settings(self) -> Settings: ...
    @property
    def children(self) -> Sequence[TellingChild]: ...
    @property
    def alarms(self) -> tuple[Condition, ...]: ...

    def recording(self, camera: str) -> Mapping[str, Any]: ...
    def masking(self, camera: str) -> Mapping[str, Any]: ...
    def device(self, camera: str) -> Mapping[str, Any]: ...


def node_state(node: TellingNode, *, started_us: int, at_us: int) -> dict[str, Any]:
    """The node as it is at `at_us`; `started_us` is when it was started.

    ```
    {"at_us", "started_us",
     "cameras": {NAME: {"recording": the recorder's report, "masking": the analyst's, "device": the caretaker's}},
     "processes": [{"name", "role", "pid": None while dead, "deaths", "reason" of the last, "status" without cameras}],
     "alarms": [{"kind", "severity", "camera", "problem"}]}
    ```
    """
    return {
        "at_us": at_us,
        "started_us": started_us,
        "cameras": {
            camera.name: {
                "recording": dict(node.recording(camera.name)),
                "masking": dict(node.masking(camera.name)),
                "device": dict(node.device(camera.name)),
            }
            for camera in node.settings.camera
        },
        "processes": [
            {
                "name": child.name,
                "role": child.role.value,
                "pid": child.process_id,
                "deaths": child.deaths,
                "reason": child.reason,
                "status": {key: value for key, value in child.status.items() if key != "cameras"},
            }
            for child in node.children
        ],
        "alarms": [
            {"kind": alarm.kind, "severity": alarm.severity.value, "camera": alarm.camera, "problem": alarm.problem}
            for alarm in node.alarms
        ],
    }


@dataclass(frozen=True, slots=True)
class ToldChild:
    """A process, as the supervisor told of it."""

    name: str
    role: Role
    deaths: int
    reason: str
    status: Mapping[str, Any]
    process_id: int | None


@dataclass(slots=True)
class ToldNode:
    """The node, as the supervisor told of it last; read by many threads, and replaced whole."""

    settings: Settings
    state: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    @property
    def children(self) -> tuple[ToldChild, ...]:
        return tuple(
            ToldChild(told["name"], Role(told["role"]), told["deaths"], told["reason"], told["status"], told["pid"])
            for told in self.state.get("processes", ())
        )

    @property
    def alarms(self) -> tuple[Condition, ...]:
        return tuple(
            Condition(told["kind"], Severity(told["severity"]), told["camera"], told["problem"]) for told in self.state.get("alarms", ())
        )

    def recording(self, camera: str) -> Mapping[str, Any]:
        return self._of(camera, "recording")

    def masking(self, camera: str) -> Mapping[str, Any]:
        return self._of(camera, "masking")

    def device(self, camera: str) -> Mapping[str, Any]:
        return self._of(camera, "device")

    def _of(self, camera: str, what: str) -> Mapping[str, Any]:
        reports: Mapping[str, Any] = self.state.get("cameras", _NOTHING).get(camera, _NOTHING)
        found: Mapping[str, Any] = reports.get(what, _NOTHING)
        return found
