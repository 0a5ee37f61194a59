"""Tracing a module: torch.fx records the calls while every one of them is computed on an example.

The example answers what a forward asks about shapes, scales and the like, so that such questions leave no trace. What
depends on the values of a tensor is refused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from headrace.errors import HeadraceError, InputError, UnsupportedError

#: Samples of the example: more than one, so that the batch cannot be mistaken for an axis of size 1.
BATCH = 2
#: How messages tell to leave the tracing to Brevitas' exporter.
EXPORT = ("export it with brevitas.export.export_qonnx(module, torch.zeros(1, ...), 'model.onnx', dynamo=False), which "
          "follows it for one input, and pass the .onnx file")
#: Methods and functions whose results do not depend on the values of a tensor.
_ABOUT_SHAPES = {"size", "dim", "ndimension", "numel", "nelement", "stride", "is_contiguous", "type", "get_device",
                 "is_floating_point", "element_size", torch.numel, torch.is_floating_point, torch.is_tensor}
_CHECKS = (torch._assert,)


class _Stop(Exception):  # noqa: N818 - it ends the trace, which is then read up to here
    """A call of the forward cannot be computed."""


class Traced(fx.Proxy):
    """Stands for a tensor in a forward, and knows the value that the example gives it."""

    def __getattr__(self, name: str) -> Any:
        value = self.node.meta["value"]
        found = getattr(value, name)
        if isinstance(found, torch.Tensor) and (isinstance(value, torch.Tensor) or name in ("value", "tensor")):
            return self.tracer.create_proxy("call_function", getattr, (self, name), {})
        if callable(found):
            return super().__getattr__(name)
        return found

    def __len__(self) -> int:
        return len(self.node.meta["value"])

    def __iter__(self) -> Iterator[Any]:
        return iter([self[place] for place in range(len(self))])


class Tracer(fx.Tracer):
    """Traces down to the modules that `is_leaf` names; `recorders` note what quantizers inside of them do."""

    def __init__(self, examples: Mapping[str, torch.Tensor], is_leaf: Callable[[nn.Module], bool]) -> None:
        """examples: by the names of the forward's parameters, in their order."""
        super().__init__()
        self.examples, self.is_leaf = examples, is_leaf
        self.trace_asserts = True
        #: What a forward hook of the walk notes about the call that is being computed, kept with its node.
        self.notes: dict[Any, Any] = {}
        self.failure: tuple[fx.Node, Exception] | None = None

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """True for what is read as a whole."""
        return self.is_leaf(m)

    def getattr(self, attr: str, attr_val: object, parameter_proxy_cache: dict[str, Any]) -> Any:
        """Parameters are constants, not nodes."""
        return attr_val

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...],
                    kwargs: dict[str, Any]) -> Any:
        """A call that reads no tensor of the network is computed and leaves no node."""
        found: list[Any] = []
        fx.node.map_aggregate((args, kwargs), lambda item: found.append(item) if isinstance(item, fx.Proxy) else item)
        return super().call_module(m, forward, args, kwargs) if found else forward(*args, **kwargs)

    def create_arg(self, a: object) -> Any:
        """Constant tensors stay what they are."""
        return a if isinstance(a, torch.Tensor) else super().create_arg(a)

    def proxy(self, node: fx.Node) -> Traced:
        """What stands for a node in the forward."""
        return Traced(node, self)

    def create_proxy(self, kind: str, target: Any, args: Any, kwargs: Any, *more: Any, **options: Any) -> Any:
        """A node with its value on the example; what is known without the data is returned as it is."""
        if kind == "placeholder" and target not in self.examples:
            if args:
                return args[0]  # an argument with a default
            raise InputError(f"the model has another input, {target}, without an example; give one for each of its "
                             "inputs, (module, (x, y))")
        made = super().create_proxy(kind, target, args, kwargs, *more, **options)
        if kind == "output":
            return made
        value = self._value(made.node)
        if target in _CHECKS or (not _holds_tensors(value) and target in _ABOUT_SHAPES):
            self.graph.erase_node(made.node)
            return value
        if not _holds_tensors(value):
            raise UnsupportedError(f"{made.node.name}: its forward uses a number that depends on the data; leave it "
                                   f"out, or {EXPORT}")
        made.node.meta |= {"value": value, "notes": dict(self.notes)}
        return made

    def _value(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            return self.examples[str(node.target)]
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda item: item.meta["value"])
        self.notes.clear()
        try:
            if node.op == "call_module":
                return self.root.get_submodule(str(node.target))(*args, **kwargs)
            if node.op == "call_method":
                return getattr(args[0], str(node.target))(*args[1:], **kwargs)
            return node.target(*args, **kwargs)
        except Exception as error:
            node.meta |= {"value": None, "notes": {}}
            self.failure = node, error
            raise _Stop from error


def _holds_tensors(value: object) -> bool:
    return isinstance(value, torch.Tensor) or (isinstance(value, list | tuple) and any(map(_holds_tensors, value)))


def trace(module: nn.Module, tracer: Tracer) -> fx.Graph:
    """The graph of a module, which ends early where `tracer.failure` says so.

    Raises UnsupportedError where its forward depends on data.
    """
    try:
        return tracer.trace(module)
    except _Stop:
        return tracer.graph
    except HeadraceError:
        raise
    except Exception as error:
        raise UnsupportedError(f"{type(module).__name__}: its forward cannot be traced ({' '.join(str(error).split())})"
                               f"; write it without branches or loops that depend on data, or {EXPORT}") from error


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """The module in eval mode, afterwards as before."""
    modes = [(item, item.training) for item in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for item, training in modes:
            item.training = training


def sample_shapes(module: nn.Module, example_input: object) -> dict[str, tuple[int, ...]]:
    """Shapes of one sample by the names of the forward's parameters.

    example_input: (N, ...) of the only input or the shape of one, or a list or tuple of several, or a dict by name.
    """
    taken = [name for name, item in inspect.signature(module.forward).parameters.items()
             if item.kind in (item.POSITIONAL_ONLY, item.POSITIONAL_OR_KEYWORD)]
    if isinstance(example_input, Mapping):
        if unknown := [name for name in example_input if name not in taken]:
            raise InputError(f"the example has an input {unknown[0]} but the model takes {', '.join(taken)}; "
                             "correct it")
        given = {name: example_input[name] for name in taken if name in example_input}
    elif isinstance(example_input, list | tuple) and not all(isinstance(n, int) for n in example_input):
        if len(example_input) > len(taken):
            raise InputError(f"the example has {len(example_input)} inputs but the model takes {', '.join(taken)}; "
                             "correct it")
        given = dict(zip(taken, example_input, strict=False))
    else:
        given = dict.fromkeys(taken[:1], example_input)
    return {name: _sample_shape(item) for name, item in given.items()}


def _sample_shape(example_input: object) -> tuple[int, ...]:
    """Shape of one sample from an example (N, ...) or from the shape of one."""
    shape = example_input if isinstance(example_input, list | tuple) else getattr(example_input, "shape", None)
    if shape is None or len(shape) < 2 or not all(isinstance(n, int) for n in shape):
        raise InputError(f"the example input {example_input!r} is not an array or shape with a batch axis; "
                         "pass an array (N, ...)")
    return tuple(int(n) for n in shape[1:])


def example(module: nn.Module, shape: tuple[int, ...]) -> torch.Tensor:
    """Zeros (BATCH, *shape) of the module's own type and place."""
    like = next((item for item in module.parameters() if item.is_floating_point()), torch.zeros(1))
    return torch.zeros(BATCH, *shape, dtype=like.dtype, device=like.device)


def works_in_place(module: nn.Module, node: fx.Node) -> bool:
    """True if a node overwrites the first tensor that it reads: x += y, x.relu_(), ReLU(inplace=True)."""
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(str(node.target)), "inplace", False))
    if node.op == "call_method":
        return str(node.target).endswith("_") and not str(node.target).endswith("__")
    flag = _INPLACE_ARGUMENT.get(node.target)
    given = node.kwargs.get("inplace", flag is not None and len(node.args) > flag and node.args[flag])
    return node.target in (operator.iadd, operator.isub, operator.imul, operator.itruediv) or bool(given)


#: Where functions take their `inplace`.
_INPLACE_ARGUMENT: dict[Any, int] = {
    functional.relu: 1, functional.relu6: 1, functional.hardtanh: 3, functional.leaky_relu: 2, functional.elu: 2,
    functional.silu: 1, functional.hardswish: 1, functional.hardsigmoid: 1, functional.mish: 1, functional.dropout: 3,
}


def kind_of(module: nn.Module, node: fx.Node) -> str:
    """The class of a module, or the name of a function or method of the trace."""
    if node.op == "call_module":
        return type(module.get_submodule(str(node.target))).__name__
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
