"""`lamppost model`: what is listed, pulled, added and verified, and each refusal in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Lamppost = Callable[..., Result]
EXAMPLE = (Path(__file__).parents[2] / "assets" / "model_entry.toml").read_text()


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMPPOST_MODEL_MIRROR", raising=False)


@pytest.fixture
def mirror(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LAMPPOST_MODEL_MIRROR", str(shared_data / "models"))
    return shared_data / "models"


def test_the_list_tells_what_each_finds_and_whose_it_is(lamppost: Lamppost, here: Path) -> None:
    lamppost("init")
    shown = lamppost("model", "list")
    assert shown.exit_code == 0
    for word in ("centerface", "bundled", "yolox-nano", "absent", "person, bicycle, vehicle", "COCO 2017", "Apache-2.0"):
        assert word in shown.output
    rows = json.loads(lamppost("model", "list", "--json").output)
    assert [(row["name"], row["state"]) for row in rows][:2] == [("centerface", "bundled"), ("yunet-n", "absent")]
    assert all(row["purpose"] == "detection" and len(row["sha256"]) == 64 and row["source"].startswith("https://") for row in rows)


def test_the_list_tells_what_a_model_would_run_on(lamppost: Lamppost, here: Path) -> None:
    lamppost("init")
    written = (here / "lamppost.toml").read_text()
    (here / "lamppost.toml").write_text(re.sub(r"(?m)^(?:# *)?providers = .*$", "providers = ['cpu']", written))
    assert "runs on: CPUExecutionProvider (1 thread)\n" in lamppost("model", "list").output
    rows = json.loads(lamppost("model", "list", "--json").output)
    assert {(*row["runs_on"], row["threads"]) for row in rows} == {("CPUExecutionProvider", 1)}
    assert "runs on: " in lamppost("model", "list", "--folder", str(here)).output


def test_models_are_pulled_from_a_mirror_into_the_data_folder_and_verified(lamppost: Lamppost, here: Path, mirror: Path) -> None:
    lamppost("init")
    result = lamppost("model", "pull", "yunet-n", "yolox-nano", "centerface")
    assert result.exit_code == 0, result.output
    assert "trained on WIDER FACE; the weights carry that set's terms" in result.output
    assert "centerface: comes with Lamppost" in result.output
    folder = here / "lamppost-data" / "models"
    assert (folder / "yunet_n_dynamic.onnx").read_bytes() == (mirror / "yunet_n_dynamic.onnx").read_bytes()
    assert "is here and unaltered" in lamppost("model", "pull", "yunet-n").output
    verified = lamppost("model", "verify")
    assert (verified.exit_code, verified.output.splitlines()) == (
        0,
        ["centerface: unaltered", "yunet-n: unaltered", "yolox-nano: unaltered"],
    )


def test_an_altered_model_is_told_and_can_be_pulled_again(lamppost: Lamppost, here: Path, mirror: Path) -> None:
    lamppost("init")
    lamppost("model", "pull", "yunet-s")
    file = here / "lamppost-data" / "models" / "yunet_s_dynamic.onnx"
    good = file.read_bytes()
    file.write_bytes(good[:-1] + b"?")
    verified = lamppost("model", "verify")
    assert verified.exit_code == 1
    assert "yunet-s" in verified.output
    assert "is not the pinned file" in verified.output
    assert [row["is_good"] for row in json.loads(lamppost("model", "verify", "--json").output)] == [True, False]
    assert lamppost("model", "pull", "yunet-s").exit_code == 0
    assert file.read_bytes() == good


def test_a_mirror_with_another_file_changes_nothing(lamppost: Lamppost, here: Path, tmp_path: Path) -> None:
    lamppost("init")
    (tmp_path / "yunet_n_dynamic.onnx").write_bytes(b"something else")
    result = lamppost("model", "pull", "yunet-n", "--mirror", tmp_path)
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert "is not the pinned file" in result.output
    assert not (here / "lamppost-data" / "models").exists()


def test_the_setting_names_another_folder(lamppost: Lamppost, here: Path, tmp_path: Path) -> None:
    lamppost("init")
    file = here / "lamppost.toml"
    file.write_text(file.read_text().replace('# folder = ""', 'folder = "elsewhere"'))
    (here / "mine.toml").write_text(EXAMPLE)
    assert lamppost("model", "add", "mine.toml").exit_code == 0
    assert (here / "elsewhere" / "yolox-tiny.toml").read_text() == EXAMPLE


def test_what_init_writes_as_the_setting_is_its_default(lamppost: Lamppost, here: Path) -> None:
    lamppost("init")
    file = here / "lamppost.toml"
    file.write_text(file.read_text().replace('# folder = ""', 'folder = ""'))
    (here / "mine.toml").write_text(EXAMPLE)
    assert lamppost("model", "add", "mine.toml").exit_code == 0
    assert (here / "lamppost-data" / "models" / "yolox-tiny.toml").is_file()


def test_an_added_model_is_listed_and_a_refused_one_has_a_line_for_each_mistake(lamppost: Lamppost, here: Path) -> None:
    (here / "mine.toml").write_text(EXAMPLE)
    result = lamppost("model", "add", "mine.toml", "--folder", "models")
    assert (result.exit_code, result.output) == (
        0,
        "yolox-tiny: taken in, finds plate, person, bicycle, vehicle. Next: lamppost model pull yolox-tiny\n",
    )
    assert "yolox-tiny" in lamppost("model", "list", "--folder", "models").output
    (here / "bad.toml").write_text(EXAMPLE.replace('"dog"', '"woman"').replace("yolox-tiny", "bad").replace('"output"', '"embedding"'))
    refused = lamppost("model", "add", "bad.toml", "--folder", "models")
    assert refused.exit_code == 1
    assert [line.removeprefix("lamppost: ").split(":")[0] for line in refused.output.splitlines()] == ["bad.toml", "bad.toml"]
    assert not (here / "models" / "bad.toml").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("list",), 2, "there is no configuration"),
        (("pull", "arcface", "--folder", "models"), 1, "the catalogue has no model 'arcface'"),
        (("add", "absent.toml", "--folder", "models"), 2, "absent.toml cannot be read"),
        (("pull", "yunet-n", "--folder", "models", "--mirror", "nowhere"), 1, "there is no nowhere/yunet_n_dynamic.onnx"),
        (("pull", "yunet-n", "--folder", "models", "--mirror", "ftp://h/"), 1, "is no address to take a model from"),
    ],
)
def test_what_cannot_be_done_has_one_line(lamppost: Lamppost, here: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    result = lamppost("model", *arguments)
    assert (result.exit_code, len(result.output.splitlines())) == (code, 1)
    assert said in result.output


def test_a_configuration_without_its_data_folder_is_told(lamppost: Lamppost, here: Path, recipients: tuple[str, ...]) -> None:
    (here / "lamppost.toml").write_text(f"[sealing]\ncustodians = {json.dumps(recipients)}\nthreshold = 2\n")
    result = lamppost("model", "list")
    assert (result.exit_code, "is not a data folder" in result.output) == (2, True)
