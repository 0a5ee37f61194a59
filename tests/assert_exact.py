"""The one comparison of the front end's tests: integer network against the exact reading, code by code."""

from __future__ import annotations

import numpy as np

from headrace.engines import fast, golden
from headrace.engines.host import from_stream, to_stream
from headrace.model import Model
from headrace.network.graph import Network
from headrace.network.integer import IntegerNetwork
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline_traced
from tests.exact_network import evaluate


def outputs(net: IntegerNetwork, x: np.ndarray, engine: str = "golden") -> np.ndarray:
    """The only output of the network, (N, ...) float32, for samples (N, ...)."""
    made: np.ndarray = Model(net, "").predict(x, engine)
    return made


def assert_exact(network: Network, x: np.ndarray) -> int:
    """Every code of every quantizer and every output of x (N, ...) agree; returns how many codes were compared.

    The naive engine, on the network with requantizers, agrees with the fast one on the network without at every tensor.
    """
    streamlined = streamline_traced(network)
    net = streamlined.network
    values = fast.run(net, to_stream(net.host_input, x))
    naive = golden.run(requantize(net), to_stream(net.host_input, x))
    assert all(np.array_equal(naive[name], tensor) for name, tensor in values.items())
    made = from_stream(net.host_outputs[0], values[net.output].reshape(len(x), -1))
    compared = 0
    for n, sample in enumerate(x):
        codes, output = evaluate(network, sample)
        for trace in streamlined.quantizers:
            mine = values[trace.tensor][n].transpose(2, 0, 1).reshape(codes[trace.name].shape)
            assert np.array_equal(mine, codes[trace.name]), f"{trace.name} of sample {n}"
            compared += mine.size
        wanted = np.array([float(v) for v in output.reshape(-1)])
        # The scale and the offset of the output are rounded to float64 and the result to float32, nothing else.
        np.testing.assert_allclose(made[n].reshape(-1), wanted, rtol=2**-23, atol=1e-12 + 2**-50 * abs(wanted).max())
    return compared
