"""A served node whose configuration is a real file, and what the supervisor does when that changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamppost.model.networks import PRIVATE
from lamppost.pipeline.configuration import load_whole
from served_node import CUSTODIANS, GivenNode, ServedNode

NETWORKS = (*PRIVATE, "192.0.2.0/24")
CAMERAS = """\
# The square, seen from the town hall.
[[camera]]
name = "plaza"
url = "rtsp://192.0.2.1/main"

[[camera]]
name = "bridge"
url = "sim://plaza?seed=2"
site = "Harbour"
"""


class ConfiguredNode(ServedNode):
    """The application with `lamppost.toml` beside its data folder."""

    @classmethod
    def configured(cls, folder: Path, text: str = CAMERAS) -> ConfiguredNode:
        served = cls.make(folder / "data")
        config = folder / "lamppost.toml"
        sealing = f"[sealing]\ncustodians = {json.dumps(CUSTODIANS)}\nthreshold = 2\n"
        devices = "" if "[devices]" in text else f"[devices]\nnetworks = {json.dumps(NETWORKS)}\n"
        config.write_text(f'data = "data"\nsite = "Old Town"\n\n{sealing}\n{devices}\n{text}', encoding="utf-8")
        served.context.config = config
        node = cls(served.context, served.app)
        node.take_over()
        return node

    @property
    def config(self) -> Path:
        assert self.context.config is not None
        return self.context.config

    def take_over(self, **state: Any) -> None:
        """What the supervisor does when the file has changed, and what it then tells."""
        # As the server gets them: without passwords.
        settings = load_whole(self.config)
        cameras = tuple(
            camera.model_copy(update={"password": None, "password_file": None, "credential": None}) for camera in settings.camera
        )
        self.context.node = GivenNode(settings.model_copy(update={"camera": cameras}), state)

    def acts(self) -> list[dict[str, Any]]:
        """What was put on the record, in order."""
        from lamppost.model.books import Act
        from lamppost.store.journal import journal_files, scan_journal

        records = [record for path in journal_files(self.context.folder.journal / "server") for record in scan_journal(path, 0).records]
        return [
            {"kind": each.kind, "actor": each.actor, "subject": each.subject, "detail": json.loads(each.detail)}
            for each in records
            if isinstance(each, Act)
        ]
