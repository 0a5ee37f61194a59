"""The one walk over a traced module: each call is looked up in a table and read at its place.

What differs between the front ends is a policy: which leaf modules they know and what they say of the others.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Builder
from headrace.frontend.onnx.values import Feature, Unknown
from headrace.frontend.torch import structure
from headrace.frontend.torch.refusals import OutOfScope, refusal
from headrace.frontend.torch.rows import Row, by_call, by_module
from headrace.frontend.torch.site import Origin, Site, graph_of
from headrace.frontend.torch.trace import (
    BATCH,
    Tracer,
    evaluating,
    example,
    kind_of,
    sample_shapes,
    trace,
    works_in_place,
)
from headrace.network.graph import Input, Node, needed
from headrace.network.ops import Shape

#: What makes a hook that notes something about a quantizer in the tracer's notes.
Recorder = Callable[[nn.Module, dict[Any, Any]], Any]


@dataclass(frozen=True)
class Policy:
    """How a front end reads leaves: `rows` come before those of the structure.

    refuse: a sentence about a module or function that only this front end has; record: hooks to set while the example
    is computed, with the notes that they write to.
    """

    rows: tuple[Row, ...]
    refuse: Callable[[Any], str | None]
    record: Callable[[nn.Module, dict[Any, Any]], list[Any]] = lambda module, notes: []


@dataclass(frozen=True, eq=False)
class Read:
    """What a walk made: nodes that the outputs depend on, the outputs' tensors by name, the inputs, and the quantizers
    with the number of their call.
    """

    nodes: tuple[Node, ...]
    outputs: Mapping[str, str]
    inputs: tuple[Input, ...]
    origins: Mapping[str, Origin]


class _Walk:
    """One pass over a trace: builds the network and collects everything that is not supported."""

    def __init__(self, module: nn.Module, shapes: Mapping[str, Shape], policy: Policy) -> None:
        """shapes: of a sample of every input, by the names of the forward's parameters."""
        self.module, self.policy = module, policy
        rows = (*policy.rows, *structure.ROWS)
        self.modules, self.calls = by_module(rows), by_call(rows)
        # The only input of a model is called input, whatever its forward calls it.
        self.inputs = {name: Input(name if len(shapes) > 1 else "input", shape) for name, shape in shapes.items()}
        self.build = Builder(graph_of({item.name: item.shape for item in self.inputs.values()}, BATCH))
        self.values: dict[fx.Node, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.unsupported: list[str] = []
        self.origins: dict[str, Origin] = {}
        self._said: set[str] = set()

    def visit(self, node: fx.Node) -> None:
        """Read one node of the trace."""
        if node.op == "placeholder":
            item = self.inputs[str(node.target)]
            self.values[node] = Feature.whole(item.name, item.shape)
        elif node.op == "output":
            self.outputs = dict(named_leaves("", fx.node.map_arg(node.args[0], self.values.__getitem__)))
        else:
            self.values[node] = made = self._read(node)
            if works_in_place(self.module, node) and node.all_input_nodes:
                before = self.values[node.all_input_nodes[0]]  # whoever reads the source later reads the result
                self.values |= {other: made for other, value in self.values.items() if value is before}

    def _read(self, node: fx.Node) -> Any:
        """What a call makes; what is not supported is noted and stood in for."""
        path, label = _path(node), _label(self.module, node)
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), self.values.__getitem__)
        picks = node.target is operator.getitem and isinstance(args[0], tuple)  # one of several results
        if not picks and any(isinstance(value, Unknown) for value in _flat((args, kwargs))):
            if not self.unsupported:
                self.unsupported.append(f"{label}: reads the values of a max or topk, which no streaming layer gives; "
                                        "use the indices, or amax")
            return Unknown()
        site = Site(self.build, path, node.meta["value"], node.meta["notes"], self.origins)
        try:
            made = self._reader(node)(site, *args, **kwargs)
            return _as_torch_has_it(made, node.meta["value"])
        except OutOfScope as error:
            if str(error) not in self._said:
                self.unsupported.append(f"{label}: {error}")
            self._said.add(str(error))
            return Unknown()
        except UnsupportedError as error:
            self.unsupported.append(f"{label}: {error}")
        except InputError as error:
            if not self.unsupported:
                raise InputError(f"{label}: {error}") from None
        except (TypeError, AttributeError):
            if node.meta["value"] is None:
                return Unknown()  # the call that cannot be run
            self.unsupported.append(f"{label}: its arguments are not understood; use the module of torch.nn")
        return self._stand_in(node.name, node.meta["value"])

    def _reader(self, node: fx.Node) -> Callable[..., Any]:
        """The reader of a call. Raises UnsupportedError where there is none."""
        if node.op == "call_module":
            module = self.module.get_submodule(str(node.target))
            row = self.row(module)
            if row is None:
                raise refusal(module, self.policy.refuse)
            return row.bound(module)
        row = self.calls.get(node.target)
        if row is None:
            raise refusal(node.target, self.policy.refuse)
        return row.read

    def row(self, module: nn.Module) -> Row | None:
        """The row that reads a module. A subclass with a forward of its own computes something else than its base."""
        return next((row for kind, row in self.modules
                     if isinstance(module, kind) and type(module).forward is kind.forward), None)

    def _stand_in(self, name: str, value: object) -> Any:
        """Tensors of the shapes that the example has, so that the calls behind can be judged."""
        if isinstance(value, tuple | list) and not hasattr(value, "scale"):
            return tuple(self._stand_in(f"{name}.{place}", item) for place, item in enumerate(value))
        tensor = getattr(value, "value", value)
        if not isinstance(tensor, torch.Tensor) or tensor.ndim < 2:
            return Unknown()
        shape = tuple(tensor.shape[1:])
        self.build.shapes[f"{name}.unsupported"] = shape
        return Feature.whole(f"{name}.unsupported", shape)

    def report(self) -> str:
        """Everything that is not supported, one line each behind their count."""
        count = len(self.unsupported)
        lead = f"{count} module or call is" if count == 1 else f"{count} modules or calls are"
        return "\n".join([f"{lead} not supported", *self.unsupported])

    def outcome(self) -> Read:
        """The network. Raises InputError for outputs that are not tensors of it."""
        tensors = {}
        for name, value in self.outputs.items():
            if not isinstance(value, Feature):
                raise InputError("an output of the model is not computed from its input by what is read; return "
                                 "tensors that are")
            self.build.scope = "output"
            tensors[name] = self.build.exact(value)
        nodes = needed(list(self.build.nodes.values()), tensors.values())
        return Read(nodes, tensors, tuple(self.inputs.values()), self.origins)


def _path(node: fx.Node) -> str:
    return str(node.target) if node.op == "call_module" else node.name


def _label(module: nn.Module, node: fx.Node) -> str:
    """How messages name a call."""
    return f"{_path(node)} ({kind_of(module, node)})"


def _flat(values: object) -> list[Any]:
    """The leaves of nested arguments or outputs."""
    if isinstance(values, dict):
        return [leaf for value in values.values() for leaf in _flat(value)]
    if isinstance(values, list | tuple):
        return [leaf for value in values for leaf in _flat(value)]
    return [values]


def named_leaves(name: str, value: object) -> Iterator[tuple[str, Any]]:
    """The leaves of what a forward returns, called by the keys of dicts and the places in tuples: boxes, output1."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from named_leaves(f"{name}.{key}" if name else str(key), item)
    elif isinstance(value, list | tuple) and not hasattr(value, "scale"):  # a QuantTensor is one
        for place, item in enumerate(value):
            yield from named_leaves(f"{name or 'output'}{place}", item)
    else:
        yield name or "output", value


def _as_torch_has_it(made: object, value: object) -> Any:
    """What was made, if its shape is torch's. Raises UnsupportedError otherwise: it was read for something else."""
    tensor = getattr(value, "value", value)
    if isinstance(made, Feature) and isinstance(tensor, torch.Tensor):
        if tensor.ndim < 1 or tensor.shape[0] != BATCH:
            raise UnsupportedError(f"gives {tuple(tensor.shape)} for {BATCH} samples, which mixes them; keep the batch "
                                   "as the first axis")
        if made.shape != tuple(tensor.shape[1:]):
            raise UnsupportedError(f"gives samples of shape {tuple(tensor.shape[1:])} by a rule that is not read here, "
                                   f"where {made.shape} was expected; docs/torch.md lists what is read")
    return made


def is_library(module: nn.Module) -> bool:
    """True for modules of torch.nn and Brevitas, which are read, or refused, as a whole."""
    name = type(module).__module__
    return name.startswith("brevitas.") or (name.startswith("torch.nn.") and not isinstance(module, nn.Sequential))


def read(module: object, example_input: object, policy: Policy) -> Read:
    """The network of a module in eval mode; see the front ends for what they raise."""
    if not isinstance(module, nn.Module):
        raise InputError(f"the model is of type {type(module).__name__}, not a torch module; pass a torch.nn.Module")
    shapes = sample_shapes(module, example_input)
    walk = _Walk(module, shapes, policy)

    examples = {name: example(module, shape) for name, shape in shapes.items()}
    tracer = Tracer(examples, lambda item: is_library(item) or walk.row(item) is not None)
    with evaluating(module), ExitStack() as stack:
        for handle in policy.record(module, tracer.notes):
            stack.callback(handle.remove)
        graph = trace(module, tracer)
        for node in graph.nodes:
            walk.visit(node)
    if walk.unsupported:
        raise UnsupportedError(walk.report())
    if tracer.failure is not None:
        said = " ".join(f"{tracer.failure[1]}".split())
        given = " and ".join(str((BATCH, *shape)) for shape in shapes.values())
        raise InputError(f"{_label(module, tracer.failure[0])}: cannot be run on an input of shape {given} ({said}); "
                         "mend the model or the example input")
    return walk.outcome()
