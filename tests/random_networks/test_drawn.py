"""Every operation that is read is drawn: one network of each form that the strategies choose from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from headrace.frontend.onnx.catalogue import operations
from tests.random_networks.codes import BETWEEN
from tests.random_networks.descriptions import Description, Hardware, Layer, Quantizer, Weights
from tests.random_networks.gated import CURVES
from tests.random_networks.moves import MOVES
from tests.random_networks.network import drawn
from tests.random_networks.strategies import ACTIVATIONS, HEADS, QUANTIZERS
from tests.random_networks.written_otherwise import POOLS, PRODUCTS

QUANT: Quantizer = {"kind": "quant", "bits": 4, "signed": False, "narrow": False, "rounding": "ROUND", "zero": 0,
                    "fine": 0, "odd": False, "per_channel": False}
WEIGHT: Weights = {"kind": "quant", "bits": 4, "narrow": False, "rounding": "ROUND", "odd": False, "per_channel": False,
                   "extreme": False, "between": False}
LAYER: Layer = {"op": "activation", "act": "none", "quant": QUANT, "tap": False, "rows": 2, "kernel": [2, 2],
                "stride": [1, 1], "dilation": [1, 1], "pads": [0] * 4, "groups": "one", "bias": False, "norm": True,
                "weight": WEIGHT, "how": "Add", "joined": True, "inner": QUANT, "amount": 3, "form": ""}
HARDWARE: Hardware = {"seed": 0, "pace": 0, "folding": False, "core": "", "writable": "", "external": False,
                      "fifos": "exact", "board": "zcu104"}
FORMS = (("move", MOVES), ("steps", BETWEEN), ("curve", CURVES), ("written", PRODUCTS), ("gather", POOLS),
         ("pool", ("MaxPool", "AveragePool")), ("whole_pool", ("GlobalMaxPool", "GlobalAveragePool")))
HOWS = (("residual", ("Add", "Sub", "Concat")), ("codes", ("Sub", "Add", "Concat")), ("several", ("Sum", "Mean")))


def layer(**changes: object) -> Layer:
    return cast(Layer, {**LAYER, **changes})


def layers() -> Iterator[Layer]:
    """One of every form."""
    yield from (layer(op=op, form=form) for op, forms in FORMS for form in forms)
    yield from (layer(op=op, how=how) for op, hows in HOWS for how in hows)
    yield from (layer(act=act) for act in ACTIVATIONS)
    yield from (layer(quant={**QUANT, "kind": kind}) for kind in QUANTIZERS)
    yield from (layer(op=op, bias=bias) for op in ("conv", "dense", "transposed", "trunc") for bias in (False, True))


def one_of_each() -> Iterator[Description]:
    """A map and a vector through every layer, and every head."""
    for size in (1, 2):
        for head, made in [*(("none", made) for made in layers()), *((head, layer()) for head in HEADS)]:
            channels = 4 if made["form"] in ("shuffled", "to_space") else 3
            yield {"seed": 1, "input": {"channels": channels, "height": size, "width": size, "reach": 4.0, "type": "",
                                        "quant": QUANT},
                   "layers": [made], "head": head, "hardware": HARDWARE}


def test_every_operation_is_drawn() -> None:
    found = {node.op_type for description in one_of_each() for node in drawn(description).proto.graph.node}
    assert set(operations()) - found == set()
