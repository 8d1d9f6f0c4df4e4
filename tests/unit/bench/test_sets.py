"""Other people's layouts are read as they are, and what is wrong has its line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from lamppost.base.errors import ConfigError
from lamppost.bench.sets import find_sets
from lamppost.bench.truth import ClipSet, Label, StillSet
from lamppost.model.vision import Box


def picture(path: Path, width: int = 64, height: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))


def challenge(folder: Path, lines: str, *, frames: int = 3) -> None:
    for index in range(frames):
        picture(folder / "img1" / f"{index + 1:06}.jpg")
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text(lines)
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=street\nimDir=img1\nframeRate=10\nimExt=.jpg\n")


def test_a_sequence_of_the_mot_challenge(tmp_path: Path) -> None:
    challenge(tmp_path / "street", "1,7,10,20,8,16,1,1,1\n2,7,11,20,8,16,0,1,1\n2,8,1,2,3,4,1,3,0.5\n2,9,1,2,3,4,1,8,1\n")
    (found,) = find_sets(tmp_path)
    assert isinstance(found, ClipSet)
    assert found.name == "street"
    (walker,) = found.boxes[0]
    assert (walker.label, walker.box, walker.track) == (Label.PERSON, Box(10, 20, 18, 36), 7)
    assert [box.label for box in found.boxes[1]] == [Label.IGNORE, Label.VEHICLE, Label.IGNORE]
    with found.open() as frames:
        assert [frame.pts_90k for frame in frames] == [0, 9000, 18000]
        assert frames.frame_interval_90k == 9000


def test_wider_text_with_an_empty_and_an_invalid_picture(tmp_path: Path) -> None:
    for name in ("0--Parade/a.jpg", "0--Parade/b.jpg"):
        picture(tmp_path / "WIDER_val" / "images" / name)
    (tmp_path / "wider_face_split").mkdir()
    (tmp_path / "wider_face_split" / "wider_face_val_bbx_gt.txt").write_text(
        "0--Parade/a.jpg\n2\n5 6 7 8 0 0 0 0 0 0 \n1 2 3 4 0 0 0 1 0 0 \n0--Parade/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n"
    )
    (found,) = find_sets(tmp_path)
    assert isinstance(found, StillSet)
    assert [[(box.label, box.box) for box in still.boxes] for still in found.stills] == [
        [(Label.FACE, Box(5, 6, 12, 14)), (Label.IGNORE, Box(1, 2, 4, 6))],
        [],
    ]
    assert found.stills[0].read().shape == (48, 64, 3)


def test_dlib_and_voc_xml(tmp_path: Path) -> None:
    picture(tmp_path / "d" / "a.jpg")
    (tmp_path / "d" / "faces.xml").write_text(
        "<dataset><images><image file='a.jpg'><box top='4' left='3' width='10' height='12'/>"
        "<box top='4' left='3' width='10' height='12' ignore='1'/></image></images></dataset>"
    )
    (dlib,) = find_sets(tmp_path / "d")
    assert isinstance(dlib, StillSet)
    assert [box.label for box in dlib.stills[0].boxes] == [Label.FACE, Label.IGNORE]
    picture(tmp_path / "v" / "JPEGImages" / "b.png")
    (tmp_path / "v" / "Annotations").mkdir()
    (tmp_path / "v" / "Annotations" / "b.xml").write_text(
        "<annotation><filename>b.png</filename><object><name>licence</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax>"
        "<ymax>12</ymax></bndbox></object><object><name>dog</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax>"
        "</bndbox></object></annotation>"
    )
    (voc,) = find_sets(tmp_path / "v")
    assert voc.labels == {Label.PLATE}
    assert isinstance(voc, StillSet)
    assert [(box.label, box.box) for box in voc.stills[0].boxes] == [
        (Label.PLATE, Box(1, 2, 30, 12)),
        (Label.IGNORE, Box(1, 2, 3, 4)),
    ]


def test_our_own_list_names_media_elsewhere_and_a_simulated_street(tmp_path: Path) -> None:
    truth, media = tmp_path / "truth", tmp_path / "media"
    truth.mkdir()
    challenge(media / "walk", "", frames=2)
    (truth / "walk.gt.txt").write_text("1,1,2,3,10,12,1,4,1\n")
    (truth / "truth.toml").write_text(
        '[[set]]\nname = "walk"\nmedia = "walk/img1"\nformat = "mot"\ntruth = "walk.gt.txt"\nfps = 5\n[set.classes]\n4 = "face"\n'
        '[[set]]\nname = "street"\nmedia = "sim://plaza?people=2&width=320&height=180"\nformat = "sim"\nseconds = 1\n'
    )
    walk, street = find_sets(truth, media)
    assert isinstance(walk, ClipSet)
    assert (walk.labels, walk.boxes[0][0].label) == ({Label.FACE}, Label.FACE)
    assert isinstance(street, ClipSet)
    assert street.labels == {Label.FACE, Label.PERSON, Label.VEHICLE}
    with street.open() as frames:
        assert len(list(frames)) == len(street.boxes) == 15


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no truth that is known"),
        ({"truth.toml": "set = 3"}, "lists no set"),
        ({"truth.toml": "[[set]"}, "cannot be read"),
        ({"truth.toml": '[[set]]\nname = "a"\nmedia = "a"\nformat = "kitti"'}, "set 1: the format 'kitti' is not known"),
        ({"truth.toml": '[[set]]\nname = "a"\nmedia = "a"\nfrmat = "mot"'}, "'frmat' is no setting"),
        ({"truth.toml": '[[set]]\nname = "a"\nmedia = "a"\nformat = "mot"\ntruth = "b"\n[set.classes]\n1 = "dog"'}, "classes names 'dog'"),
        ({"truth.toml": '[[set]]\nname = "a"\nmedia = "a"\nformat = "mot"\ntruth = "b"'}, "cannot be read as text"),
        ({"truth.toml": '[[set]]\nname = "a"\nmedia = "rtsp://x/y"\nformat = "sim"'}, "no such simulated place|not simulated|set 1: "),
        ({"s/gt/gt.txt": "1,2,3,4,5,6,1\n1,2,x,4,5,6\n"}, r"gt.txt, line 2: holds what is no number"),
        ({"s/gt/gt.txt": "0,2,3,4,5,6,1\n"}, r"gt.txt, line 1: is no box"),
        ({"s/gt/gt.txt": "1,2,3,4,5,6,1\n"}, "has boxes, and no pictures"),
        ({"s/gt/gt.txt": "", "s/seqinfo.ini": "[Sequence]\nframeRate=fast\n"}, "seqinfo.ini cannot be read"),
        ({"wider_face_val_bbx_gt.txt": "a.jpg\n2\n1 2 3 4\n"}, "line 2: a number of boxes"),
        ({"wider_face_val_bbx_gt.txt": "a.jpg\n1\n1 2 3 4\n"}, "none of its 1 pictures"),
        ({"a.xml": "<dataset><images><image file='a.jpg'><box left='x'/></image></images></dataset>"}, "has no number for 'left'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        find_sets(tmp_path)
    assert "\n" not in caught.value.problem


def test_an_xml_with_entities_of_its_own_is_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text('<!DOCTYPE d [<!ENTITY a "aaaa">]><dataset>&a;</dataset>')
    with pytest.raises(ConfigError, match="no truth that is known"):
        find_sets(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        find_sets(tmp_path / "absent")
