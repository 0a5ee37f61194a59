
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from brevitas.quant import SignedBinaryWeightPerTensorConst  # noqa: E402
from torch import nn  # noqa: E402

from headrace.difference.difference import compare, difference  # noqa: E402
from headrace.difference.report import Cause  # noqa: E402
from headrace.frontend.torch.brevitas import network_of, read_module  # noqa: E402
from headrace.streamline.streamline import streamline_traced  # noqa: E402
from tests.difference.planted import moved  # noqa: E402


def fixed(bits: int, limit: float) -> nn.Module:
    return qnn.QuantIdentity(bit_width=bits, scaling_impl_type="const", scaling_init=limit)


def model(weight_scale: float, step: float) -> nn.Module:
    """x -> integer code -> times weight_scale -> int4 in steps -> times weight_scale -> int4 in steps."""
    binary = {"weight_quant": SignedBinaryWeightPerTensorConst, "weight_scaling_init": weight_scale, "bias": False}
    layers = [qnn.QuantLinear(1, 1, **binary) for _ in range(2)]
    for layer in layers:
        layer.weight.data.fill_(1.0)
    return nn.Sequential(fixed(8, 128.0), layers[0], fixed(4, 8 * step), layers[1], fixed(4, 8 * step)).eval()


def test_equal_networks_have_no_difference() -> None:
    report = difference(model(1.0, 2.0), np.arange(-20, 20, dtype=np.float32)[:, None])
    assert report.explained and report.first is None and report.output_max == 0
    assert str(report).endswith("every difference is explained")


def test_float32_rounding_is_told_with_its_distance() -> None:
    # 9 * 0.1f is 0.9000000134, which float32 rounds to 0.9000000358 = 1.5 * 0.6f: a tie for torch, not in truth.
    report = difference(model(0.1, 0.6), np.array([[9.0], [3.0]], np.float32))
    first = report.first
    assert first is not None and (first.quantizer, first.tensor, first.differing) == ("2", "fc0_act", 1)
    assert first.first is not None and (first.first.framework_code, first.first.integer_code) == (2, 1)
    assert first.first.cause is Cause.ROUNDING and 3e-8 < first.first.distance < first.first.allowed < 1e-6
    assert report.explained


def test_an_exact_tie_is_told_from_an_error() -> None:
    module = model(1.0, 2.0)
    x = np.array([[3.0], [1.0]], np.float32)  # 3 is the tie between the codes 1 and 2, which goes to 2
    made = read_module(module, x)
    report = compare(module, made, moved(streamline_traced(network_of(made)), "fc0_act", 1), x)
    assert report.quantizers[1].causes[Cause.TIE] == 1
    assert report.quantizers[1].first is not None and report.quantizers[1].first.distance == 0
    assert report.quantizers[2].causes == {
        Cause.TIE: 0, Cause.CANCELLATION: 0, Cause.ROUNDING: 0, Cause.INHERITED: 1, Cause.ERROR: 0}


def test_a_wrong_threshold_is_an_error_with_place_and_codes() -> None:
    module = model(1.0, 2.0)
    x = np.arange(6, dtype=np.float32)[:, None]
    made = read_module(module, x)
    report = compare(module, made, moved(streamline_traced(network_of(made)), "fc0_act", -1), x)
    assert not report.explained and report.quantizers[0].differing == 0
    assert str(report.quantizers[1]) == (
        "2 (fc0_act): 3 of 6 codes differ (2 exact tie, 1 unexplained); first in sample 2 at (0, 0, 0): torch 1, "
        "integer 2, unexplained, 0.5 steps from the decision point (float32 allows 4.77e-07)")
    assert str(report).endswith("there are UNEXPLAINED differences")


def test_the_module_keeps_its_mode_and_its_hooks() -> None:
    module = model(1.0, 2.0).train()
    difference(module, np.zeros((1, 1), np.float32))
    assert module.training and not any(item._forward_hooks for item in module.modules())
