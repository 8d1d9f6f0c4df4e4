"""Makes `NAME.gt.txt` of every `NAME.keys.toml` in this folder, so that what was typed stays the only thing to correct.

`python -m benchmarks.truth.make_truth` writes; with `--check` it only says what is not as the keys have it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.truth.keys import read_keys

FOLDER = Path(__file__).parent
KEYS = ".keys.toml"


def made(folder: Path) -> Iterator[tuple[Path, str]]:
    """The path and the text of every truth file that follows from the keys in `folder`."""
    for path in sorted(folder.glob(f"*{KEYS}")):
        yield path.with_name(path.name.removesuffix(KEYS) + ".gt.txt"), read_keys(path).mot_text()


def stale(folder: Path) -> list[Path]:
    """Truth files that are missing or differ from what the keys say."""
    return [path for path, text in made(folder) if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write the truth files or, with `--check`, list the stale ones; 1 when there are any."""
    if arguments == ["--check"]:
        outdated = stale(FOLDER)
        for path in outdated:
            print(f"{path.name} is not what its keys say")
        return int(bool(outdated))
    if arguments:
        print("usage: python -m benchmarks.truth.make_truth [--check]")
        return 2
    for path, text in made(FOLDER):
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} boxes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
