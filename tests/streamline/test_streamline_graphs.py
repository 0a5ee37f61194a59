"""Networks that fork and join, and the operations beyond chains: every code against the exact reading."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.engines.host import to_stream
from headrace.errors import InputError, UnsupportedError
from headrace.network import integer
from headrace.network.graph import Input, Network, Node
from headrace.network.ops import RELU, Affine, Clip, Conv, Linear, MaxPool, Quantize, Reshape
from headrace.network.ops import Op as FloatOp
from headrace.network.rounding import Rounding
from headrace.network.tensor_ops import (
    Add,
    AvgPool,
    Concat,
    MultiThreshold,
    PadFrame,
    Softmax,
    TopK,
    Transpose,
    Trunc,
    Upsample,
)
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline, streamline_traced
from tests.assert_exact import assert_exact, outputs
from tests.streamline.graphs import (
    INT4,
    SHAPE,
    chain,
    conv,
    floats,
    graph,
    one_weight,
    quantizer,
    residual,
    samples,
    weight,
)


@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("dtype", [BIPOLAR, int_type(4)])
def test_groups_are_depthwise_or_dense_with_zeros(groups: int, dtype: DataType) -> None:
    rng = np.random.default_rng(groups)
    shape = (4, 4, 4)
    scales = Quantize(floats(0.5, 0.3, 0.25, 0.7) if groups == 4 else floats(0.5), int_type(3))
    made = weight(rng, dtype, 4, 4 // groups, 2, 2, scales=4)
    network = chain(shape, scales, Conv(made, rng.normal(size=4), (1, 2), (1, 0, 0, 1), groups=groups),
                    Affine(floats(-1.0, 1.0, 1.0, -1.0), floats(0.1)), quantizer(uint_type(3), 0.5))
    first = streamline(network).nodes[0].op
    assert isinstance(first, integer.DepthwiseConv if groups == 4 else integer.Conv)
    assert first.weight == (Interval(-1, 1) if dtype == BIPOLAR and groups == 2 else dtype)
    assert_exact(network, samples(shape, groups))


@pytest.mark.parametrize("bits", [3, 7])
def test_averages_leave_the_division_to_what_follows(bits: int) -> None:
    rng = np.random.default_rng(bits)
    network = chain(SHAPE, quantizer(uint_type(4), 0.25), AvgPool((2, 2), (1, 1)), quantizer(uint_type(bits), 0.1),
                    conv(rng, 3, 2, kernel=2), Affine(floats(-1.0, 1.0, 2.0), floats(0.5)), AvgPool((2, 3), (1, 1)),
                    quantizer(int_type(bits), 0.2), Reshape((-1,)), Linear(weight(rng, TERNARY, 2, 3)))
    assert_exact(network, samples(SHAPE, bits) * 2)


def test_upsampling_and_borders() -> None:
    rng = np.random.default_rng(0)
    network = chain(SHAPE, quantizer(int_type(4), 0.25), Upsample((2, 3)), PadFrame((1, 0, 2, 1), -0.5),
                    Affine(floats(-1.0, 1.0), floats(0.0)), PadFrame((0, 1, 0, 0), -np.inf), MaxPool((2, 2), (2, 2)),
                    conv(rng, 2, 2, kernel=2), quantizer(uint_type(4), 0.6))
    assert_exact(network, samples(SHAPE, 0, 2))


@pytest.mark.parametrize(("dtype", "bias"), [(BIPOLAR, -1.0), (uint_type(1), 0.0)])
def test_single_thresholds_of_finn(dtype: DataType, bias: float) -> None:
    scale = 2.0 if dtype == BIPOLAR else 1.0
    first = MultiThreshold(np.array([[0.3], [-0.2]]), dtype, scale, bias)
    network = chain((2, 1, 1), first, Conv(weight(np.random.default_rng(0), BIPOLAR, 2, 2, 1, 1)),
                    Affine(floats(-1.0, 0.3), floats(0.1)), MultiThreshold(np.array([[0.0]]), dtype, scale, bias))
    net = streamline(network)
    assert net.host_input.tensor.dtype == dtype and net.types["conv0_act"].dtype == dtype
    assert_exact(network, samples((2, 1, 1), 0, 20))


def test_several_thresholds_of_finn() -> None:
    rng = np.random.default_rng(1)
    even = MultiThreshold(np.array([[-0.5, 0.0, 0.5]]), int_type(2), 0.5, -1.0)
    rows = rng.normal(size=(3, 7)) * 4
    network = chain(SHAPE, even, conv(rng, 3, 2, kernel=2), MultiThreshold(rows, uint_type(3), -0.5, 0.3),
                    Conv(weight(rng, TERNARY, 2, 3, 1, 1)))
    assert streamline(network).host_input.tensor.dtype == Interval(-2, 1)
    assert_exact(network, samples(SHAPE, 1, 5))


def test_uneven_thresholds_of_the_input_are_refused() -> None:
    with pytest.raises(UnsupportedError) as caught:
        streamline(chain((1,), MultiThreshold(np.array([[0.0, 1.0, 3.0]]), uint_type(2))))
    assert str(caught.value) == ("n0: thresholds of the model's own input must be evenly spaced, with no activation "
                                 "before them; put a quantizer at the start of the network")


@pytest.mark.parametrize(("scale", "offset"), [(0.25, 0.1), (0.3, 0.5)])
def test_dropped_bits_of_other_steps_are_refused(scale: float, offset: float) -> None:
    """Both the step of the codes and what is added to them must be whole multiples of the scale."""
    network = chain((2, 1, 1), quantizer(uint_type(4), 0.25), Affine(floats(scale / 0.25), floats(offset)),
                    Trunc(floats(0.25), 1, floats(0.5), uint_type(3), 0, 0.0, "floor"))
    with pytest.raises(UnsupportedError) as caught:
        streamline(network)
    assert str(caught.value) == ("n2: its input is not made of whole multiples of its scale 0.25; truncate with the "
                                 "scale of the tensor before it")


def test_the_trace_of_dropped_bits_has_their_scale() -> None:
    network = chain((2, 1, 1), quantizer(uint_type(4), 0.25, 3),
                    Trunc(floats(0.25), 1, floats(0.5), uint_type(3), 0, 2.0, "floor"))
    first, last = streamline_traced(network).quantizers
    for trace, name, scale, offset in ((first, "n0", Fraction(1, 4), Fraction(-3, 4)),
                                       (last, "n1", Fraction(1, 2), Fraction(-1))):
        assert (trace.name, trace.codes.scales, trace.codes.offsets) == (name, (scale,) * 2, (offset,) * 2)


@pytest.mark.parametrize(("frame", "shape", "rows"), [
    ((2, 3), (24,), None), ((2, 3), (4, 2, 3), None), ((2, 3), (1, 4, 2, 3), None), ((2, 3), (4, 6), (1, 6)),
    ((2, 3), (4, 3, 2), (3, 2)), ((2, 3), (4, 1, 6), (1, 6)), ((2, 3), (4, 6, 1), (6, 1)), ((1, 1), (4,), None),
    ((1, 1), (1, 4), None), ((1, 1), (1, 1, 4), None), ((1, 1), (4, 1), None), ((1, 1), (1, 4, 1, 1), None),
    ((1, 6), (4, 6), None), ((1, 6), (4, 6, 1), None), ((1, 6), (4, 2, 3), (2, 3)),
])
def test_streams_of_another_shape(frame: tuple[int, int], shape: tuple[int, ...], rows: tuple[int, int] | None) -> None:
    """The stream is the same, or it is one of other rows."""
    network = in_shape(frame, shape)
    assert [node.op for node in streamline(network).nodes if isinstance(node.op, integer.Reframe)] == (
        [integer.Reframe(*rows)] if rows else [])
    assert_exact(network, samples((2, *frame), 0))


def in_shape(frame: tuple[int, int], shape: tuple[int, ...], *behind: FloatOp) -> Network:
    return chain((2, *frame), quantizer(uint_type(3), 0.5), conv(np.random.default_rng(0), 4, 2, kernel=1),
                 Reshape(shape), quantizer(uint_type(3), 0.5), *behind)


@pytest.mark.parametrize(("frame", "shape"), [((2, 3), (4, 3, 2)), ((6, 1), (4, 1, 6)), ((1, 6), (4, 6, 1))])
def test_rows_of_another_shape_are_pooled(frame: tuple[int, int], shape: tuple[int, int, int]) -> None:
    """Also where only an axis of size 1 moves."""
    assert_exact(in_shape(frame, shape, MaxPool((min(3, shape[1]), 1), (1, 1))), samples((2, *frame), 0))


@pytest.mark.parametrize(("frame", "shape"), [
    ((2, 3), (2, 12)), ((2, 3), (6, 4)), ((2, 3), (1, 4, 6)), ((1, 1), (2, 2)), ((1, 6), (1, 4, 2, 3)),
    ((1, 6), (6, 4))])
def test_streams_have_no_other_channels(frame: tuple[int, int], shape: tuple[int, ...]) -> None:
    with pytest.raises(UnsupportedError) as caught:
        streamline(in_shape(frame, shape))
    assert str(caught.value) == (f"n2: a feature map of shape {(4, *frame)} cannot become {shape} in a stream; flatten "
                                 "it only in front of a dense layer")


@pytest.mark.parametrize("rounding", ["floor", "half_even", "ceil"])
@pytest.mark.parametrize("dtype", [None, uint_type(2)])
def test_dropped_bits(rounding: Rounding, dtype: Interval) -> None:
    network = chain(SHAPE, quantizer(uint_type(4), 0.25), AvgPool((2, 2), (1, 1)),
                    Trunc(floats(0.0625), 2, floats(0.25), dtype, 1, 0.25, rounding),
                    Conv(weight(np.random.default_rng(0), TERNARY, 2, 2, 1, 1)))
    assert_exact(network, np.abs(samples(SHAPE, 0)) * 2)


def test_wide_codes_multiply_and_shift() -> None:
    rng = np.random.default_rng(0)
    for rounding in ("half_even", "half_up", "floor", "ceil"):
        network = chain(SHAPE, quantizer(int_type(8), 2.0**-5), conv(rng, 2, 2, int_type(8), scale=2.0**-7),
                        Quantize(floats(2.0**-8), int_type(12), 0, rounding), conv(rng, 2, 2, kernel=1))
        net = streamline(network)
        assert isinstance(net.nodes[1].op, integer.Requant) and net.types["conv0_act"].dtype == int_type(12)
        assert_exact(network, samples(SHAPE, 0))


def test_an_input_without_quantizer_is_fixed_point_that_must_not_saturate() -> None:
    rng = np.random.default_rng(0)
    network = chain((4,), Linear(weight(rng, int_type(6), 3, 4), rng.normal(size=3)), RELU,
                    quantizer(uint_type(6), 0.1),
                    Linear(weight(rng, int_type(6), 2, 3)))
    net = streamline(network)
    x = samples((4,), 0, 50)
    got = outputs(net, x, "fast")
    assert net.host_input.tensor.dtype == int_type(32) and np.abs(got - network.forward(x)).max() < 1e-4
    with pytest.raises(InputError) as caught:
        to_stream(net.host_input, np.array([[0, 0, 17.5, 0]], np.float32))
    assert str(caught.value) == ("input: the value 17.5 lies outside the range from -16 to 16 in which the model's "
                                 "input is read; scale the data, or add a quantizer to the model to choose another "
                                 "range")


def test_one_input_has_one_quantizer() -> None:
    with pytest.raises(UnsupportedError) as caught:
        streamline(graph((1,), a=(quantizer(uint_type(2)), "x"), b=(quantizer(uint_type(3)), "x"), s=(Add(), "a", "b")))
    assert str(caught.value) == ("b: the model's input is quantized a second time, in another way; quantize it once "
                                 "and let both branches read the result")


@pytest.mark.parametrize(("head", "shape", "kind"), [(Softmax(), (3,), "softmax"), (TopK(1), (1,), "topk"),
                                                     (TopK(2), (2,), "topk")])
def test_heads_are_the_hosts(head: FloatOp, shape: tuple[int], kind: str) -> None:
    rng = np.random.default_rng(0)
    network = chain((4,), quantizer(int_type(4), 0.3), Linear(weight(rng, int_type(3), 3, 4)), head)
    net = streamline(network)
    x = samples((4,), 0, 20)
    got = outputs(net, x, "fast")
    assert net.host_outputs[0].head == kind and got.shape == (20, *shape)
    np.testing.assert_allclose(got, network.forward(x), rtol=1e-6)


def test_a_head_may_be_reshaped_and_follow_a_softmax() -> None:
    rng = np.random.default_rng(0)
    network = chain((4,), quantizer(int_type(4), 0.3), Linear(weight(rng, int_type(3), 3, 4)), Softmax(), TopK(1),
                    Reshape((1, 1)))
    (host,) = streamline(network).host_outputs
    assert (host.head, host.k, host.shape, host.result) == ("topk", 1, (3,), (1, 1))


def test_nodes_without_effect_are_left_out() -> None:
    network = Network((Input("x", (1,)),), (Node("a", quantizer(uint_type(2)), ("x",)), Node("b", Softmax(), ("a",)),
                                            Node("c", Linear(one_weight()), ("a",))), ("c",))
    assert [node.name for node in streamline(network).nodes] == ["fc0"]


def test_everything_unsupported_is_told_at_once() -> None:
    rng = np.random.default_rng(0)
    network = graph((1, 4, 4), a=(quantizer(BIPOLAR), "x"), c=(conv(rng, 2, 1, pad=(1, 1, 1, 1)), "a"),
                    q=(quantizer(uint_type(2)), "c"), s=(Softmax(), "q"), p=(quantizer(uint_type(2)), "s"),
                    t=(Transpose((2, 1, 0)), "p"), e=(quantizer(uint_type(2)), "t"))
    with pytest.raises(UnsupportedError) as caught:
        streamline(network)
    assert str(caught.value).splitlines() == [
        "3 nodes have no exact streaming form:",
        "  c: pads a bipolar tensor with 0, which is neither -1 nor +1; use padding=0 or an activation that has 0 "
        "(2 bits or ternary)",
        "  s (Softmax): the host does this behind the last layer, but p reads it; end the model with it "
        "(quantize_static of onnxruntime: name it in nodes_to_exclude)",
        "  t: turns a tensor of shape (2, 4, 4) into (4, 4, 2), but a stream carries pixels row by row with their "
        "channels; remove the transpose, or export with channels first"]


def test_requantizers_replace_thresholds_above_4_bits() -> None:
    net = streamline(residual(1, 2.0, bits=6))
    kinds = [type(node.op).__name__ for node in requantize(net).nodes]
    assert "Requant" in kinds and "Threshold" not in kinds


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
def test_signals_are_quantized_before_they_become_frames(channels: int, joined: bool) -> None:
    rng = np.random.default_rng(channels)
    shape = (channels, 7)
    network = graph(shape, a=(Quantize(floats(0.5), int_type(4), zero_point=1), "x"),
                    s=(Add(), "a", "a"), j=(Concat(), "s", "a"),
                    f=(Reshape((2 * channels if joined else channels, 1, 7)), "j" if joined else "a"),
                    c=(conv(rng, 3, 2 * channels if joined else channels, kernel=1), "f"),
                    q=(quantizer(int_type(3), 0.3), "c"))
    assert streamline(network).host_input.tensor.shape == (1, 7, channels)
    assert_exact(network, samples(shape, 1))


def test_vectors_that_become_images_inside_the_network_are_refused() -> None:
    rng = np.random.default_rng(0)
    network = graph((4,), a=(quantizer(int_type(4), 0.5), "x"), d=(Linear(weight(rng, INT4, 7, 4)), "a"),
                    q=(quantizer(int_type(4), 0.5), "d"), f=(Reshape((1, 1, 7)), "q"),
                    c=(conv(rng, 2, 1, kernel=1), "f"), e=(quantizer(int_type(4), 0.5), "c"))
    with pytest.raises(UnsupportedError) as caught:
        streamline(network)
    assert str(caught.value) == ("c: reads a tensor of shape (1, 1, 7) that streams as (7, 1, 1); reshape it only in "
                                 "front of a dense layer or at the input")


def test_an_input_of_32_bits_is_quantized_at_once() -> None:
    wide = Quantize(floats(0.5), int_type(32))
    network = chain((2, 3, 3), Clip(-3.0, 4.0), wide, quantizer(int_type(3), 1.0))
    dtype = streamline(network).host_input.tensor.dtype
    assert (dtype.lo, dtype.hi) == (-6, 8)
    assert_exact(network, samples((2, 3, 3), 0))
