"""Brevitas models, read directly: torch.fx finds the order of the modules, brevitas_layers reads each of them and
brevitas_quantizers their quantizers.

Nothing is exported in between. The modules brevitas*.py and the difference report are the only ones that need torch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import fx, nn

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.torch.brevitas_layers import MODULES, Reader
from headrace.frontend.torch.brevitas_quantizers import Steps, to_array
from headrace.frontend.torch.trace import BATCH, asks_batch_size, evaluating, kind_of, sample_shape, trace
from headrace.network import ops
from headrace.network.graph import Input, Network, Node, free_name


class _Tracer(fx.Tracer):
    """Traces a model down to the modules of torch.nn and brevitas.nn."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        known = tuple(kind for kinds, _ in MODULES for kind in (kinds if isinstance(kinds, tuple) else (kinds,)))
        is_leaf: bool = super().is_leaf_module(m, module_qualified_name)
        return is_leaf or isinstance(m, known) or m.__module__.startswith("brevitas.")


def _quantized_biases(module: nn.Module, shape: Sequence[int]) -> dict[str, ops.FloatArray]:
    """Biases that pass a quantizer, by module path; their scale may follow from the input's, so the model is run."""
    biases: dict[str, ops.FloatArray] = {}

    def keep(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            biases[path] = to_array(getattr(output, "value", output))
        return hook

    layers = [(path, item.bias_quant) for path, item in module.named_modules()
              if getattr(item, "bias", None) is not None and hasattr(item, "bias_quant")
              and item.bias_quant.is_quant_enabled]
    handles = [proxy.register_forward_hook(keep(path)) for path, proxy in layers]
    try:
        if handles:
            module(torch.zeros(1, *shape))
    except Exception as error:
        raise InputError(f"{type(module).__name__}: cannot be run on an input of shape {(1, *shape)} "
                         f"({' '.join(str(error).split())}); mend the model or the example input") from error
    finally:
        for handle in handles:
            handle.remove()
    return biases


class _Walk:
    """One pass over a trace: collects nodes of the Network and everything that is not supported."""

    def __init__(self, module: nn.Module, reader: Reader, shape: ops.Shape) -> None:
        self.module, self.reader = module, reader
        self.names: dict[fx.Node, str] = {}
        self.values: dict[fx.Node, Any] = {}
        #: Shapes of tensors as far as they are known; behind a mistake, which is reported in the end, they are not.
        self.shapes: dict[str, ops.Shape] = {"input": shape}
        self.nodes: list[Node] = []
        self.unsupported: list[str] = []

    def visit(self, node: fx.Node) -> None:
        """Read one node of the trace."""
        if node.op == "get_attr":
            self.values[node] = operator.attrgetter(str(node.target))(self.module)
        elif asks_batch_size(node, self.values):
            self.values[node] = BATCH
        elif all(isinstance(self.values.get(arg), torch.Tensor) for arg in node.all_input_nodes or [node]):
            self.values[node] = self._constant(node)
        else:
            self._read(node)

    def _read(self, node: fx.Node) -> None:
        sources = [self.names[arg] for arg in node.all_input_nodes if arg in self.names]
        path, kind = str(node.target) if node.op == "call_module" else node.name, kind_of(self.module, node)
        steps: Steps = []
        try:
            steps = self._steps(node, path, self._rank(sources))
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        except UnsupportedError as error:
            self.unsupported.append(f"{path} ({kind}): {error}")
        except TypeError:
            self.unsupported.append(f"{path} ({kind}): its arguments are not understood; use the module of torch.nn")
        tensor = sources[0] if sources else ""
        for suffix, op in steps:
            name = free_name(path + suffix, {"input", *(node.name for node in self.nodes)})
            self.nodes.append(Node(name, op, (tensor,)))
            self._infer(name, op, tensor)
            tensor = name
        self.names[node] = tensor

    def _rank(self, sources: list[str]) -> int | None:
        """Axes of the first source without the batch."""
        known = bool(sources) and sources[0] in self.shapes and not self.unsupported
        return len(self.shapes[sources[0]]) if known else None

    def _infer(self, name: str, op: ops.Op, source: str) -> None:
        """Keep the shape of the tensor that an operation makes. What does not fit is reported by the Network."""
        if source in self.shapes:
            with suppress(InputError):
                self.shapes[name] = op.infer(self.shapes[source])

    def _steps(self, node: fx.Node, path: str, rank: int | None) -> Steps:
        if node.op == "call_module":
            return self.reader.module(path, self.module.get_submodule(path), rank)
        args = tuple(fx.node.map_arg(arg, self._argument) for arg in node.args)
        return self.reader.function(node.target, args, dict(node.kwargs), rank)

    def _constant(self, node: fx.Node) -> Any:
        """What a node makes of constants alone, such as self.shift.reshape(1, -1, 1, 1)."""
        args, kwargs = (fx.node.map_arg(arg, self._argument) for arg in (node.args, node.kwargs))
        target: Any = node.target
        if node.op == "call_module":
            target = self.module.get_submodule(target)
        return getattr(args[0], target)(*args[1:], **kwargs) if isinstance(target, str) else target(*args, **kwargs)

    def _argument(self, node: fx.Node) -> Any:
        """A constant of the trace, or None for a tensor of the network."""
        return self.values.get(node)


def from_module(module: nn.Module, example_input: Any) -> Network:
    """The Network of a Brevitas model.

    example_input: an array or tensor (N, ...), or the shape of one. Raises UnsupportedError naming every module that
    is not supported at once, and InputError for several inputs or outputs and for weights that are not finite.
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"the model is of type {type(module).__name__}, not a torch module; pass a torch.nn.Module")
    shape = sample_shape(example_input)
    with evaluating(module):
        graph = trace(module, _Tracer())
        walk = _Walk(module, Reader(_quantized_biases(module, shape)), shape)
        inputs: list[Input] = []
        outputs: list[str] = []
        for node in graph.nodes:
            if node.op == "placeholder":
                inputs.append(Input("input" if not inputs else node.name, shape))
                walk.names[node] = inputs[-1].name
            elif node.op == "output":
                outputs = [walk.names[arg] for arg in node.all_input_nodes]
            else:
                walk.visit(node)
    if walk.unsupported:
        raise UnsupportedError("; ".join(walk.unsupported))
    return Network(tuple(inputs), tuple(walk.nodes), tuple(outputs))
