"""A path as the configuration may name one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def _without_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("no file name holds the character NUL")
    return path


FilePath = Annotated[Path, AfterValidator(_without_nul)]
