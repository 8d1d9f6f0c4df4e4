"""Files that a command shall write: looked at before anything is done."""

from __future__ import annotations

from pathlib import Path

from lamppost.base.errors import ConfigError

_PLOTS = (".png", ".svg")


def check_target(path: Path | None, *, is_overwriting: bool) -> None:
    """Raise `ConfigError` where a file exists and may not be replaced, or its folder is missing; None is nothing to write."""
    if path is None:
        return
    if path.exists() and not is_overwriting:
        raise ConfigError(f"{path} exists", remedy="name another file, or pass --overwrite")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {path} does not exist", remedy="make it first")


def check_plot(path: Path | None) -> None:
    """Raise `ConfigError` for a plot of another kind than can be drawn."""
    if path is not None and path.suffix.lower() not in _PLOTS:
        raise ConfigError(f"the plot {path} is neither a .png nor an .svg")
