"""The demonstration that `lamppost init --demo` sets up: two simulated streets, with lines and zones to count in."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from lamppost.base.durable import make_directory, write_durable

SITE: Final = "Old Town"
CAMERAS: Final = {
    "plaza": "sim://plaza?seed=8&people=4&vehicles=2",
    "bridge": "sim://plaza?seed=3&people=3&vehicles=1&width=640&height=360&fps=10",
}
RULES_FILE: Final = "rules/demo.toml"
_RULES: Final = """# Lines and zones of the demonstration; changed here or in the console, they count anew within seconds.
[[line]]
name = "middle"
points = [[0.5, 0.35], [0.5, 0.98]]

[[zone]]
name = "near-pavement"
points = [[0.02, 0.62], [0.98, 0.62], [0.98, 0.98], [0.02, 0.98]]

[[rule]]
name = "somebody-crosses"
type = "line_crossed"
line = "middle"
severity = "info"
cooldown_s = 20

[[rule]]
name = "crowded"
type = "occupancy"
zone = "near-pavement"
most = 2
severity = "warning"

[heat_map]
"""


def write_rules(config: Path) -> None:
    """Write the rules beside the configuration; durable on return. Raises `StoreError`."""
    path = config.resolve().parent / RULES_FILE
    make_directory(path.parent)
    write_durable(path, _RULES.encode())
