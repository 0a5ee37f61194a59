"""The types of a description of a network: plain values that fit a JSON file."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Quantizer(TypedDict):
    kind: str
    bits: int
    signed: bool
    narrow: bool
    rounding: str
    zero: int
    fine: int
    odd: bool
    per_channel: bool


class Weights(TypedDict):
    kind: str
    bits: int
    narrow: bool
    rounding: str
    odd: bool
    per_channel: bool
    extreme: bool
    between: bool


class Layer(TypedDict, total=False):
    """The layers together; each `op` has some of these."""

    op: str
    act: str
    quant: Quantizer
    tap: bool
    rows: int
    kernel: list[int]
    stride: list[int]
    dilation: list[int]
    pads: list[int]
    groups: str
    bias: bool
    norm: bool
    weight: Weights
    form: str
    how: str
    joined: bool
    inner: Quantizer
    amount: int


class Source(TypedDict):
    channels: int
    height: int
    width: int
    reach: float
    type: str
    quant: Quantizer


class Second(TypedDict):
    """A second input beside the first, and how both become one tensor."""

    how: str
    quant: Quantizer


class Hardware(TypedDict):
    """What is asked for; choices that the product refuses for a network are taken out."""

    seed: int
    pace: int
    folding: bool
    core: str
    writable: Literal["", "ram", "uram"]
    external: bool
    fifos: Literal["exact", "safe"]
    board: str


class Description(TypedDict):
    seed: int
    input: Source
    second: NotRequired[Second]
    layers: list[Layer]
    head: str
    hardware: Hardware


class CodesLayer(TypedDict):
    """A layer of a .tflite file."""

    op: str
    rows: int
    kernel: list[int]
    stride: int
    same: bool
    activation: int
    per_tensor: bool


class CodesDescription(TypedDict):
    """A .tflite file."""

    seed: int
    height: int
    width: int
    channels: int
    layers: list[CodesLayer]
    dense: bool
