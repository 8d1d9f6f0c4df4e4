"""Whether every picture of an event is there and as it was written, and no picture that nothing names."""

from __future__ import annotations

import hashlib

from lamppost.model.layout import DataFolder
from lamppost.store.check_report import Findings
from lamppost.store.index import Index


def check_snapshots(folder: DataFolder, index: Index, findings: Findings, *, is_behind: bool, deep: bool) -> None:
    """Compare rows and files, of a folder in which nobody writes; with `deep` the bytes too.

    Where journals wait to be applied (`is_behind`), a file may be one that the index will know.
    """
    known: set[str] = set()
    for path, size_bytes, sha256 in index.snapshots():
        known.add(path)
        place = folder.root / path
        try:
            found_bytes = place.stat().st_size
            content = place.read_bytes() if deep else b""
        except FileNotFoundError:
            findings.error("the picture of an event is missing", path, "put it back from a backup; the event itself is known")
            continue
        except OSError as error:
            findings.error(f"the picture of an event cannot be read: {error.strerror}", path)
            continue
        if found_bytes != size_bytes or (deep and hashlib.sha256(content).hexdigest() != sha256):
            findings.error("the picture of an event is not what was written", path, "put it back from a backup")
    if is_behind:
        return
    for place in sorted((folder.root / "snapshots").glob("*/*/*.jpg")):
        if (path := folder.relative(place)) not in known:
            findings.warning("a picture that no event names, and that retention does not know", path, "a crash left it: remove it")
