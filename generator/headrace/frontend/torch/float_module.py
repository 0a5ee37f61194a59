"""Plain torch modules in float: torch.fx finds the order, the tables of torch_float_ops say what each module becomes.

Batch norms that follow a layer are folded into its weights. 1-D signals (C, L) become frames (C, 1, L).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from torch import fx, nn

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.torch.float_ops import FUNCTIONS, JOINS, MODULES, SUPPORTED, Steps, Tensor
from headrace.frontend.torch.trace import (
    BATCH,
    asks_batch_size,
    evaluating,
    kind_of,
    read_by,
    sample_shape,
    trace,
    works_in_place,
)
from headrace.network.float_graph import FloatNetwork, FloatNode, FloatOp, fold_batch_norms
from headrace.network.graph import Input, free_name
from headrace.network.ops import Reshape, Shape


class _Tracer(fx.Tracer):
    """Traces a model down to the modules of torch.nn and of libraries of quantized layers, which are refused."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        is_leaf: bool = super().is_leaf_module(m, module_qualified_name)
        return is_leaf or isinstance(m, tuple(MODULES)) or m.__module__.startswith("brevitas.")


class _Walk:
    """One pass over a trace: collects nodes of the FloatNetwork and everything that is not supported."""

    def __init__(self, module: nn.Module, shape: Shape) -> None:
        self.module = module
        self.names: dict[fx.Node, str] = {}
        #: Sizes of the batch, which are no tensors.
        self.sizes: dict[fx.Node, int] = {}
        self.shapes: dict[str, Shape] = {"input": shape}
        self.nodes: list[FloatNode] = []
        #: Reasons, each with the modules and functions that it holds for.
        self.unsupported: dict[str, list[str]] = {}
        self.start = "input"
        if len(shape) == 2:
            self.start = self._append("input_frame", Reshape((shape[0], 1, shape[1])), ("input",))

    def visit(self, node: fx.Node) -> None:
        """Read one node of the trace."""
        if asks_batch_size(node, self.sizes):
            self.sizes[node] = BATCH
            return
        sources = [self.names.get(arg, "") for arg in read_by(node) if arg not in self.sizes]
        path = str(node.target) if node.op == "call_module" else node.name
        try:
            if "" in sources or not sources:
                raise UnsupportedError("it reads something that is no tensor of the network; use modules")
            steps = self._steps(node, [Tensor(self.shapes.get(source)) for source in sources])
        except UnsupportedError as error:
            self.unsupported.setdefault(str(error), []).append(f"{path} ({kind_of(self.module, node)})")
            steps = []
        except InputError as error:
            raise InputError(f"{path} ({kind_of(self.module, node)}): {error}") from None
        except TypeError:
            self.unsupported.setdefault("its arguments are not understood; use the module of torch.nn", []).append(
                f"{path} ({kind_of(self.module, node)})")
            steps = []
        self.names[node] = self._chain(path, steps, sources)
        if sources and works_in_place(self.module, node):  # whoever reads the source later reads the result
            self.names |= {other: self.names[node] for other, name in self.names.items() if name == sources[0]}

    def _steps(self, node: fx.Node, tensors: list[Tensor]) -> Steps:
        if node.op == "call_module":
            return read_module(self.module.get_submodule(str(node.target)), tensors[0])
        args = [fx.node.map_arg(arg, self._argument) for arg in node.args]
        kwargs = {key: fx.node.map_arg(arg, self._argument) for key, arg in node.kwargs.items()}
        if node.target in JOINS:
            return JOINS[node.target](*args, **kwargs)
        if node.target in FUNCTIONS:
            return FUNCTIONS[node.target](*args, **kwargs)
        raise UnsupportedError(f"no streaming layer does this; use {SUPPORTED}")

    def _argument(self, node: fx.Node) -> Any:
        """A tensor of the network with its shape, or the size of the batch."""
        return self.sizes[node] if node in self.sizes else Tensor(self.shapes.get(self.names[node]))

    def _chain(self, path: str, steps: Steps, sources: Sequence[str]) -> str:
        """Append operations one behind the other; the last has the name of the module."""
        tensors = tuple(sources)
        for suffix, op in steps:
            tensors = (self._append(path + suffix, op, tensors),)
        return tensors[0] if tensors else ""

    def _append(self, name: str, op: FloatOp, sources: tuple[str, ...]) -> str:
        fresh = free_name(name, {"input", *(node.name for node in self.nodes)})
        self.nodes.append(FloatNode(fresh, op, sources))
        if all(source in self.shapes for source in sources):
            with suppress(InputError):  # what does not fit is reported by the network
                self.shapes[fresh] = op.infer(*(self.shapes[source] for source in sources))
        return fresh


def read_module(module: nn.Module, x: Tensor) -> Steps:
    """The operations of a leaf module. Raises UnsupportedError with the way out where there is none."""
    if module.__module__.startswith("brevitas."):
        raise UnsupportedError("it is quantized already; build the model as it is")
    for kind, reader in MODULES.items():
        # A subclass with a forward of its own computes something else than its base.
        if isinstance(module, kind) and type(module).forward is kind.forward:
            return reader(module, x)
    raise UnsupportedError(f"no streaming layer does this; use {SUPPORTED}")


def from_float_module(module: nn.Module, example_input: Any) -> FloatNetwork:
    """The FloatNetwork of a torch module in eval mode, batch norms folded.

    example_input: an array or tensor (N, ...), or the shape of one. Raises UnsupportedError naming everything that is
    not supported at once, and InputError for several inputs or outputs and for weights that are not finite.
    """
    if not isinstance(module, nn.Module):
        raise InputError(f"the model is of type {type(module).__name__}, not a torch module; pass a torch.nn.Module")
    shape = sample_shape(example_input)
    walk, outputs, inputs = _Walk(module, shape), [], 0
    with evaluating(module):
        for node in trace(module, _Tracer()).nodes:
            if node.op == "placeholder":
                inputs += 1
                walk.names[node] = walk.start
            elif node.op == "output":
                outputs = [walk.names[arg] for arg in node.all_input_nodes]
            else:
                walk.visit(node)
    if inputs != 1 or len(outputs) != 1:
        raise InputError(f"the model has {inputs} inputs and {len(outputs)} outputs but a streaming network has one of "
                         "each; wrap it in a module with one input and one output")
    if walk.unsupported:
        raise UnsupportedError("; ".join(f"{', '.join(names)}: {why}" for why, names in walk.unsupported.items()))
    return fold_batch_norms(FloatNetwork(Input("input", shape), tuple(walk.nodes), outputs[0]))
