"""The exact integer network against torch's float32 forward: see comparison.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from brevitas.proxy import ActQuantProxyFromInjector
from torch import nn

from headrace.datatypes import IntArray
from headrace.difference.comparison import Comparison, Difference
from headrace.engines.host import Float32Array
from headrace.frontend.torch.brevitas import from_module
from headrace.frontend.torch.site import to_array
from headrace.network.graph import Network
from headrace.network.ops import FloatArray
from headrace.streamline.streamline import Streamlined, streamline_traced


@contextmanager
def _recording(module: nn.Module) -> Iterator[list[IntArray]]:
    """The codes of every activation quantizer in the order of the calls, while the module runs."""
    calls: list[IntArray] = []

    def record(proxy: nn.Module, _args: Any, output: Any) -> None:
        if proxy.is_quant_enabled:
            codes = torch.round(output.value / output.scale + output.zero_point)
            calls.append(codes.numpy().astype(np.int64))

    handles = [item.register_forward_hook(record) for item in module.modules()
               if isinstance(item, ActQuantProxyFromInjector)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _torch_forward(module: nn.Module, x: Float32Array) -> tuple[list[IntArray], Float32Array]:
    """Codes of all quantizers and the output, in eval mode."""
    modes = [(item, item.training) for item in module.modules()]
    module.eval()
    try:
        with torch.no_grad(), _recording(module) as calls:
            output = module(torch.from_numpy(x))
    finally:
        for item, training in modes:
            item.training = training
    return calls, getattr(output, "value", output).numpy()


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


def difference(module: nn.Module, x: Float32Array) -> Difference:
    """Compare torch's float32 forward with the exact integer network on the samples x (N, ...).

    Raises what from_module and streamline raise.
    """
    network = from_module(module, x)
    return compare(module, network, streamline_traced(network), x)


def compare(module: nn.Module, network: Network, streamlined: Streamlined, x: Float32Array) -> Difference:
    """`difference` for a network that was already read and streamlined."""
    calls, torch_output = _torch_forward(module, x)
    comparison = Comparison("torch", network, streamlined, x, _magnitudes(module))
    pairs = zip(streamlined.quantizers, calls, strict=True)
    quantizers = tuple(comparison.quantizer(trace, codes) for trace, codes in pairs)
    return comparison.outputs(quantizers, torch_output)
