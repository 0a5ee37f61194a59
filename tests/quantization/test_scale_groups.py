"""One q for tensors that meet."""

from __future__ import annotations

from fractions import Fraction

import pytest

from headrace.errors import QuantizationError
from headrace.quantization.coarse_to_fine import TensorScale, pool_factor, scale_factor
from headrace.quantization.scale_groups import Meeting, TensorRange, assign_scales, equalise


@pytest.mark.parametrize(("max_v", "q", "n"), [
    ((4.0, 3.0), 0.9921875, (5, 5)),
    ((17.8819, 4.2746), 0.8877691967855764, (3, 5)),
    ((1.4825, 1.8731), 1.0, (6, 6)),
    ((0.0, 4.0), 0.9921875, (7, 5)),
    ((0.0, 0.0), 1.0, (7, 7)),
])
def test_equalise(max_v: tuple[float, float], q: float, n: tuple[int, int]) -> None:
    found, scales = equalise({str(i): TensorRange(v, 8) for i, v in enumerate(max_v)})
    assert found == pytest.approx(q, rel=1e-12)
    assert tuple(scale.n for scale in scales.values()) == n


def ranges(**max_v: float) -> dict[str, TensorRange]:
    return {name: TensorRange(value, 8) for name, value in max_v.items()}


def test_groups_pass_through_relu_and_keep_others_apart() -> None:
    scales = assign_scales(ranges(a=4.0, b=3.0, sum=6.0, alone=2.5),
                           [Meeting("pass", ("a",), "relu"), Meeting("join", ("relu", "b"), "sum")], {})
    assert len({scales[name].q for name in ("a", "relu", "b", "sum")}) == 1
    assert scales["relu"] == scales["a"]
    assert scales["alone"] == scale_factor(2.5, 8)


def test_the_network_input_and_forced_tensors_decide_q() -> None:
    scales = assign_scales(ranges(input=0.9, conv=3.0, sum=3.5), [Meeting("join", ("input", "conv"), "sum")],
                           {"input": 1.0})
    assert {scale.q for scale in scales.values()} == {1.0}
    assert assign_scales(ranges(logits=9.0), [], {"logits": 1.0}) == {"logits": TensorScale(1.0, 3, 8)}


def test_average_pooling_in_a_group_contributes_its_factor() -> None:
    meetings = [Meeting("average_pool", ("a",), "pooled", elements=49), Meeting("join", ("pooled", "b"), "sum")]
    scales = assign_scales(ranges(a=4.0, b=3.0, sum=6.0), meetings, {})
    assert scales["pooled"].q == scales["b"].q == scales["sum"].q == scales["a"].q * 49 / 64
    assert scales["pooled"].n == scales["a"].n


@pytest.mark.parametrize("elements", [3, 5, 25, 36, 49, 100])
@pytest.mark.parametrize("swap", [False, True])
def test_a_fixed_input_stays_exact_through_average_pooling(elements: int, swap: bool) -> None:
    joined = ("pooled", "b") if swap else ("b", "pooled")
    meetings = [Meeting("average_pool", ("input",), "pooled", elements), Meeting("join", joined, "sum")]
    fixed = {"input": 1.0, "sum": pool_factor(elements)}
    for chosen in ({"input": 1.0}, fixed):
        scales = assign_scales(ranges(b=3.0, sum=6.0, input=1.0), meetings, chosen)
        assert {name: scales[name].q for name in ("input", "b", "sum")} == {**fixed, "b": fixed["sum"]}


def test_unsigned_tensors_have_their_own_range() -> None:
    scales = equalise({"a": TensorRange(4.0, 8, signed=False), "b": TensorRange(4.0, 8)})[1]
    assert (scales["a"].n, scales["a"].signed, scales["b"].n, scales["b"].signed) == (6, False, 5, True)


def test_a_tensor_can_be_the_only_one_of_its_factor() -> None:
    q, scales = equalise(ranges(a=4.0), factors={"a": Fraction(3, 4)})
    assert scales["a"].q == q * 0.75


@pytest.mark.parametrize(("meetings", "fixed", "sentence"), [
    ([Meeting("average_pool", ("a",), "p", elements=3), Meeting("join", ("a", "p"), "sum")], {},
     "p and sum meet with scales 3/4 and 1"),
    ([Meeting("join", ("a", "b"), "sum")], {"a": 1.0, "b": 0.75}, r"\['a', 'b'\] meet but their q are fixed to \[0.75"),
    ([Meeting("join", ("a", "c"), "sum")], {}, "tensor 'c' has no calibrated range"),
])
def test_errors(meetings: list[Meeting], fixed: dict[str, float], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        assign_scales(ranges(a=4.0, b=3.0, sum=6.0), meetings, fixed)
