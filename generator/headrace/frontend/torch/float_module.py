"""Plain torch modules in float: walk.py reads what they share with Brevitas models, float_layers.py their layers.

Batch norms that follow a layer are folded into its weights. 1-D signals (C, L) become frames (C, 1, L).
"""

from __future__ import annotations

from typing import cast

from torch import nn
from torch.nn import functional

from headrace.frontend.torch.float_layers import ROWS
from headrace.frontend.torch.walk import Policy, read
from headrace.network.float_graph import (
    FloatNetwork,
    FloatNode,
    FloatOp,
    fold_batch_norms,
    require_float_ops,
    require_one_input,
)

_WEIGHTED = (functional.conv1d, functional.conv2d, functional.linear)


def _refuse(target: object) -> str | None:
    if type(target).__module__.startswith("brevitas."):
        return "is quantized already; build the model as it is"
    if not isinstance(target, nn.Module | str) and target in _WEIGHTED:
        return "is a function of weights; use the module of torch.nn"
    return None


FLOAT = Policy(ROWS, _refuse)


def from_float_module(module: nn.Module, example_input: object) -> FloatNetwork:
    """The FloatNetwork of a torch module in eval mode, batch norms folded.

    example_input: an array or tensor (N, ...), or the shape of one. Raises UnsupportedError naming everything that is
    not supported at once, and InputError for several inputs and for weights that are not finite.
    """
    made = read(module, example_input, FLOAT)
    require_one_input(len(made.inputs))
    output, *more = made.outputs.values()
    require_float_ops((node.name, node.op) for node in made.nodes)
    nodes = tuple(FloatNode(node.name, cast(FloatOp, node.op), node.inputs) for node in made.nodes)
    return fold_batch_norms(FloatNetwork(made.inputs[0], nodes, output, tuple(more)))
