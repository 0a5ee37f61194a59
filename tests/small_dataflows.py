"""Small hand-made dataflows for the tests of the back ends."""

from collections.abc import Iterable
from dataclasses import replace

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.datatypes import Interval, uint_type
from headrace.layers import (
    AccPool,
    Add,
    Concat,
    Dwc,
    Fifo,
    Fork,
    LabelSelect,
    MaxPool,
    Mvtu,
    ParallelSwu,
    Swu,
    Upsample,
)
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec


def chain(layers: Iterable[Layer]) -> Dataflow:
    """Layers one behind the other."""
    items = list(layers)
    sources: list[Port] = [(SOURCE, 0), *((layer.name, 0) for layer in items)]
    placed = tuple(Placed(layer, (source,)) for layer, source in zip(items, sources, strict=False))
    return Dataflow(items[0].inputs[0], placed)


def named_mvtu(name: str, **spec: int | str) -> Mvtu:
    """A matrix of random weights and thresholds."""
    layer = layer_from_spec({"kind": "mvtu", **spec}).layer
    assert isinstance(layer, Mvtu)
    return replace(layer, name=name)


def small_cnn() -> Dataflow:
    """A padded 3x3 convolution, pooling with one minimum and a dense layer; FIFOs single and in a row."""
    return chain([
        Swu("swu0", 6, 6, 2, (3, 3), uint_type(3), pad=(1, 1, 1, 1), pad_value=2),
        Dwc("dwc0", 1, 3, uint_type(3), 648),
        named_mvtu("conv0", mw=18, mh=4, pe=2, simd=3, weight="ternary", input="uint3", output="uint2", vectors=36),
        Fifo("fifo0", 8, 2, uint_type(2), 72),
        Dwc("dwc1", 2, 4, uint_type(2), 72),
        MaxPool("pool0", 6, 6, 4, (2, 2), (2, 2), uint_type(2), frozenset([1]), pe=4),
        Fifo("fifo1", 5, 4, uint_type(2), 9),
        Fifo("fifo2", 7, 4, uint_type(2), 9),
        named_mvtu("fc0", mw=36, mh=3, simd=4, weight="int4", input="uint2", output="acc"),
    ])


def small_windows() -> Dataflow:
    """A window of each form: minimal, overlapping and parallel, strided and padded; minimal in depthwise order."""
    element = uint_type(2)
    return chain([
        Swu("swu0", 9, 8, 2, (3, 3), element, stride=(2, 1), pad=(1, 0, 1, 2), simd=2, buffer="minimal"),
        named_mvtu("conv0", mw=18, mh=4, pe=4, simd=2, weight="ternary", input="uint2", output="uint2", vectors=40),
        Swu("swu1", 5, 8, 4, (2, 2), element, simd=4),
        Dwc("dwc1", 4, 8, element, 4 * 28),
        named_mvtu("conv1", mw=16, mh=2, pe=1, simd=8, weight="int3", input="uint2", output="uint2", vectors=28),
        ParallelSwu("swu2", 4, 7, 2, (3, 3), element, pad=(1, 1, 0, 1)),
        named_mvtu("conv2", mw=18, mh=4, pe=4, simd=9, weight="ternary", input="uint2", output="uint2", vectors=21),
        Swu("swu3", 3, 7, 4, (3, 2), element, depthwise=True, simd=4, buffer="minimal"),
        named_mvtu("conv3", mw=24, mh=3, pe=3, simd=4, weight="ternary", input="uint2", output="acc", vectors=6),
    ])


def small_branches() -> Dataflow:
    """Branches that part and meet twice: a shortcut around pooling, then three equal parts side by side."""
    start, shortcut, total = uint_type(3), ("fork0", 1), Interval(0, 14)
    placed = (
        Placed(Fork("fork0", 4, start, 16, pe=4), ((SOURCE, 0),)),
        Placed(MaxPool("pool0", 4, 4, 4, (2, 2), (2, 2), start, pe=4), (("fork0", 0),)),
        Placed(Upsample("up0", 2, 2, 4, (2, 2), start, simd=4), (("pool0", 0),)),
        Placed(Fifo("fifo0", 16, 4, start, 16), (shortcut,)),
        Placed(Add("add0", 4, start, start, 16, pe=4), (("up0", 0), ("fifo0", 0))),
        Placed(Fork("fork1", 4, total, 16, branches=3, pe=4), (("add0", 0),)),
        Placed(Concat("concat0", (4, 4, 4), total, 16, pe=4), (("fork1", 0), ("fork1", 1), ("fork1", 2))),
        Placed(AccPool("pool1", 4, 4, 12, (4, 4), (4, 4), total, pe=4), (("concat0", 0),)),
        Placed(LabelSelect("top0", 12, Interval(0, 224), k=3, pe=4), (("pool1", 0),)),
    )
    return Dataflow(placed[0].layer.inputs[0], placed)
