"""Every method on a tiny network: what is run in torch is what the exact integer network computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="needs torch")

from torch import nn  # noqa: E402

import headrace as hr  # noqa: E402
from headrace.errors import InputError, QuantizationError, UnsupportedError  # noqa: E402
from headrace.frontend.torch.float_module import from_float_module  # noqa: E402
from headrace.network.graph import Node  # noqa: E402
from headrace.network.ops import Quantize  # noqa: E402
from headrace.quantization.affine import affine_params  # noqa: E402
from headrace.quantization.dense_chain import Dense, quantize_chain  # noqa: E402
from headrace.quantization.primitives import peak_of  # noqa: E402
from headrace.quantization.ristretto import ristretto, wq  # noqa: E402
from headrace.quantizing.api import Quantized, quantize  # noqa: E402
from headrace.quantizing.methods import METHODS  # noqa: E402
from headrace.quantizing.points import quantization_points  # noqa: E402
from headrace.quantizing.settings import METHOD_NAMES, Settings  # noqa: E402
from tests.quantizing.tiny import tiny_data, tiny_net  # noqa: E402

MODULE = tiny_net()
DATA = tiny_data(MODULE)
X = np.concatenate([x for x, _ in DATA])


@cache
def tiny(method: str, bits: int = 4, **options: object) -> Quantized:
    return quantize(MODULE, DATA, Settings(method, bits, bits, **options))  # type: ignore[arg-type]


def quantizers(result: Quantized) -> dict[str, Quantize]:
    return {node.inputs[0]: node.op for node in result.network.nodes if isinstance(node.op, Quantize)}


def test_every_name_has_a_method() -> None:
    assert tuple(METHODS) == METHOD_NAMES


@pytest.mark.parametrize("method", METHOD_NAMES)
@pytest.mark.parametrize("bits", [4, 8])
def test_torch_and_the_integer_network_agree(method: str, bits: int) -> None:
    result = tiny(method, bits)
    exact = hr.load(result.network).predict(X)
    in_torch = result.candidate.runner.scores(X, result.candidate.plan)
    if method.startswith(("affine", "ptq")):  # its scales are not powers of two, so float32 rounds
        step = result.candidate.plan.weights["last"].scale[0] * quantizers(result)["mean"].scale[0]
        assert np.mean(np.abs(exact - in_torch) > step / 2) < 0.05
    else:
        assert np.array_equal(exact, in_torch)
    assert result.network.forward(X) == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("method", ["ristretto", "wq", "ggd", "coarse-to-fine", "affine"])
def test_more_bits_come_closer_to_the_float_network(method: str) -> None:
    reference = MODULE(torch.from_numpy(X)).detach().numpy()
    errors = [np.square(hr.load(tiny(method, bits).network).predict(X) - reference).mean() for bits in (3, 5, 8)]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 1e-3


def test_weights_are_those_of_the_method() -> None:
    net = from_float_module(MODULE, X[:1])
    rules: dict[str, Callable[[np.ndarray], int]] = {
        "ristretto": lambda w: ristretto(w, 4), "wq": lambda w: wq(w, 4, 4).frac_bits}
    for method, rule in rules.items():
        plan = tiny(method).candidate.plan
        for name, op in net.layers.items():
            assert plan.weights[name].scale[0] == 2.0 ** -rule(op.weights)
    for candidate in (tiny("affine").candidate, tiny("coarse-to-fine").candidate):
        for name, op in candidate.net.layers.items():
            assert peak_of(candidate.plan.weights[name].values - op.weights) <= peak_of(op.weights) / 7


def test_quantizers_stand_where_integers_are_read() -> None:
    net = from_float_module(MODULE, X[:1])
    points = quantization_points(net, join_sums=True)
    assert points.tensors == ("input", "relu", "second", "relu_2", "relu_3", "relu_4", "mean")
    assert points.groups == (("input",), ("relu", "second"), ("relu_2",), ("relu_3", "relu_4"), ("mean",))
    assert quantization_points(net, output=True).tensors[-1] == "last"


def test_tensors_that_meet_share_what_they_must() -> None:
    for method in METHOD_NAMES:
        found = quantizers(tiny(method))
        assert found["relu_3"].scale == found["relu_4"].scale and found["relu_3"].dtype == found["relu_4"].dtype
    found = quantizers(tiny("affine"))
    assert found["relu"].scale == found["second"].scale and found["relu"].zero_point == found["second"].zero_point > 0
    gains = tiny("coarse-to-fine").candidate.gains
    assert gains["relu"] == gains["second"] == gains["relu_2"] and gains["input"] == gains["last"] == 1
    assert gains["mean"] == gains["relu_3"] * 9 / 16 and gains["relu_3"] != 1


def test_the_rescaled_network_computes_what_the_float_network_does() -> None:
    result = tiny("coarse-to-fine")
    wanted = MODULE(torch.from_numpy(X)).detach().numpy()
    assert result.candidate.runner.scores(X) == pytest.approx(wanted, abs=1e-5)


def test_affine_ranges_hold_zero_and_what_was_seen() -> None:
    module = nn.Sequential(nn.Linear(2, 2))
    data = [np.array([[-1.0, 3.0], [0.5, 2.0]], np.float32)]
    result = quantize(module, data, Settings("affine", 8, 8))
    params = affine_params(-1.0, 3.0)
    found = quantizers(result)["input"]
    assert (found.scale[0], found.zero_point, str(found.dtype)) == (params.scale, params.zero_point, "uint8")


def test_the_scale_factor_method_is_the_chain_of_dense_layers() -> None:
    """The network's integers are those of quantize_chain, but for signed codes behind ReLU, which it does not have."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3))
    x = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    parameters = [[p.detach().numpy().astype(np.float64) for p in layer.parameters()] for layer in module]
    layers = [Dense(weights, bias, relu=False) for weights, bias in parameters]
    chain = quantize_chain(layers, x.T.astype(np.float64), 8, 8)
    result = quantize(module, [x], Settings("coarse-to-fine", 8, 8))
    wanted = np.ldexp(chain.infer(x.T)[-1].T.astype(np.float64), -chain.scales[-1].n)
    assert np.array_equal(hr.load(result.network).predict(x), wanted)
    for name, layer in zip(result.candidate.plan.weights, chain.layers, strict=True):
        assert np.array_equal(result.candidate.plan.weights[name].codes, layer.weights)


def test_tuning_never_loses_accuracy_and_is_counted() -> None:
    before, after = tiny("ggd", 3), tiny("ggd+bft", 3)
    assert after.accuracy["calibration"].quantized > before.accuracy["calibration"].quantized
    assert after.evaluations > 20 and before.evaluations == 0


def test_rows_tell_what_is_stored_and_what_it_costs() -> None:
    result = tiny("coarse-to-fine")
    rows = {(row.name, row.part): row for row in result.rows}
    assert [row.name for row in result.rows][:3] == ["input", "first", "relu"]
    assert rows["relu", "tensor"].q == result.candidate.gains["relu"] and not rows["relu", "tensor"].signed
    lengths = tiny("coarse-to-fine", 8).candidate.plan.weights["first"].scale
    assert lengths.shape == (2,) and tiny("ggd").candidate.plan.weights["first"].scale.shape == (1,)
    assert rows["second", "tensor"].predicted_sqnr_db > rows["second", "tensor"].measured_sqnr_db > 0
    assert rows["input", "tensor"].measured_sqnr_db == math.inf  # sixteen levels in 4 bits
    assert tiny("ggd", 2).rows[1].saturation > 0


def test_predicted_sqnr_of_weights_counts_what_is_clipped() -> None:
    rng = np.random.default_rng(0)
    module = nn.Sequential(nn.Linear(96, 96))
    module[0].weight.data = torch.from_numpy(rng.laplace(size=(96, 96)).astype(np.float32))  # heavy tails
    row = next(row for row in quantize(module, [rng.normal(size=(4, 96))], Settings("wq", 4, 8)).rows
               if row.part == "weights")
    assert row.saturation > 0.01
    assert abs(row.predicted_sqnr_db - row.measured_sqnr_db) < 0.1  # 5.7 dB without the clipped ones


def test_accuracy_needs_labels_and_counts_all_test_samples() -> None:
    unlabelled = quantize(MODULE, [x for x, _ in DATA], Settings("ggd"), test=DATA)
    assert set(unlabelled.accuracy) == {"test"} and unlabelled.accuracy["test"].samples == 64
    with pytest.raises(InputError, match="tuning needs labels"):
        quantize(MODULE, [x for x, _ in DATA], Settings("ggd+bft"))
    with pytest.raises(InputError, match="read again"):
        quantize(MODULE, iter(DATA), Settings("affine+qat"))


WRONG: dict[str, tuple[Callable[[], Settings], str]] = {
    "unknown": (lambda: Settings(method="magic"), "method .magic. is unknown; choose one of auto, ristretto"),
    "wide weights": (lambda: Settings(weight_bits=9), "weights of 9 bits have no layer; use 2 to 8"),
    "narrow maps": (lambda: Settings(act_bits=1), "feature maps of 1 bits have no layer; use 2 to 8"),
    "biases": (lambda: Settings(bias_bits=40), "biases of 40 bits"),
    "no samples": (lambda: Settings(samples=0), "samples=0 does nothing"),
    "negative rate": (lambda: Settings(learning_rate=-1.0), "learning rate of -1.0 trains nothing"),
    "falling widths": (lambda: Settings(mixed=(8, 4)), "mixed widths 8,4 must rise"),
    "maps by range": (lambda: Settings(mixed=(4, 8), mixed_maps=True, select="range"), "range ranks weights"),
    "negative drop": (lambda: Settings(mixed=(4, 8), accuracy_drop=-1.0), "accuracy drop of -1.0 points"),
}


@pytest.mark.parametrize("what", WRONG)
def test_settings_out_of_range_are_one_sentence(what: str) -> None:
    make, sentence = WRONG[what]
    with pytest.raises(QuantizationError, match=sentence):
        make()


def test_a_network_that_needs_no_quantizer_twice_keeps_its_codes() -> None:
    module = nn.Sequential(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(9, 2))
    result = quantize(module, [X], Settings("ggd", 4, 4))
    assert [node for node in result.network.nodes if isinstance(node.op, Quantize)] == [
        Node("input.quant", quantizers(result)["input"], ("input",)),
        Node("0.quant", quantizers(result)["0"], ("0",))]


@pytest.mark.parametrize("method", ["ggd", "affine+qat"])
def test_labels_that_no_score_stands_for_are_refused(method: str) -> None:
    from_one = [(x, y + 1) for x, y in DATA]
    with pytest.raises(InputError, match="a label is 3 but the network has 3 scores; number the classes from 0 to 2"):
        quantize(MODULE, from_one, Settings(method))


class Held(nn.Module):
    """Adds to a tensor that another name holds, which torch.fx does not see."""

    def forward(self, x: Tensor) -> Tensor:
        y = x + x
        held = y
        y += x
        return y + held


class Stiff(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.view(7, -1)


@pytest.mark.parametrize("module, sentence", [
    (Held(), r"^Held: the graph that was read of it is off by 1 where the module's values reach 6; write x = x \+ y"),
    (Stiff(), r"^view \(view\): cannot be run on an input of shape \(2, 1, 2, 2\) \(.*\); mend the model or "),
])
def test_a_graph_that_is_not_the_module_is_refused(module: nn.Module, sentence: str) -> None:
    with pytest.raises((UnsupportedError, InputError), match=sentence):
        quantize(module, [np.ones((2, 1, 2, 2), np.float32)])
