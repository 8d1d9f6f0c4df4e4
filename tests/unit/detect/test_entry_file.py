"""An operator's entry is taken as it is described, or refused with a line for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import BUILT_IN, YUNET_N
from lamppost.detect.entry import Colours, InputLayout, Layout, ModelEntry, Normalisation, Output, OutputRole
from lamppost.detect.entry_file import MOST_BYTES, check_is_new, parse_entry, read_entry
from lamppost.detect.labels import COCO
from lamppost.model.vision import Kind

EXAMPLE = Path(__file__).parents[2] / "assets" / "model_entry.toml"
RFDETR = EXAMPLE.with_name("model_entry_rfdetr.toml")
TEXT = EXAMPLE.read_text()


def refused(text):
    with pytest.raises(ModelError) as caught:
        parse_entry(text.encode(), "mine.toml")
    assert "docs/reference/models.md" in caught.value.remedy
    return caught.value.problem.splitlines()


def changed(old, new):
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def test_the_example_of_the_documentation_is_taken_as_it_says():
    assert read_entry(EXAMPLE) == ModelEntry(
        name="yolox-tiny",
        layout=Layout.YOLOX,
        file="yolox_tiny.onnx",
        sha256="427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7",
        source_url="https://models.example.org/yolox_tiny.onnx",
        licence="Apache-2.0 (Megvii YOLOX)",
        trained_on="our own pictures of three streets, 2025; no terms of others",
        input=InputLayout("images", Colours.BGR, 416),
        outputs=(Output(OutputRole.BOX_AND_SCORE, "output", (8, 16, 32)),),
        labels=("person", "bicycle", "dog", "car", "license plate"),
        kinds=(Kind.PERSON, Kind.BICYCLE, None, Kind.VEHICLE, Kind.PLATE),
    )


def test_the_example_of_rfdetr_counts_as_coco_does():
    entry = read_entry(RFDETR)
    assert (entry.layout, len(entry.labels), entry.labels.count("unused")) == (Layout.RFDETR, 91, 11)
    assert tuple(label for label in entry.labels if label != "unused") == COCO
    # Numbers of COCO's own list.
    assert [entry.labels.index(label) for label in ("person", "car", "dog", "cell phone", "toothbrush")] == [1, 3, 18, 77, 90]
    assert entry.reported_kinds == (Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE)
    assert entry.input == InputLayout("input", Colours.RGB, 384, True, Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    assert entry.outputs == (Output(OutputRole.BOX, "dets"), Output(OutputRole.SCORE, "labels"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mean = ", "# ", "input: mean and deviation stand there together"),
        ("[0.485, 0.456, 0.406]", "[0.485, 0.456]", "input.mean: List should have at least 3 items"),
        ("[0.485, 0.456, 0.406]", "[123.7, 116.3, 103.5]", "input: mean is of shares of white, 0 to 1"),
        ("long_side_px = 384", "long_side_px = 383", "input: it has a name, and a long_side_px that is a multiple of 2"),
        ("is_fixed = true", "is_fixed = false", "input: the layout rfdetr has a fixed size"),
        ('name = "dets"', 'name = "dets"\nstrides_px = [8]', "output 'dets': the layout rfdetr has no grid"),
        ('role = "box"\nname = "dets"', 'role = "box"\nname = "masks"', "output 'masks': by its name"),
        ('person = "person"', 'person = "person"\nunused = "face"', "label 'unused' counts as nothing"),
        ('"toothbrush"', '"person"', "labels: one stands there twice"),
    ],
)
def test_each_mistake_in_it_has_a_line(old, new, said):
    text = RFDETR.read_text()
    assert old in text
    assert refused(text.replace(old, new, 1))[0].startswith(f"mine.toml: {said}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('purpose = "detection"', 'purpose = "embedding"', "purpose: 'embedding' is not 'detection'"),
        ('purpose = "detection" ', "", "purpose is missing"),
        ('layout = "yolox"', 'layout = "arcface"', "layout: 'arcface' is no layout that is read here"),
        ('role = "box_and_score"', 'role = "landmarks"', "output[1].role: 'landmarks' is no part of a box or a score"),
        ('role = "box_and_score"', 'role = "embedding"', "output[1].role: 'embedding' is no part of a box or a score"),
        ('name = "output"', 'name = "landmarks"', "output 'landmarks': by its name"),
        ('car = "vehicle"', 'car = "identity"', "kinds.car: 'identity' is no kind; known are face, head, plate"),
        ('car = "vehicle"', 'cat = "vehicle"', "kinds: 'cat' is none of the labels"),
        ('"dog"', '"A"', "label 'A' is a character"),
        ('"dog"', '"Ada Lovelace"', "label 'Ada Lovelace' is not on the list"),
        ('"dog"', '"woman"', "label 'woman' says what a person is like"),
        ('"dog"', '"car"', "labels: one stands there twice"),
        ('"dog"', "7", "labels[3]: Input should be a valid string"),
        ('colours = "bgr"', 'colours = "yuv"', "input.colours: 'yuv' is no order of channels"),
        ("long_side_px = 416", "long_side_px = 417", "input: it has a name"),
        ("long_side_px = 416", 'long_side_px = "416"', "input.long_side_px: Input should be a valid integer"),
        ("strides_px = [8, 16, 32]", "strides_px = []", "output 'output': strides_px are 1 to 128"),
        ("https://models", "http://models", "source: an https:// address"),
        ('name = "yolox-tiny"', 'name = "../x"', "name '../x'"),
        ('sha256 = "427', 'sha256 = "27', "sha256: 64"),
        ("[kinds]", 'embedding_output = "x"\n[kinds]', "embedding_output is no part of an entry"),
        ("[[output]]", "[output]", "output: Input should be a valid list"),
        ("[[output]]", "[[output]", "this is not TOML that can be read"),
    ],
)
def test_each_mistake_has_its_line(old, new, said):
    (line,) = refused(changed(old, new))
    assert line.startswith(f"mine.toml: {said}")


def test_all_mistakes_are_told_at_once():
    text = changed('purpose = "detection"', 'purpose = "ocr"').replace('"box_and_score"', '"text"').replace('"vehicle"', '"name"')
    assert [line.split(":")[1].strip() for line in refused(text)] == ["purpose", "kinds.car", "output[1].role"]


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_one_error(content):
    with pytest.raises(ModelError):
        parse_entry(content, "mine.toml")


@given(st.integers(0, len(TEXT)), st.integers(0, 20), st.text(max_size=5))
def test_a_damaged_entry_is_refused_in_lines_or_still_passes_the_gate(start, length, put):
    text = TEXT[:start] + put + TEXT[start + length :]
    try:
        entry = parse_entry(text.encode("utf-8", "replace"), "mine.toml")
    except ModelError:
        return
    assert entry.reported_kinds
    assert set(entry.kinds) <= {*Kind, None}


def test_brackets_a_thousand_deep_and_files_without_end_are_refused():
    assert refused("labels = " + "[" * 20_000) == ["mine.toml: this is not TOML that can be read"]
    assert refused("#" * (MOST_BYTES + 1)) == ["mine.toml: has more than 64 KiB"]


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        read_entry(tmp_path / "absent.toml")


def test_no_entry_takes_the_name_or_the_file_of_another():
    check_is_new(read_entry(EXAMPLE))
    for old, new in (('name = "yolox-tiny"', 'name = "yunet-n"'), ('file = "yolox_tiny.onnx"', f'file = "{YUNET_N.file}"')):
        with pytest.raises(ModelError, match="yunet-n"):
            check_is_new(parse_entry(changed(old, new).encode(), "mine.toml"), BUILT_IN)
