"""The gate of the catalogue: what an entry may not say, whoever wrote it.

Built-in entries, entries that operators add, and every entry that is loaded
pass here.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

from lamppost.detect.entry import Layout, ModelEntry, Output, OutputRole, Purpose
from lamppost.detect.labels import UNUSED, why_refused

# The numbers that each layout has for one place, beside those for each label.
_ROLES: Final[dict[Layout, dict[OutputRole, int]]] = {
    Layout.CENTERFACE: {OutputRole.SCORE: 1, OutputRole.SIZE: 2, OutputRole.OFFSET: 2},
    Layout.YUNET: {OutputRole.SCORE: 1, OutputRole.OBJECTNESS: 1, OutputRole.BOX: 4},
    Layout.YOLOX: {OutputRole.BOX_AND_SCORE: 5},
    Layout.RFDETR: {OutputRole.BOX: 4, OutputRole.SCORE: 0},
}
# Which role of a layout has a number for each label beside.
_LABELLED: Final = {Layout.YOLOX: OutputRole.BOX_AND_SCORE, Layout.RFDETR: OutputRole.SCORE}
BOX_COLUMNS: Final = 5  # of YOLOX: a box and its objectness
_MOST_LABELS: Final = 1024
_LARGEST_SIDE_PX: Final = 2048
_LARGEST_STRIDE_PX: Final = 128
_LEAST_DEVIATION: Final = 0.001
_REFUSED_OUTPUTS: Final = re.compile(
    # What is no box and no score, by the names that it usually has.
    "landmark|keypoint|key_point|kps|kpt|(?<!trans)pose|embed|descriptor|identity|re_?id|feat|vector|gender|emotion|attrib|ocr|text|char"
    "|(?<![a-z])age(?![a-z])|proto|mask|silhouette|contour"
)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.onnx")


def problems(entry: ModelEntry) -> tuple[str, ...]:
    """Everything that keeps `entry` out, a line each; empty when it may be loaded."""
    return (*_origin_problems(entry), *_label_problems(entry), *_output_problems(entry), *_input_problems(entry))


def columns(entry: ModelEntry, output: Output) -> int:
    """How many numbers `output` must have for one place."""
    count = _ROLES[entry.layout][output.role]
    return count + len(entry.labels) if has_labels(entry, output) else count


def has_labels(entry: ModelEntry, output: Output) -> bool:
    """Whether `output` has a number for each label."""
    return _LABELLED.get(entry.layout) is output.role


def _origin_problems(entry: ModelEntry) -> list[str]:
    checks = [
        (_NAME.fullmatch(entry.name), f"name {entry.name!r}: 1 to 63 lower-case letters, digits and hyphens"),
        (entry.purpose is Purpose.DETECTION, f"purpose {entry.purpose!r}: nothing but detection is run here"),
        (_FILE.fullmatch(entry.file), f"file {entry.file!r}: a plain file name that ends in .onnx"),
        (re.fullmatch(r"[0-9a-f]{64}", entry.sha256), "sha256: 64 hexadecimal digits, lower case"),
        (_is_https(entry.source_url), "source: an https:// address without a user name, at most 2,000 characters"),
    ]
    texts = (("licence", entry.licence), ("trained_on", entry.trained_on))
    checks += [(0 < len(text.strip()) <= 500, f"{key}: say it in at most 500 characters") for key, text in texts]
    return [problem for is_good, problem in checks if not is_good]


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc and len(url) <= 2000 and url.isprintable()
    except ValueError:
        return False


def _label_problems(entry: ModelEntry) -> list[str]:
    if not 1 <= len(entry.labels) <= _MOST_LABELS:
        return [f"labels: 1 to {_MOST_LABELS} of them, all that the network tells apart"]
    reasons = [(label, why_refused(label)) for label in entry.labels]
    found = [f"label {label!r} {reason}" for label, reason in reasons if reason]
    if len(entry.kinds) != len(entry.labels) or not entry.read_classes:
        found.append("kinds: at least one label must count as something")
    if entry.layout not in _LABELLED and len(entry.labels) != 1:
        found.append(f"labels: the layout {entry.layout} has exactly one")
    found += [
        f"label {label!r} counts as nothing" for label, kind in zip(entry.labels, entry.kinds, strict=False) if label == UNUSED and kind
    ]
    return found


def _output_problems(entry: ModelEntry) -> list[str]:
    wanted = _ROLES[entry.layout]
    found: list[str] = []
    for output in entry.outputs:
        if _REFUSED_OUTPUTS.search(output.name.casefold()):
            found.append(f"output {output.name!r}: by its name it is neither a box nor a score")
        if output.role not in wanted:
            found.append(f"output {output.name!r}: the layout {entry.layout} has no role {output.role}, only {', '.join(wanted)}")
        if entry.layout is Layout.RFDETR:
            if output.strides_px:
                found.append(f"output {output.name!r}: the layout {entry.layout} has no grid, and no strides_px")
        elif not output.strides_px or any(not 1 <= stride <= _LARGEST_STRIDE_PX for stride in output.strides_px):
            found.append(f"output {output.name!r}: strides_px are 1 to {_LARGEST_STRIDE_PX}")
        if len(output.strides_px) > (8 if output.role is OutputRole.BOX_AND_SCORE else 1):
            found.append(f"output {output.name!r}: too many strides_px")
    if len(set(entry.output_names)) != len(entry.outputs):
        found.append("outputs: one is named twice")
    places = Counter((output.role, output.strides_px) for output in entry.outputs)
    grids = {output.strides_px for output in entry.outputs}
    is_complete = bool(grids) and all(places[role, grid] == 1 for role in wanted for grid in grids)
    if not is_complete or (entry.layout is not Layout.YUNET and len(grids) != 1):
        found.append(f"outputs: the layout {entry.layout} has one each of {', '.join(wanted)} for each stride")
    return found


def _input_problems(entry: ModelEntry) -> list[str]:
    side, found = entry.input.long_side_px, list[str]()
    is_square = entry.layout is Layout.RFDETR  # of patches whose size differs from file to file
    step = 2 if is_square else 32
    if not entry.input.name or side % step or not 32 <= side <= _LARGEST_SIDE_PX:
        found.append(f"input: it has a name, and a long_side_px that is a multiple of {step}, 32 to {_LARGEST_SIDE_PX}")
    elif entry.input.is_fixed and entry.layout not in _LABELLED:
        found.append(f"input: a fixed size is read with the layouts {' and '.join(_LABELLED)} alone")
    elif is_square and not entry.input.is_fixed:
        found.append(f"input: the layout {entry.layout} has a fixed size: is_fixed = true")
    if entry.input.normalisation:
        mean, deviation = entry.input.normalisation
        if not all(map(math.isfinite, (*mean, *deviation))) or not all(0 <= value <= 1 for value in mean):
            found.append("input: mean is of shares of white, 0 to 1")
        elif not all(_LEAST_DEVIATION <= value <= 1 for value in deviation):
            found.append(f"input: deviation is of shares of white, {_LEAST_DEVIATION} to 1")
    return found
