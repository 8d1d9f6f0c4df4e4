from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from lamppost.base.errors import MediaError
from lamppost.decode.stills import read_still


def with_exif_orientation(jpeg: bytes, orientation: int) -> bytes:
    """TIFF header, one directory with tag 0x0112 (EXIF 2.3, 4.6.4)."""
    tiff = b"II*\x00\x08\x00\x00\x00" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    segment = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def test_orientation_is_applied(tmp_path: Path) -> None:
    image = np.zeros((40, 80, 3), np.uint8)
    image[:16, :16] = (0, 0, 255)  # BGR: red, upper left
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    (tmp_path / "held.jpg").write_bytes(with_exif_orientation(jpeg, 6))  # to be turned clockwise
    upright = read_still(tmp_path / "held.jpg")
    assert upright.shape == (80, 40, 3)
    assert upright[8, 32].argmax() == 0
    assert upright[8, 32].max() > 200


def test_transparency_grey_and_16_bits_become_rgb(tmp_path: Path) -> None:
    for index, image in enumerate(
        (np.full((20, 30, 4), 90, np.uint8), np.full((20, 30), 90, np.uint8), np.full((20, 30, 3), 90 * 257, np.uint16))
    ):
        path = tmp_path / f"{index}.png"
        cv2.imwrite(str(path), image)
        rgb = read_still(path)
        assert rgb.shape == (20, 30, 3)
        assert rgb.dtype == np.uint8
        assert (rgb == 90).all()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("letter.jpg", "empty.png", "missing.png", "."):
        with pytest.raises(MediaError):
            read_still(tmp_path / name)


def test_several_pages_are_refused(tmp_path: Path) -> None:
    cv2.imwritemulti(str(tmp_path / "pages.tiff"), [np.zeros((9, 9, 3), np.uint8)] * 2)
    with pytest.raises(MediaError, match="2 pictures"):
        read_still(tmp_path / "pages.tiff")
