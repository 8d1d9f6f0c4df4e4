"""What `lamppost mask IN OUT` has to do: which file becomes which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lamppost.base.errors import ConfigError, MediaError

_CONTAINERS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".flv", ".wmv", ".3gp", ".ogv")
_STREAMS = (".gif", ".mjpeg", ".mjpg", ".264", ".h264", ".265", ".h265", ".hevc")
CLIP_SUFFIXES = frozenset((*_CONTAINERS, *_STREAMS))
PICTURE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"])


@dataclass(frozen=True, slots=True)
class MaskJob:
    """One file to mask."""

    source: Path
    target: Path
    is_picture: bool


def plan_jobs(source: Path, target: Path, *, is_overwriting: bool) -> tuple[MaskJob, ...]:
    """The files below `source`, each with where it goes; nothing is touched yet.

    Raises `ConfigError` when the two make no sense together, `MediaError` when
    there is nothing to mask or a target exists and may not be overwritten.
    """
    if not source.exists():
        raise ConfigError(f"{source} does not exist")
    if source.is_dir():
        jobs = _plan_folder(source, target)
    else:
        jobs = (_plan_file(source, target / _target_name(source) if target.is_dir() else target),)
    for job in jobs:
        if job.target.exists() and job.target.samefile(job.source):
            raise ConfigError(f"{job.source} would be written over itself", remedy="name another OUT: the original is never changed")
        if job.target.exists() and not is_overwriting:
            raise MediaError(f"{job.target} exists", remedy="name another OUT, or pass --overwrite")
    return jobs


def _plan_file(source: Path, target: Path) -> MaskJob:
    is_picture = source.suffix.lower() in PICTURE_SUFFIXES
    wanted = source.suffix.lower() if is_picture else ".mp4"
    if _kind_of(target.suffix) != _kind_of(wanted):
        raise ConfigError(f"{target} cannot hold what {source.name} becomes", remedy=f"let OUT end in {wanted}")
    return MaskJob(source, target, is_picture)


def _plan_folder(source: Path, target: Path) -> tuple[MaskJob, ...]:
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{source} is a folder, and {target} is a file", remedy="name a folder as OUT")
    inner, outer = target.resolve(), source.resolve()
    if inner == outer or outer in inner.parents:
        raise ConfigError(f"{target} lies in {source}", remedy="name a folder outside of IN, so that no output is taken for an input")
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and _is_wanted(path.relative_to(source))]
    if not files:
        raise MediaError(f"no clip and no picture was found in {source}")
    names = [path.relative_to(source).with_name(_target_name(path)) for path in files]
    return tuple(
        MaskJob(path, target / _unique(name, path, names), path.suffix.lower() in PICTURE_SUFFIXES)
        for path, name in zip(files, names, strict=True)
    )


def _is_wanted(path: Path) -> bool:
    is_hidden = any(part.startswith(".") for part in path.parts)
    return not is_hidden and path.suffix.lower() in CLIP_SUFFIXES | PICTURE_SUFFIXES


def _target_name(source: Path) -> str:
    return source.name if source.suffix.lower() in PICTURE_SUFFIXES else f"{source.stem}.mp4"


def _unique(name: Path, source: Path, names: Sequence[Path]) -> Path:
    """`a.gif` beside `a.avi`: both keep their whole name, so that neither replaces the other."""
    return name if names.count(name) == 1 else name.with_name(f"{source.name}.mp4")


def _kind_of(suffix: str) -> str:
    return {".jpeg": ".jpg", ".tiff": ".tif", ".m4v": ".mp4"}.get(suffix.lower(), suffix.lower())
