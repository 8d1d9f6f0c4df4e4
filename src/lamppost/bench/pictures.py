"""Reads the truth of single pictures: the text of WIDER FACE, and the XML of dlib and of Pascal VOC.

Sources: Yang et al., "WIDER FACE", 2016 (http://shuoyang1213.me/WIDERFACE); dlib's imglab; Everingham et al., "The Pascal Visual Object
Classes", 2010, whose XML most sets of heads and plates have.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lamppost.base.errors import ConfigError
from lamppost.bench.truth import Annotations, Label, TruthBox, label_of
from lamppost.model.vision import Box

_LARGEST_BYTES: Final = 512 << 20
_WIDER_COLUMNS = 10  # x, y, width, height, blur, expression, illumination, invalid, occlusion, pose
_INVALID_COLUMN = 7


def read_wider(path: Path, label: Label = Label.FACE) -> Annotations:
    """WIDER's text: a path, a number of boxes, then one line a box. Raises `ConfigError` with the line that is wrong."""
    lines = _text(path).splitlines()
    pictures: dict[str, tuple[TruthBox, ...]] = {}
    index = 0
    while index < len(lines):
        if not lines[index].strip():
            index += 1
            continue
        name, where = lines[index].strip(), f"{path}, line {index + 2}"
        try:
            count = int(lines[index + 1])
            # A picture without a face has a line of zeros all the same.
            rows = [_numbers(line) for line in lines[index + 2 : index + 2 + max(1, count)]]
        except (IndexError, ValueError) as error:
            raise ConfigError(
                f"{where}: a number of boxes and as many lines of numbers are wanted", remedy="is it WIDER's text?"
            ) from error
        if count < 0 or len(rows) < max(1, count) or any(len(row) < 4 for row in rows):
            raise ConfigError(f"{where}: a number of boxes and as many lines of numbers are wanted", remedy="is it WIDER's text?")
        pictures[name] = tuple(_wider_box(row, label) for row in rows[:count] if row[2] > 0 and row[3] > 0)
        index += 2 + len(rows)
    return Annotations(frozenset([label]), pictures=pictures)


def _numbers(line: str) -> list[float]:
    return [float(value) for value in line.split()]


def _wider_box(row: list[float], label: Label) -> TruthBox:
    is_invalid = len(row) >= _WIDER_COLUMNS and row[_INVALID_COLUMN] == 1
    return TruthBox(Label.IGNORE if is_invalid else label, Box(row[0], row[1], row[0] + row[2], row[1] + row[3]))


def read_dlib(path: Path, classes: Mapping[str, Label] | None = None) -> Annotations:
    """The XML of dlib: boxes of many pictures. A box is a face unless `classes` counts its label as something else."""
    return dlib_boxes(read_xml(path), path, classes)


def dlib_boxes(root: ElementTree.Element, path: Path, classes: Mapping[str, Label] | None = None) -> Annotations:
    """The same of what has been read from `path`."""
    pictures: dict[str, tuple[TruthBox, ...]] = {}
    for image in root.iter("image"):
        boxes: list[TruthBox] = []
        for box in image.iter("box"):
            left, top, width, height = (_value(box, name, path) for name in ("left", "top", "width", "height"))
            label = _named(box.findtext("label"), classes, Label.FACE)
            boxes.append(TruthBox(Label.IGNORE if box.get("ignore") == "1" else label, Box(left, top, left + width, top + height)))
        pictures[image.get("file", "")] = tuple(boxes)
    return Annotations(_labels(pictures, classes, Label.FACE), pictures=pictures)


def read_voc(path: Path, classes: Mapping[str, Label] | None = None) -> Annotations:
    """Pascal VOC's XML of one picture. Objects whose name means nothing here are ignored; those marked difficult as well."""
    return voc_boxes(read_xml(path), path, classes)


def voc_boxes(root: ElementTree.Element, path: Path, classes: Mapping[str, Label] | None = None) -> Annotations:
    """The same of what has been read from `path`."""
    boxes: list[TruthBox] = []
    for item in root.iter("object"):
        place = item.find("bndbox")
        if place is None:
            continue  # HollywoodHeads has empty objects in pictures without heads
        x0, y0, x1, y1 = (_element(place, name, path) for name in ("xmin", "ymin", "xmax", "ymax"))
        label = _named(item.findtext("name"), classes, Label.IGNORE)
        boxes.append(TruthBox(Label.IGNORE if item.findtext("difficult") == "1" else label, Box(x0, y0, x1, y1)))
    name = root.findtext("filename") or path.with_suffix(".jpg").name
    pictures = {name: tuple(boxes)}
    return Annotations(_labels(pictures, classes, None), pictures=pictures)


def _named(name: str | None, classes: Mapping[str, Label] | None, usual: Label) -> Label:
    if name is None:
        return usual
    if classes is not None:
        return classes.get(name.strip(), Label.IGNORE)
    return label_of(name) or usual


def _labels(pictures: Mapping[str, tuple[TruthBox, ...]], classes: Mapping[str, Label] | None, usual: Label | None) -> frozenset[Label]:
    found = {box.label for boxes in pictures.values() for box in boxes}
    found |= set(classes.values()) if classes else set[Label]()
    found |= {usual} if usual else set[Label]()
    return frozenset(found - {Label.IGNORE})


def _value(box: ElementTree.Element, name: str, path: Path) -> float:
    try:
        return float(box.get(name, ""))
    except ValueError as error:
        raise ConfigError(f"{path}: a box has no number for {name!r}", remedy="is it dlib's XML?") from error


def _element(place: ElementTree.Element, name: str, path: Path) -> float:
    try:
        return float(place.findtext(name, ""))
    except ValueError as error:
        raise ConfigError(f"{path}: a box has no number for {name!r}", remedy="is it Pascal VOC's XML?") from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ConfigError(f"the truth {path} is larger than {_LARGEST_BYTES >> 20} MiB")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the truth {path} cannot be read as text") from error


def read_xml(path: Path) -> ElementTree.Element:
    """The root of an XML file; raises `ConfigError` for one that is none, is too large or defines entities."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the truth {path} cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST_BYTES or b"<!ENTITY" in content:
        raise ConfigError(f"the truth {path} is too large, or defines entities of its own", remedy="boxes need none")
    try:
        return ElementTree.fromstring(content)  # noqa: S314 - without entities of its own, and bounded
    except ElementTree.ParseError as error:
        raise ConfigError(f"{path}: is no XML: {error}") from error
