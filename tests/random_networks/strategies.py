"""What Hypothesis draws: descriptions of networks. The first of each list is what a failure shrinks to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from hypothesis import strategies as st

from tests.random_networks.codes import BETWEEN
from tests.random_networks.gated import CURVES
from tests.random_networks.moves import MOVES
from tests.random_networks.written_otherwise import POOLS, PRODUCTS

#: Ties to even are the default of all formats.
_ROUNDINGS = ("ROUND", "ROUND", "ROUND", "FLOOR", "CEIL", "HALF_UP", "HALF_DOWN", "UP", "DOWN")
ACTIVATIONS = ("none", "relu", "clip", "leaky", "prelu", "hardsigmoid", "abs", "hardswish", "sigmoid", "tanh", "elu",
               "softplus", "softsign", "silu", "neg", "mul", "div", "shift")
QUANTIZERS = ("quant", "bipolar", "thresholds", "linear", "int", "each")
HEADS = ("argmax", "topk", "softmax", "log_softmax", "sigmoid", "tanh", "maximum")

_T = TypeVar("_T")


def _of(*choices: _T) -> st.SearchStrategy[_T]:
    return st.sampled_from(choices)


def _pair(least: int, most: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(least, most), min_size=2, max_size=2)


_pads = st.lists(st.integers(0, 2), min_size=4, max_size=4)

quantizers = st.fixed_dictionaries({
    "kind": _of("quant", "quant", *QUANTIZERS), "bits": st.integers(1, 8),
    "signed": st.booleans(), "narrow": st.booleans(), "rounding": _of(*_ROUNDINGS), "zero": _of(0, 0, 0, 1, -3),
    "fine": st.integers(-2, 2), "odd": _of(False, False, True), "per_channel": _of(False, False, True)})

weights = st.fixed_dictionaries({
    "kind": _of("quant", "quant", "bipolar", "integers", "linear"), "bits": st.integers(2, 8), "narrow": st.booleans(),
    "rounding": _of(*_ROUNDINGS),
    "odd": _of(False, False, True), "per_channel": st.booleans(), "extreme": st.booleans(),
    "between": st.booleans()})

_behind = {"act": _of(*ACTIVATIONS[:4], *ACTIVATIONS), "quant": quantizers, "tap": _of(False, False, False, True)}
_product = {
    **_behind, "rows": st.integers(1, 6), "kernel": _pair(1, 3), "stride": _pair(1, 2), "dilation": _pair(1, 2),
    "pads": _pads, "groups": _of("one", "one", "each", "two"), "bias": st.booleans(), "norm": st.booleans(),
    "weight": weights}


def _layer(op: str, parts: Mapping[str, st.SearchStrategy[object]]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({"op": st.just(op), **parts})


_conv = _layer("conv", _product)
_pooling = {"kernel": _pair(1, 3), "stride": _pair(1, 3), "pads": _pads, "quant": quantizers}
layers = st.one_of(
    _layer("activation", _behind), _conv, _conv, _layer("dense", _product),
    _layer("pool", {"form": _of("MaxPool", "AveragePool"), **_pooling}),
    _layer("whole_pool", {"form": _of("GlobalMaxPool", "GlobalAveragePool"), "quant": quantizers}),
    _layer("residual", {"how": _of("Add", "Sub", "Concat"), "joined": st.booleans(), "inner": quantizers, **_product}),
    _layer("codes", {"how": _of("Sub", "Add", "Concat"), "joined": st.booleans(), "inner": quantizers, **_product}),
    _layer("trunc", _behind), _layer("transposed", _product),
    _layer("move", {"form": _of(*MOVES), "amount": st.integers(0, 4)}),
    _layer("steps", {"form": _of(*BETWEEN), "joined": st.booleans(), "inner": quantizers, **_product}),
    _layer("curve", {"form": _of(*CURVES), **_behind}), _layer("written", {"form": _of(*PRODUCTS), **_product}),
    _layer("gather", {"form": _of(*POOLS), **_pooling}),
    _layer("several", {"how": _of("Sum", "Mean"), "joined": st.booleans(), "inner": quantizers, **_product}))

sources = st.fixed_dictionaries({
    "channels": st.integers(1, 4), "height": st.integers(1, 7), "width": st.integers(1, 7),
    "reach": _of(1.0, 4.0, 3.0), "type": _of("", "", "", "UINT8", "INT4", "UINT2", "BIPOLAR"), "quant": quantizers})

#: A second input beside the first, and how both become one tensor.
second = st.fixed_dictionaries({"how": _of("none", "none", "none", "Add", "Concat"), "quant": quantizers})

hardware = st.fixed_dictionaries({
    "seed": st.integers(0, 1 << 16), "pace": st.integers(0, 4), "folding": st.booleans(),
    "core": _of("", "", "auto", "plain", "parity", "pairs", "dsp", "planes", "halves", "tables",
                "mixed", "mixed:2"),
    "writable": _of("", "", "", "ram", "uram"),
    "external": _of(False, False, False, True), "fifos": _of("exact", "exact", "safe"),
    "board": _of("zcu104", "pynq-z2", "vck190", "u250")})

descriptions = st.fixed_dictionaries({
    "seed": st.integers(0, 1 << 16), "input": sources, "second": second,
    "layers": st.lists(layers, min_size=1, max_size=12),
    "head": _of("none", "none", "none", "none", *HEADS), "hardware": hardware})
