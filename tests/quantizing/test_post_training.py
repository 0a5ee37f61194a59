"""Affine networks fitted without training: equalisation, ranges, biases, adaptive rounding, and a choice of method."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="needs torch")
from torch import nn  # noqa: E402

import headrace as hr  # noqa: E402
from headrace.__main__ import main  # noqa: E402
from headrace.archive import npz_bytes  # noqa: E402
from headrace.errors import HeadraceError  # noqa: E402
from headrace.frontend.torch.float_module import from_float_module  # noqa: E402
from headrace.quantizing.api import Quantized, quantize  # noqa: E402
from headrace.quantizing.equalise import equalised  # noqa: E402
from headrace.quantizing.runner import Runner  # noqa: E402
from headrace.quantizing.settings import Settings  # noqa: E402
from tests.quantizing.tiny import tiny_data, tiny_net  # noqa: E402

MODULE = tiny_net()
DATA = tiny_data(MODULE)
X = np.concatenate([x for x, _ in DATA])
AFFINE = Settings("affine", 3, 4)


def error(result: Quantized) -> float:
    """Mean squared difference from the float network, of the exact integer network."""
    with torch.no_grad():
        wanted = MODULE(torch.from_numpy(X)).numpy()
    return float(np.square(hr.load(result.network).predict(X) - wanted).mean())


def affine(settings: Settings = AFFINE) -> Quantized:
    return quantize(MODULE, DATA, settings)


class Grouped(nn.Module):
    """Every kind of layer between which channels can be rescaled: depthwise, grouped, pooled, flattened."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 3, padding=1, groups=4), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 6, 1, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(24, 5), nn.ReLU(), nn.Linear(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_equalised_networks_compute_the_same_with_other_weights() -> None:
    torch.manual_seed(0)
    module = Grouped().eval()
    with torch.no_grad():
        module.body[0].weight[0] *= 50
    net = from_float_module(module, (1, 1, 6, 6))
    other = equalised(net)
    wanted, found = Runner(net).scores(X), Runner(other).scores(X)
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    first, second = ({name: np.abs(op.weights).max() for name, op in n.layers.items()} for n in (net, other))
    assert all(first[name] != second[name] for name in first)


def test_a_layer_that_two_read_is_not_equalised() -> None:
    net = from_float_module(MODULE, X[:1])
    other = equalised(net)
    assert np.array_equal(other.layers["first"].weights, net.layers["first"].weights)


def test_rounding_ranges_and_biases_each_lessen_the_error() -> None:
    plain = error(affine())
    adaptive, corrected = replace(AFFINE, rounding="adaptive"), replace(AFFINE, correct_bias=True)
    assert error(affine(adaptive)) < error(affine(corrected)) < plain
    assert error(affine(replace(AFFINE, ranges="mse"))) < plain
    assert error(quantize(MODULE, DATA, Settings("ptq", 3, 4))) < 0.1 * plain


def test_scales_per_channel_bring_the_weights_closer() -> None:
    net = from_float_module(MODULE, X[:1])
    for name, op in net.layers.items():
        off = {scales: np.square(affine(replace(AFFINE, weight_scales=scales)).candidate.plan.weights[name].values
                                 - op.weights).sum() for scales in ("channel", "tensor")}
        assert off["channel"] <= off["tensor"] * 1.2, name
    assert len(affine().candidate.plan.weights["first"].scale) == 2


def test_the_mean_of_the_outputs_is_that_of_the_float_network() -> None:
    with torch.no_grad():
        wanted = MODULE(torch.from_numpy(X)).numpy().mean(0)
    found = hr.load(affine(replace(AFFINE, correct_bias=True)).network).predict(X).mean(0)
    off = hr.load(affine().network).predict(X).mean(0)
    assert np.abs(found - wanted).max() < 0.2 * np.abs(off - wanted).max()


def test_edges_and_single_layers_have_widths_of_their_own() -> None:
    result = affine(replace(AFFINE, edge_bits=8, weight_widths={"second": 5}, tensor_widths={"relu_2": 6}))
    bits = {(row.name, row.part): row.bits for row in result.rows}
    assert bits["first", "weights"] == bits["last", "weights"] == 8 and bits["input", "tensor"] == 8
    assert bits["second", "weights"] == 5 and bits["left", "weights"] == 3 and bits["relu_2", "tensor"] == 6


def test_auto_equalises_all_that_it_tries_where_that_is_asked_for() -> None:
    result = quantize(MODULE, DATA, Settings("auto", 3, 3, equalize=True))
    names = [trial.name for trial in result.trials]
    assert len(names) == len(set(names)) == 4 and all("--equalize" in name for name in names)


def test_auto_takes_the_best_on_samples_that_no_method_saw() -> None:
    result = quantize(MODULE, DATA, Settings("auto", 3, 3))
    taken = [trial for trial in result.trials if trial.chosen]
    assert len(taken) == 1 and len(result.trials) == 5 and result.settings.method == taken[0].name.split()[0]
    within = [trial.sqnr_db for trial in result.trials if (trial.accuracy or 0) >= (taken[0].accuracy or 0)]
    assert taken[0].sqnr_db == max(within)


def test_a_comparison_keeps_the_method_that_was_given() -> None:
    result = quantize(MODULE, [x for x, _ in DATA], Settings("wq", 4, 4), compare=True)
    assert result.settings.method == "wq" and result.trials[0].chosen
    assert len({trial.name for trial in result.trials}) == len(result.trials) > 8
    assert all(trial.accuracy is None for trial in result.trials)


WRONG: dict[str, tuple[Callable[[], Settings], str]] = {
    "ranges of another method": (lambda: Settings(method="ggd", ranges="mse"), "ranges: method ggd chooses for itself"),
    "rounding of auto": (lambda: Settings(method="auto", rounding="adaptive"),
                         "rounding: method auto chooses for itself"),
    "edges too wide": (lambda: Settings(edge_bits=9), "the first and the last layer of 9 bits"),
    "an unknown layer": (lambda: Settings(weight_widths={"frist": 4}),
                         "frist: is not a layer with weights of this network; "),
    "an unknown tensor": (lambda: Settings(tensor_widths={"x": 4}),
                          "x: is not a tensor to quantize of this network; choose among "),
    "edges and mixed": (lambda: Settings(edge_bits=8, mixed=(4, 8)), "leave widths of single layers out"),
    "too few samples": (lambda: Settings(method="auto", samples=3),
                        "3 samples are too few to hold some back; give data of 4"),
}


@pytest.mark.parametrize("what", WRONG)
def test_settings_without_effect_and_unknown_names_are_one_sentence(what: str) -> None:
    make, sentence = WRONG[what]
    with pytest.raises(HeadraceError, match=sentence):
        quantize(MODULE, DATA, make())


class Curved(nn.Module):
    """Curves, nearest upsampling, and a softmax that the host computes."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 3, 3, 2, 1), nn.SiLU(), nn.Upsample(scale_factor=2),
                                  nn.Conv2d(3, 2, 3), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(32, 3), nn.Softmax(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


def test_curves_upsampling_and_heads_of_the_host_are_calibrated() -> None:
    torch.manual_seed(1)
    module = Curved().eval()
    with torch.no_grad():
        wanted = module(torch.from_numpy(X)).numpy()
    found = hr.load(quantize(module, [X], Settings("ptq")).network).predict(X)
    assert found == pytest.approx(wanted, abs=0.02)
    for method in ("coarse-to-fine", "affine+qat"):
        with pytest.raises(HeadraceError, match="method auto"):
            quantize(module, [(X, np.zeros(len(X), int))], Settings(method))


@pytest.fixture
def onnx_model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.onnx"
    with warnings.catch_warnings():  # of the exporter, about itself
        warnings.simplefilter("ignore")
        torch.onnx.export(MODULE, (torch.zeros(1, 1, 6, 6),), path, dynamo=False)
    labels = np.concatenate([y for _, y in DATA])
    np.savez(tmp_path / "data.npz", x=X, y=labels)
    return path


def test_a_float_onnx_file_is_quantized_and_built_in_two_commands(
        onnx_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "tiny.npz"
    (tmp_path / "widths.toml").write_text("[weights]\n'/left/Conv' = 6\n")
    assert main(["quantize", str(onnx_model), "--data", str(tmp_path / "data.npz"), "--method", "auto",
                 "--out", str(out), "--widths", str(tmp_path / "widths.toml")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == f"next: headrace build {out} --out {tmp_path / 'tiny'}"
    assert shown[-2].startswith("accuracy on 48 calibration samples: ")
    assert main(["build", str(out), "--out", str(tmp_path / "tiny"), "--verify", "2"]) == 0
    build = hr.Build.open(tmp_path / "tiny")
    assert build.record["verified"] is True
    assert np.array_equal(build.predict(X[:4], engine="rtl"), hr.load(str(out)).predict(X[:4]))


REFUSED_DATA = {"z": "holds z; give inputs x and labels y", "y": r"labels of shape \(3,\) do not fit 64 inputs"}


@pytest.mark.parametrize("what", REFUSED_DATA)
def test_files_that_hold_no_samples_are_one_sentence(
        what: str, onnx_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.npz"
    path.write_bytes(npz_bytes({"z": X} if what == "z" else {"x": X, "y": np.zeros(3, int)}))
    assert main(["quantize", str(onnx_model), "--data", str(path), "--out", str(tmp_path / "q.npz")]) == 1
    assert re.search(REFUSED_DATA[what], capsys.readouterr().err)
    assert not (tmp_path / "q.npz").exists()
