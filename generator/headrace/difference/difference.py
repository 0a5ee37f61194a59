"""The exact integer network against torch's float32 forward: see comparison.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from headrace.difference.comparison import Comparison
from headrace.difference.report import Difference
from headrace.engines.host import Float32Array, Samples
from headrace.frontend.torch.brevitas import network_of, read_module
from headrace.frontend.torch.site import to_array
from headrace.frontend.torch.trace import evaluating
from headrace.frontend.torch.walk import Read, named_leaves
from headrace.network.graph import Network
from headrace.network.ops import FloatArray
from headrace.streamline.streamline import Streamlined, streamline_traced


@contextmanager
def _recording(proxies: Iterable[Any]) -> Iterator[dict[Any, list[Float32Array]]]:
    """What quantizers give, call by call, while the module runs."""
    calls: dict[Any, list[Float32Array]] = {proxy: [] for proxy in proxies}

    def record(proxy: nn.Module, _args: Any, output: Any) -> None:
        calls[proxy].append(getattr(output, "value", output).cpu().numpy())

    handles = [proxy.register_forward_hook(record) for proxy in calls]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _torch_forward(module: nn.Module, network: Network, made: Read,
                   x: Samples) -> tuple[dict[str, FloatArray], list[Float32Array]]:
    """Values of all quantizers by the name of their tensor, and the outputs, in eval mode."""
    with evaluating(module), _recording({proxy for proxy, *_ in made.origins.values()}) as calls:
        output = (module(**{name: torch.from_numpy(part) for name, part in x.items()}) if isinstance(x, Mapping)
                  else module(torch.from_numpy(x)))
    values = {name: view.stored(calls[proxy][call].astype(np.float64), network.shapes[name])
              for name, (proxy, call, view) in made.origins.items() if name in network.shapes}
    outputs = [getattr(value, "value", value) for _, value in named_leaves("", output)]
    return values, [np.asarray(value.cpu().numpy(), np.float32) for value in outputs]


def _magnitudes(module: nn.Module) -> dict[str, FloatArray]:
    """|A * mean| + |beta| of every batch norm by its path."""
    found = {}
    for path, item in module.named_modules():
        if isinstance(item, nn.BatchNorm1d | nn.BatchNorm2d) and item.running_mean is not None:
            A = 1 / np.sqrt(to_array(item.running_var) + item.eps)
            gamma, beta = (0 if p is None else np.abs(to_array(p)) for p in (item.weight, item.bias))
            A = A if item.weight is None else A * gamma
            found[path] = A * np.abs(to_array(item.running_mean)) + beta
    return found


def difference(module: nn.Module, x: Samples) -> Difference:
    """Compare torch's float32 forward with the exact integer network on the samples x (N, ...).

    Raises what from_module and streamline raise.
    """
    made = read_module(module, _example(x))
    return compare(module, made, streamline_traced(network_of(made)), x)


def _example(x: Samples) -> Any:
    """The shapes of one sample, by the names of the forward's parameters where there are several."""
    return {name: (1, *part.shape[1:]) for name, part in x.items()} if isinstance(x, Mapping) else (1, *x.shape[1:])


def comparer(spec: str, module: object, x: Samples) -> Callable[[Samples], Difference]:
    """What compares samples like x with a module, which is read once."""
    made = read_module(module, _example(x))
    streamlined = streamline_traced(network_of(made))
    return lambda x: compare(module, made, streamlined, x)


def compare(module: nn.Module, made: Read, streamlined: Streamlined, x: Samples) -> Difference:
    """`difference` for a network that was already read and streamlined."""
    network = network_of(made)
    values, torch_outputs = _torch_forward(module, network, made, x)
    comparison = Comparison("torch", network, streamlined, x, _magnitudes(module))
    quantizers = []
    for trace in streamlined.quantizers:
        quantizers.append(comparison.of_values(trace, values[trace.name]))
    return comparison.outputs(quantizers, torch_outputs)
