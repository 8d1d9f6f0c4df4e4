"""Each layout has its detector."""

from __future__ import annotations

import pytest

import tiny_models
from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import CENTERFACE, YUNET_N
from lamppost.detect.detectors import open_detector
from lamppost.detect.faces import FaceDetector
from lamppost.detect.yolox import YoloxDetector
from lamppost.detect.yunet import YuNetDetector


def test_the_layout_chooses_the_detector(tmp_path):
    yolox = tiny_models.keep(
        tmp_path, tiny_models.yolox_entry(), tiny_models.constant_model("images", {"output": tiny_models.empty_rows()})
    )
    yunet = tiny_models.keep(tmp_path, tiny_models.yunet_entry(), tiny_models.constant_model("input", tiny_models.empty_yunet()))
    for entry, kind in ((yolox, YoloxDetector), (yunet, YuNetDetector), (CENTERFACE, FaceDetector)):
        detector = open_detector(entry, models=tmp_path)
        assert type(detector) is kind
        assert detector.model_sha256 == entry.sha256


def test_what_is_not_there_is_not_opened(tmp_path):
    with pytest.raises(ModelError, match="there is no"):
        open_detector(YUNET_N, models=tmp_path)
