"""Finds the sets of truth in a folder: those that its `truth.toml` lists, or those whose layout is known.

```
[[set]]
name = "one-by-one"
media = "clips/one-by-one.mp4"     a clip, a folder of pictures, or a sim:// address; from the folder of media
format = "mot"                     mot, wider, dlib, voc or sim
truth = "one-by-one.gt.txt"        from the folder of truth.toml; for voc a folder of XML files
fps = 25                           of numbered pictures; 25 otherwise
seconds = 60                       of a simulated street
note = "every fifth frame by hand"
[set.classes]                      what numbers (mot) or names (dlib, voc) count as, where it is not usual
1 = "head"
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from lamppost.base.errors import ConfigError
from lamppost.bench import mot, pictures
from lamppost.bench.simulated import street_truth
from lamppost.bench.truth import Annotations, ClipSet, Label, Still, StillSet, TruthSet
from lamppost.decode.files import FileFrames
from lamppost.decode.sequences import PictureFrames
from lamppost.decode.stills import read_still
from lamppost.pipeline.mask_jobs import CLIP_SUFFIXES, PICTURE_SUFFIXES
from lamppost.pipeline.street_clip import StreetFrames

LIST: Final = "truth.toml"
_KEYS: Final = frozenset({"name", "media", "format", "truth", "fps", "seconds", "note", "classes"})
_FORMATS: Final = ("mot", "wider", "dlib", "voc", "sim")


def find_sets(folder: Path, media: Path | None = None) -> tuple[TruthSet, ...]:
    """The sets in `folder`, whose clips and pictures lie in `media`, or in `folder` as well.

    Raises `ConfigError` when there is none, or when the boxes of one cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"the truth {folder} is not a folder", remedy="name a folder with truth.toml, or with a set of a known layout")
    listing = folder / LIST
    if listing.is_file():
        return tuple(
            _listed(entry, f"{listing}, set {number}", folder, media or folder) for number, entry in enumerate(_entries(listing), 1)
        )
    found = tuple(_discovered(folder, media or folder))
    if not found:
        raise ConfigError(
            f"{folder} holds no truth that is known: no {LIST}, gt.txt, wider_face_…_bbx_gt.txt, and no XML of dlib or Pascal VOC",
            remedy="docs/reference/leak.md has the layouts",
        )
    return found


def _entries(listing: Path) -> list[dict[str, Any]]:
    try:
        content = tomllib.loads(listing.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{listing} cannot be read: {error}") from error
    entries: Any = content.get("set")
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{listing} lists no set", remedy="each has a table [[set]]")
    return cast("list[dict[str, Any]]", entries)


def _listed(entry: Mapping[str, Any], where: str, folder: Path, media: Path) -> TruthSet:
    unknown = sorted(entry.keys() - _KEYS)
    if unknown:
        raise ConfigError(f"{where}: {unknown[0]!r} is no setting", remedy=f"known here: {', '.join(sorted(_KEYS))}")
    name, place, form = (_wanted(entry, key, where) for key in ("name", "media", "format"))
    if form not in _FORMATS:
        raise ConfigError(f"{where}: the format {form!r} is not known", remedy=f"one of {', '.join(_FORMATS)}")
    note = str(entry.get("note", ""))
    if form == "sim":
        return _simulated(name, place, int(entry.get("seconds", 60)), note, where)
    classes = _classes(entry, form, where)
    truth = folder / _wanted(entry, "truth", where)
    if form == "mot":
        annotations = mot.read_mot(truth, {int(key): label for key, label in classes.items()} if classes else mot.CLASSES)
        return _clip(name, media / place, annotations, float(entry.get("fps", 25)), note)
    return _stills(name, _read_pictures(form, truth, classes), media / place, note)


def _wanted(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{where}: {key} is missing", remedy=f"docs/reference/leak.md has an example of {LIST}")
    return value


def _classes(entry: Mapping[str, Any], form: str, where: str) -> dict[str, Label] | None:
    table = entry.get("classes")
    if table is None:
        return None
    try:
        classes = {str(key): Label(value) for key, value in table.items()}
    except (AttributeError, ValueError) as error:
        raise ConfigError(f"{where}: classes names {error}", remedy=f"one of {', '.join(Label)}") from error
    if form == "mot" and not all(key.isdecimal() for key in classes):
        raise ConfigError(f"{where}: the classes of mot are numbers")
    return classes


def _read_pictures(form: str, truth: Path, classes: Mapping[str, Label] | None) -> Annotations:
    if form == "wider":
        return pictures.read_wider(truth, next(iter(classes.values())) if classes else Label.FACE)
    if form == "dlib":
        return pictures.read_dlib(truth, classes)
    files = sorted(truth.glob("*.xml")) if truth.is_dir() else [truth]
    return _together([pictures.read_voc(path, classes) for path in files])


def _together(parts: list[Annotations]) -> Annotations:
    labels = frozenset(label for part in parts for label in part.labels)
    return Annotations(labels, pictures={name: boxes for part in parts for name, boxes in part.pictures.items()})


def _clip(name: str, media: Path, annotations: Annotations, fps: float, note: str = "") -> ClipSet:
    if media.is_dir():
        files = tuple(sorted(path for path in media.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES))
        if files:
            return ClipSet(name, annotations.labels, annotations.frames, lambda: PictureFrames(files, fps), note)
    if not media.is_file():
        raise ConfigError(f"the set {name} has boxes, and no pictures: {media} is neither a clip nor a folder of pictures")
    return ClipSet(name, annotations.labels, annotations.frames, lambda: FileFrames(media, threads=1), note)


def _simulated(name: str, address: str, seconds: int, note: str, where: str) -> ClipSet:
    try:
        settings, labels, boxes = street_truth(address, seconds)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.problem}", remedy=error.remedy) from error
    return ClipSet(name, labels, boxes, lambda: StreetFrames(settings, seconds), note)


def _stills(name: str, annotations: Annotations, root: Path, note: str = "") -> StillSet:
    stills = [Still(key, _reader(root / key), boxes) for key, boxes in annotations.pictures.items() if (root / key).is_file()]
    missing = len(annotations.pictures) - len(stills)
    if not stills:
        raise ConfigError(
            f"the set {name} has boxes, and none of its {missing} pictures is in {root}", remedy="name their folder with --media"
        )
    told = f"{missing} of {len(annotations.pictures)} pictures are not there" if missing else ""
    return StillSet(name, annotations.labels, tuple(stills), "; ".join(part for part in (note, told) if part))


def _reader(path: Path) -> Callable[[], Any]:
    return lambda: read_still(path)


def _discovered(folder: Path, media: Path) -> Iterator[TruthSet]:
    for path in sorted(folder.rglob("gt.txt")):
        yield _challenge(path, folder, media)
    for path in sorted(folder.rglob("wider_face_*_bbx_gt.txt")):
        annotations = pictures.read_wider(path)
        yield _stills(path.stem, annotations, _root_of(annotations, (media, media / "images", *media.glob("*/images"), path.parent)))
    single: list[tuple[Path, Annotations]] = []
    for path in sorted(folder.rglob("*.xml")):
        try:
            root = pictures.read_xml(path)
        except ConfigError:
            continue  # somebody else's
        if root.tag == "dataset":
            annotations = pictures.dlib_boxes(root, path)
            yield _stills(path.stem, annotations, _root_of(annotations, (path.parent, media)))
        elif root.tag == "annotation":
            single.append((path, pictures.voc_boxes(root, path)))
    if single:
        annotations = _together([each for _, each in single])
        beside = single[0][0].parent
        places = (media, media / "images", media / "JPEGImages", beside, beside.parent / "images", beside.parent / "JPEGImages")
        yield _stills(folder.name, annotations, _root_of(annotations, places))


def _challenge(path: Path, folder: Path, media: Path) -> ClipSet:
    """A sequence of the MOTChallenge: `gt/gt.txt`, `seqinfo.ini`, and `img1/` or a clip beside it."""
    home = path.parent.parent if path.parent.name == "gt" else path.parent
    sequence = mot.read_sequence(home / "seqinfo.ini")
    beside = media / home.relative_to(folder)
    clips = sorted(item for item in beside.iterdir() if item.suffix.lower() in CLIP_SUFFIXES) if beside.is_dir() else []
    place = beside / sequence.pictures
    return _clip(home.name, place if place.is_dir() or not clips else clips[0], mot.read_mot(path), sequence.fps)


def _root_of(annotations: Annotations, places: tuple[Path, ...]) -> Path:
    """The first of `places` under which the first picture that is anywhere lies."""
    for key in annotations.pictures:
        for place in places:
            if (place / key).is_file():
                return place
    return places[0]
