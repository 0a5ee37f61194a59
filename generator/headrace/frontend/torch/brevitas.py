"""Brevitas models, read directly: walk.py reads what they share with float modules, brevitas_layers.py their layers.

Nothing is exported in between.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from headrace.frontend.torch.brevitas_layers import ROWS, refuse
from headrace.frontend.torch.walk import Policy, Read, read
from headrace.network.graph import Network


def _record(module: nn.Module, notes: dict[Any, Any]) -> list[Any]:
    """Hooks that note the biases that pass a quantizer, whose scale may be the input's, and what truncations read."""
    def bias(proxy: nn.Module, _args: object, output: object) -> None:
        notes[proxy] = getattr(output, "value", output)

    def trunc(proxy: nn.Module, args: Any, output: Any) -> None:
        notes[proxy] = args[0], output

    proxies = {(getattr(item, name), hook) for item in module.modules() for name, hook in
               (("bias_quant", bias), ("trunc_quant", trunc)) if getattr(item, name, None) is not None}
    def pool(item: nn.Module, args: Any, _output: Any) -> None:
        notes[item] = args[0]

    pools = [item for item in module.modules() if hasattr(item, "trunc_quant")]
    return [*(item.register_forward_hook(pool) for item in pools),
            *(proxy.register_forward_hook(hook) for proxy, hook in proxies if proxy.is_quant_enabled)]


BREVITAS = Policy(ROWS, refuse, _record)


def read_module(module: nn.Module, example_input: object) -> Read:
    """What the walk over a Brevitas model makes; see from_module."""
    return read(module, example_input, BREVITAS)


def network_of(made: Read) -> Network:
    """The Network of what a walk made."""
    return Network(made.inputs, made.nodes, tuple(made.outputs.values()), tuple(made.outputs))


def from_module(module: nn.Module, example_input: object) -> Network:
    """The Network of a Brevitas model.

    example_input: an array or tensor (N, ...), or the shape of one; of several inputs a tuple of them, or a dict by the
    names of the forward's parameters. Outputs are called by the keys of a dict, or output0, output1 of a tuple. Raises
    UnsupportedError naming every module that is not supported at once, one line each, and InputError for weights that
    are not finite.
    """
    return network_of(read_module(module, example_input))
