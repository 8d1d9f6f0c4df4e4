"""Scores tracks against their truth as the MOTChallenge does, by the metrics of `trackeval`.

HOTA, DetA, AssA: Luiten et al., 2020, arXiv:2009.07736. IDF1: Ristani et al., 2016, arXiv:1609.01775. MOTA and switches of ids:
Bernardin and Stiefelhagen, 2008, doi:10.1155/2008/246309.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from lap import lapjv
from numpy.typing import NDArray

from lamppost.base.errors import ConfigError
from lamppost.bench.mot_tracks import DISTRACTORS, PEDESTRIAN, MotBoxes

_FOUND_IOU: Final = 0.5
_QUIET: Final = {"PRINT_CONFIG": False}


@dataclass(frozen=True, slots=True)
class TrackScore:
    """How well one tracker did: shares from 0 to 1 (MOTA may be negative), and how often a thing changed its id.

    `details` are the figures of `trackeval` that sequences are put together from.
    """

    hota: float
    det_a: float
    ass_a: float
    idf1: float
    mota: float
    switches: int
    details: Mapping[str, Any]


def score(truth: MotBoxes, tracks: MotBoxes, frame_count: int) -> TrackScore:
    """Judge `tracks` in the first `frame_count` frames; what comes later is left out."""
    sequence = _judged(truth, tracks, frame_count)
    return _summary({name: metric.eval_sequence(sequence) for name, metric in _metrics().items()})


def combined(scores: Sequence[TrackScore]) -> TrackScore:
    """All sequences of one tracker, each by its weight."""
    details = {
        name: metric.combine_sequences({str(index): each.details[name] for index, each in enumerate(scores)})
        for name, metric in _metrics().items()
    }
    return _summary(details)


def _metrics() -> dict[str, Any]:
    # Imported here: it draws plots as well, and nobody else waits for it.
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError as error:
        raise ConfigError("trackeval is not installed here, and nothing can be scored", remedy="pip install trackeval scipy") from error

    return {"HOTA": HOTA(), "CLEAR": CLEAR(_QUIET), "Identity": Identity(_QUIET)}


def _summary(details: Mapping[str, Any]) -> TrackScore:
    hota, clear, identity = details["HOTA"], details["CLEAR"], details["Identity"]
    return TrackScore(
        hota=_mean(hota["HOTA"]),
        det_a=_mean(hota["DetA"]),
        ass_a=_mean(hota["AssA"]),
        idf1=float(identity["IDF1"]),
        mota=float(clear["MOTA"]),
        switches=int(clear["IDSW"]),
        details=details,
    )


def _mean(values: NDArray[np.float64]) -> float:
    """Over the thresholds of overlap, from 0.05 to 0.95."""
    return float(values.mean())


def _judged(truth: MotBoxes, tracks: MotBoxes, frame_count: int) -> dict[str, Any]:
    """What `trackeval` asks of a sequence: ids from 0 on, boxes and overlaps frame by frame, without what is not judged."""
    has_classes = bool((truth.classes == PEDESTRIAN).any())
    gt_ids, tracker_ids, overlaps = list[Any](), list[Any](), list[Any]()
    for wanted, found in zip(truth.rows_by_frame(frame_count), tracks.rows_by_frame(frame_count), strict=True):
        iou = _ious(truth.boxes_xywh_px[wanted], tracks.boxes_xywh_px[found])
        kept = truth.confidences[wanted] != 0
        counted = np.ones(len(found), np.bool_)
        if has_classes:
            kept &= truth.classes[wanted] == PEDESTRIAN
            counted[_on_distractors(iou, truth.classes[wanted])] = False
        gt_ids.append(truth.ids[wanted][kept])
        tracker_ids.append(tracks.ids[found][counted])
        overlaps.append(iou[kept][:, counted])
    gt_count, gt_numbered = _numbered(gt_ids)
    tracker_count, tracker_numbered = _numbered(tracker_ids)
    return {
        "num_timesteps": frame_count,
        "num_gt_ids": gt_count,
        "num_tracker_ids": tracker_count,
        "num_gt_dets": sum(map(len, gt_ids)),
        "num_tracker_dets": sum(map(len, tracker_ids)),
        "gt_ids": gt_numbered,
        "tracker_ids": tracker_numbered,
        "similarity_scores": overlaps,
    }


def _on_distractors(iou: NDArray[np.float64], classes: NDArray[np.int64]) -> list[int]:
    """Which found boxes are best matched with something that is not to be judged."""
    if not iou.size:
        return []
    cost = np.where(iou >= _FOUND_IOU, 1 - iou, 1.0)
    found, _ = lapjv(cost, extend_cost=True, return_cost=False)
    return [
        column
        for row, column in enumerate(found.tolist())
        if column >= 0 and iou[row, column] >= _FOUND_IOU and int(classes[row]) in DISTRACTORS
    ]


def _numbered(ids: Sequence[NDArray[np.int64]]) -> tuple[int, list[NDArray[np.intp]]]:
    known, numbers = np.unique(np.concatenate([*ids, np.empty(0, np.int64)]), return_inverse=True)
    return len(known), np.split(numbers, np.cumsum([len(each) for each in ids])[:-1]) if ids else []


def _ious(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union, shape (len(one), len(other)), of boxes as left, top, width, height."""
    a, b = one[:, np.newaxis], other[np.newaxis]
    sides = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(sides, 0).prod(axis=-1)
    union = a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - shared
    result: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return result
