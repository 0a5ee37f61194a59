"""What the front ends for torch modules share: tracing with torch.fx, eval mode, and the shape of a sample."""

from __future__ import annotations

import operator
from collections.abc import Container, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from headrace.errors import InputError, UnsupportedError

#: Stands for the size of the batch axis where a model asks for it, as in x.view(x.size(0), -1).
BATCH = -1


def trace(module: nn.Module, tracer: fx.Tracer) -> fx.Graph:
    """The graph of a module. Raises UnsupportedError where its forward depends on data."""
    try:
        return tracer.trace(module)
    except Exception as error:
        raise UnsupportedError(f"{type(module).__name__}: its forward cannot be traced ({error}); write it without "
                               "branches or loops that depend on data") from error


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


def sample_shape(example_input: Any) -> tuple[int, ...]:
    """Shape of one sample from an example (N, ...) or from the shape of one."""
    if isinstance(example_input, list | tuple) and not all(isinstance(n, int) for n in example_input):
        raise InputError(f"the model has {len(example_input)} inputs but a streaming network has exactly one; "
                         "pass a model with one input")
    shape = example_input if isinstance(example_input, list | tuple) else getattr(example_input, "shape", None)
    if shape is None or len(shape) < 2:
        raise InputError(f"the example input {example_input!r} is no array or shape with a batch axis; "
                         "pass an array (N, ...)")
    return tuple(int(n) for n in shape[1:])


def asks_batch_size(node: fx.Node, known: Container[fx.Node]) -> bool:
    """True for x.size(0), x.shape and x.shape[0], which ask for the batch; `known` holds nodes that are no tensors."""
    args: tuple[Any, ...] = node.args
    if node.op == "call_method" and node.target == "size":
        return args[1:] == (0,)
    if node.target is getattr:
        return bool(args[1] == "shape")
    return node.target is operator.getitem and args[0] in known and bool(args[1] == 0)


def read_by(node: fx.Node) -> list[fx.Node]:
    """What a node reads in the order of its arguments, twice what it reads twice (x + x)."""
    found: list[fx.Node] = []
    fx.node.map_arg((node.args, node.kwargs), found.append)
    return found


def works_in_place(module: nn.Module, node: fx.Node) -> bool:
    """True if a node overwrites the first tensor that it reads: x += y, x.relu_(), ReLU(inplace=True)."""
    if node.op == "call_module":
        return bool(getattr(module.get_submodule(str(node.target)), "inplace", False))
    if node.op == "call_method":
        return str(node.target).endswith("_")
    flag = _INPLACE_ARGUMENT.get(node.target)
    given = node.kwargs.get("inplace", flag is not None and len(node.args) > flag and node.args[flag])
    return node.target is operator.iadd or bool(given)


#: Where functions take their `inplace`.
_INPLACE_ARGUMENT: dict[Any, int] = {functional.relu: 1, functional.relu6: 1, functional.hardtanh: 3}


def kind_of(module: nn.Module, node: fx.Node) -> str:
    """The class of a module, or the name of a function or method of the trace."""
    if node.op == "call_module":
        return type(module.get_submodule(str(node.target))).__name__
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
