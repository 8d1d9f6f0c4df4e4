"""The report of `lamppost mask`: what was hidden in every frame, and with what.

One JSON object:

```
{
  "format": "lamppost-mask-report-1",
  "lamppost": "0.1.0",                      version of Lamppost
  "made": "2026-11-23T10:00:00.250Z",       UTC
  "settings": {"preset", "fill", "look_back_s", "detect_interval_s", "score_threshold"},
  "models": [{"name", "sha256"}],
  "libraries": {"av", "numpy", "onnxruntime", "opencv-python-headless"},
  "inputs": [
    {
      "input": "clips/a.mov", "output": "masked/a.mp4", "kind": "clip" or "picture",
      "frames": [
        {"index": 0, "pts_s": 0.0, "masks": [[x0, y0, x1, y1, "person"]], "covered": null},
        …                                   covered: a cause such as "starting", or null
      ],
      "width_px": 768, "height_px": 432,    null when nothing was read
      "masked_frames": 1, "covered_frames": 0, "total_frames": 377,
      "notes": ["…"],                       what to know about this output
      "error": null                         or why there is no output
    }
  ],
  "totals": {"inputs", "failed", "frames", "masked_frames", "covered_frames", "masks"}
}
```

Boxes are pixels of the output, right and lower edge outside. A covered frame
lists no boxes: all of it is covered. Notes and errors name no content.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from lamppost.base.errors import MediaError
from lamppost.model.vision import CoverCause, Mask

FORMAT = "lamppost-mask-report-1"


@dataclass(slots=True)
class Tally:
    """What became of the frames of one input."""

    total_frames: int = 0
    masked_frames: int = 0
    covered_frames: int = 0
    masks: int = 0
    causes: dict[str, int] = field(default_factory=lambda: dict[str, int]())

    def count(self, masks: tuple[Mask, ...], covered: CoverCause | None) -> None:
        """Take one frame into account."""
        self.total_frames += 1
        self.masks += len(masks)
        if covered is not None:
            self.covered_frames += 1
            self.causes[covered.value] = self.causes.get(covered.value, 0) + 1
        elif masks:
            self.masked_frames += 1


@dataclass(slots=True)
class Totals:
    """What became of everything."""

    inputs: int = 0
    failed: int = 0
    frames: int = 0
    masked_frames: int = 0
    covered_frames: int = 0
    masks: int = 0

    def add(self, tally: Tally, *, is_failed: bool) -> None:
        self.inputs += 1
        self.failed += is_failed
        if not is_failed:
            self.frames += tally.total_frames
            self.masked_frames += tally.masked_frames
            self.covered_frames += tally.covered_frames
            self.masks += tally.masks


class ReportWriter:
    """Writes the report as the work goes on; it appears under its name only when it is whole.

    Frames are written as they come, so that a long clip takes no memory.
    """

    def __init__(self, path: Path, head: dict[str, Any], *, is_overwriting: bool) -> None:
        if path.exists() and not is_overwriting:
            raise MediaError(f"the report {path} exists", remedy="name another, or pass --overwrite")
        self._path = path
        self._staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        self._inputs = 0
        self._frames = 0
        try:
            self._file: TextIO = self._staging.open("x", encoding="utf-8")
        except OSError as error:
            raise MediaError(f"the report {path} cannot be written: {error.strerror}") from error
        self._write(json.dumps({"format": FORMAT, **head}, indent=1)[:-2] + ',\n "inputs": [')

    def open_input(self, source: str, target: str, kind: str) -> None:
        """Begin one input; frames and `close_input` follow."""
        self._write("," if self._inputs else "")
        self._inputs, self._frames = self._inputs + 1, 0
        opening = json.dumps({"input": source, "output": target, "kind": kind}, ensure_ascii=False)
        self._write(f'\n  {opening[:-1]}, "frames": [')

    def add_frame(self, pts_s: float, masks: tuple[Mask, ...], covered: CoverCause | None) -> None:
        frame = {
            "index": self._frames,
            "pts_s": round(pts_s, 6),
            "masks": [[mask.x0, mask.y0, mask.x1, mask.y1, mask.fill.value] for mask in masks],
            "covered": covered.value if covered else None,
        }
        self._write(("," if self._frames else "") + "\n   " + json.dumps(frame))
        self._frames += 1

    def close_input(self, tally: Tally, size: tuple[int, int] | None, notes: list[str], error: str | None) -> None:
        ending = {
            "width_px": size[0] if size else None,
            "height_px": size[1] if size else None,
            "masked_frames": tally.masked_frames,
            "covered_frames": tally.covered_frames,
            "total_frames": tally.total_frames,
            "notes": notes,
            "error": error,
        }
        self._write("], " + json.dumps(ending, ensure_ascii=False)[1:])

    def finish(self, totals: Totals) -> None:
        """Write the end and put the report under its name."""
        self._write(f'\n ],\n "totals": {json.dumps(asdict(totals))}\n}}\n')
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._staging.replace(self._path)
        except OSError as error:
            raise MediaError(f"the report {self._path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Leave nothing behind of a report that was not finished."""
        with contextlib.suppress(OSError):  # what a full disk did not take is thrown away anyway
            self._file.close()
        self._staging.unlink(missing_ok=True)

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError as error:
            raise MediaError(f"the report {self._path} cannot be written: {error.strerror}") from error
