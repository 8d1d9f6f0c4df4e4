"""Takes scores that nobody reads out of YOLOX's last convolutions, so that they are not even computed.

Cut off at the end of the graph, they would all be computed, joined and thrown away first: a fifteenth of the network's time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from lamppost.detect.admission import BOX_COLUMNS


class _Wiring:
    """Who makes and who takes each value of a graph."""

    def __init__(self, graph: Any) -> None:
        self.makers: dict[str, Any] = {name: node for node in graph.node for name in node.output}
        self.takers: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self.takers.setdefault(name, []).append(node)
        self.weights: dict[str, Any] = {tensor.name: tensor for tensor in graph.initializer}

    def made_by(self, name: str, kind: str) -> Any | None:
        """The node of that kind that makes `name`, or None."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def is_taken_by(self, name: str, kinds: Sequence[str]) -> bool:
        return [node.op_type for node in self.takers.get(name, [])] == list(kinds)


def leave_out_scores(graph: Any, output: str, labels: int, read: Sequence[int]) -> bool:
    """Leave of the scores for `labels` those at the positions `read`, in every grid that `output` is joined of.

    False, and nothing changed, where the graph is not as YOLOX's own exporter makes it: box, objectness and scores of each grid joined,
    flattened, the grids joined, and turned.
    """
    wiring = _Wiring(graph)
    turned = wiring.made_by(output, "Transpose")
    joined = wiring.made_by(turned.input[0], "Concat") if turned is not None and _attribute(turned, "perm") == [0, 2, 1] else None
    if joined is None or _attribute(joined, "axis") != 2:
        return False
    convolutions = [_scores_of(wiring, name, labels) for name in joined.input]
    weights = [name for node in convolutions if node is not None for name in node.input[1:]]
    if None in convolutions or len(set(weights)) != len(weights):
        return False
    for name in weights:
        tensor = wiring.weights[name]
        kept = np.ascontiguousarray(onnx.numpy_helper.to_array(tensor)[list(read)])
        tensor.CopyFrom(onnx.numpy_helper.from_array(kept, name))
    return True


def _scores_of(wiring: _Wiring, flat: str, labels: int) -> Any | None:
    """The convolution that makes the scores of one grid, or None where it is not sure that nobody else needs them."""
    reshape = wiring.made_by(flat, "Reshape")
    grid = wiring.made_by(reshape.input[0], "Concat") if reshape is not None else None
    if reshape is None or grid is None or _attribute(grid, "axis") != 1 or not wiring.is_taken_by(grid.output[0], ("Shape", "Reshape")):
        return None
    if not _follows_shape(wiring, reshape.input[1], grid.output[0]) or len(grid.input) != 3:
        return None
    columns = 0
    for name in grid.input[:2]:
        source = wiring.made_by(name, "Sigmoid")
        columns += _channels(wiring, wiring.made_by(source.input[0] if source is not None else name, "Conv"))
    sigmoid = wiring.made_by(grid.input[2], "Sigmoid")
    scores = wiring.made_by(sigmoid.input[0], "Conv") if sigmoid is not None else None
    if sigmoid is None or scores is None or columns != BOX_COLUMNS or _channels(wiring, scores) != labels:
        return None
    is_its_own = wiring.is_taken_by(sigmoid.output[0], ("Concat",)) and wiring.is_taken_by(scores.output[0], ("Sigmoid",))
    is_plain = _attribute(scores, "group") in (None, 1) and all(wiring.is_taken_by(name, ("Conv",)) for name in scores.input[1:])
    return scores if is_its_own and is_plain and all(name in wiring.weights for name in scores.input[1:]) else None


def _follows_shape(wiring: _Wiring, shape: str, grid: str) -> bool:
    """Whether `shape` is made of that of `grid`, and no number in it is written down."""
    joined = wiring.made_by(shape, "Concat")
    part = wiring.made_by(joined.input[0], "Slice") if joined is not None else None
    whole = wiring.made_by(part.input[0], "Shape") if part is not None else None
    return whole is not None and list(whole.input) == [grid]


def _channels(wiring: _Wiring, convolution: Any | None) -> int:
    """How many channels it makes; 0 where that is not known."""
    tensor = wiring.weights.get(convolution.input[1]) if convolution is not None else None
    return int(tensor.dims[0]) if tensor is not None else 0


def _attribute(node: Any, name: str) -> Any:
    return next((onnx.helper.get_attribute_value(each) for each in node.attribute if each.name == name), None)
