"""A network runs on the best that is here, on the processor where that fails, and says which it is."""

from __future__ import annotations

import numpy as np
import pytest
from structlog.testing import capture_logs

import tiny_models
from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import CENTERFACE
from lamppost.detect.network import InstalledRuntime, Network
from lamppost.detect.providers import choose_providers, is_on_cpu
from lamppost.detect.shared import SharedDetector
from lamppost.model.providers import Provider
from lamppost.model.vision import Frame, Region

CPU, CUDA, OPENVINO, TENSORRT = (f"{name}ExecutionProvider" for name in ("CPU", "CUDA", "OpenVINO", "Tensorrt"))
EVERYTHING = (TENSORRT, CUDA, OPENVINO, "AzureExecutionProvider", CPU)


class Session:
    """A session of the processor's that says it runs elsewhere."""

    def __init__(self, real, provider):
        self._real, self._provider = real, provider

    def get_providers(self):
        return [self._provider, CPU]

    def run(self, *asked):
        return self._real.run(*asked)


class Pretended:
    """ONNX Runtime, with providers that it does not have: some `fail`, of some it says nothing and goes on without (`lost`)."""

    def __init__(self, available, fails=(), lost=()):
        self._available, self._fails, self._lost = available, fails, lost
        self.asked: list[list[str]] = []

    def available(self):
        return self._available

    def open(self, graph, options, providers):
        names = [each if isinstance(each, str) else each[0] for each in providers]
        self.asked.append(names)
        if names[0] in self._fails:
            raise ValueError("no\n  device")  # one of those that the runtime raises
        real = InstalledRuntime().open(graph, options, [CPU])
        return real if names[0] in (CPU, *self._lost) else Session(real, names[0])


def test_the_best_that_is_here_is_tried_and_the_processor_last():
    assert choose_providers((), (CPU,)) == (Provider.CPU,)
    assert choose_providers((), EVERYTHING) == (Provider.CUDA, Provider.OPENVINO, Provider.CPU)
    assert choose_providers((), (OPENVINO, CPU)) == (Provider.OPENVINO, Provider.CPU)


def test_who_names_providers_gets_them_in_that_order():
    assert choose_providers((Provider.TENSORRT, Provider.CUDA), EVERYTHING) == (Provider.TENSORRT, Provider.CUDA, Provider.CPU)
    assert choose_providers((Provider.CPU,), EVERYTHING) == (Provider.CPU,)
    assert choose_providers((Provider.OPENVINO, Provider.CPU, Provider.CUDA), EVERYTHING) == (Provider.OPENVINO, Provider.CPU)


def test_one_that_is_named_and_not_here_is_told():
    with pytest.raises(ModelError, match=f"has no {CUDA} here") as caught:
        Network(CENTERFACE, providers=(Provider.OPENVINO, Provider.CUDA), runtime=Pretended((OPENVINO, CPU)))
    assert "may name openvino, cpu" in caught.value.remedy


def test_an_accelerator_gets_large_batches_and_the_processor_what_it_gains_from():
    on_cuda = Network(CENTERFACE, runtime=Pretended(EVERYTHING))
    assert on_cuda.provider is Provider.CUDA
    assert on_cuda.most_pictures(1280, 1280) == 16
    for available in ((CPU,), (OPENVINO, CPU)):  # OpenVINO's own choice is the processor too
        network = Network(CENTERFACE, runtime=Pretended(available))
        assert is_on_cpu(network.provider)
        assert network.most_pictures(1280, 1280) == 1


@pytest.mark.parametrize("how", ["fails", "lost"])
def test_what_cannot_load_the_model_is_left_for_the_next_with_one_line_in_the_log(how):
    runtime = Pretended((CUDA, CPU), **{how: (CUDA,)})
    with capture_logs() as logs:
        network = Network(CENTERFACE, runtime=runtime)
    assert network.provider is Provider.CPU
    assert runtime.asked == [[CUDA, CPU], [CPU]]
    (line,) = logs
    assert (line["log_level"], line["model"], line["provider"]) == ("warning", "centerface", CUDA)
    assert line["problem"]
    assert "\n" not in line["problem"]
    assert network.run(np.zeros((1, 3, 32, 32), np.uint8))


def test_where_nothing_loads_it_it_is_an_error():
    with pytest.raises(ModelError, match="cannot load it"), capture_logs():
        Network(CENTERFACE, runtime=Pretended((CUDA, CPU), fails=(CUDA, CPU)))


def test_tensorrt_leaves_to_cuda_what_it_does_not_know():
    runtime = Pretended(EVERYTHING)
    assert Network(CENTERFACE, providers=(Provider.TENSORRT,), runtime=runtime).provider is Provider.TENSORRT
    assert runtime.asked == [[TENSORRT, CUDA, CPU]]


def test_the_log_says_what_a_shared_detector_runs_on(tmp_path):
    content = tiny_models.constant_model("images", {"output": tiny_models.empty_rows()})
    detector = SharedDetector(tiny_models.keep(tmp_path, tiny_models.yolox_entry(), content), models=tmp_path, providers=(Provider.CPU,))
    frame = Frame(np.full((96, 64), 90, np.uint8), 0, 0)
    with capture_logs() as logs:
        for _ in range(2):
            detector.detect_regions(frame, [Region(0, 0, 64, 64)])
    assert [(line["event"], line["model"], line["provider"], line["threads"]) for line in logs] == [("model loaded", "tiny-yolox", CPU, 1)]


def test_providers_go_by_their_words_and_by_the_names_of_onnx_runtime():
    assert [Provider.of(word) for word in ("cuda", "CUDAExecutionProvider", "TensorrtExecutionProvider", "OpenVINO", "CPU")] == [
        *("cuda", "cuda", "tensorrt", "openvino", "cpu")
    ]
    with pytest.raises(ValueError, match="'gpu' is no provider; known are tensorrt, cuda, openvino, cpu"):
        Provider.of("gpu")
