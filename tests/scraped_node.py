"""A node with one camera and one child of each role, for a scrape with every metric in it."""

from __future__ import annotations

import os
from types import SimpleNamespace

from lamppost.model.books import Severity
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.alarms import Condition
from lamppost.pipeline.fleet import Role


class ScrapedNode:
    """As `NodeCollector` asks it."""

    def __init__(self) -> None:
        sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
        self.settings = Settings(sealing=sealing, camera=(CameraSettings(name="gate", url="sim://plaza"),))
        status = {"retention": {"free_bytes": 1}, "carriers": {"hook": {}}, "figures": {"requests": {"2xx": 1}}}
        self.children = tuple(SimpleNamespace(name=role.value, role=role, deaths=1, status=status, process_id=os.getpid()) for role in Role)
        self.alarms = (Condition("camera_lost", Severity.WARNING, "gate", "x"),)

    def recording(self, camera: str) -> dict[str, object]:
        return {"state": "recording"}

    def device(self, camera: str) -> dict[str, object]:
        return {"is_reachable": True}

    def masking(self, camera: str) -> dict[str, object]:
        return {"step": "fewer_frames"}
