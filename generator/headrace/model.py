"""Model: a loaded network in its exact integer form, and its predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headrace.dataflow.graph import Dataflow
from headrace.dataflow.lower import lower
from headrace.datatypes import IntArray
from headrace.engines import fast, golden
from headrace.engines.host import by_name, from_stream, to_stream, value_range
from headrace.errors import HeadraceError, InputError
from headrace.network.graph import Network
from headrace.network.integer import HostInput, HostOutputs, IntegerNetwork
from headrace.reporting.charts import pipeline_svg
from headrace.reporting.summary import drawn_layers
from headrace.reporting.view import Picture, View, chart_picture
from headrace.reporting.views import layers_view
from headrace.samples import GivenSamples, checked_samples
from headrace.serialize import digest
from headrace.sources import load_any, name_of
from headrace.streamline.absorb_channel_maps import absorb_channel_maps
from headrace.streamline.compose_thresholds import compose_thresholds
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling

#: Computes the last integers (frames, elements) of the stream from the first.
Engine = Callable[[IntArray], IntArray]


def predict_with(engines: Mapping[str, Engine], engine: str, net: IntegerNetwork, x: GivenSamples, raw: bool) -> Any:
    """Outputs for inputs as the original model takes them, computed by the engine of that name.

    x: (N, ...) float32, of several inputs a dict by their names. Returns (N, ...) float32, or with `raw` the last
    integers (N, elements) in stream order; of several outputs a dict by their names. Raises InputError for an unknown
    engine, a wrong name or shape, or values that are not finite.
    """
    if engine not in engines:
        raise InputError(f"engine {engine!r} is not available here; choose one of {list(engines)}")
    q = engines[engine](to_stream(net.host_input, checked_samples(net.host_inputs, x)))
    if not raw:
        return from_stream(net.host_output, q)
    return by_name(net.host_output, q) if isinstance(net.host_output, HostOutputs) else q


@dataclass(frozen=True, eq=False)
class Model:
    """An exact integer network, the hash of the network that it came from, and what people call that."""

    integer: IntegerNetwork
    source_sha256: str
    name: str = "model"

    @cached_property
    def unfolded(self) -> Dataflow:
        """The streaming layers with PE = SIMD = 1."""
        return lower(self.integer)

    def __repr__(self) -> str:
        takes, gives = (" and ".join(f"({', '.join(map(str, ('N', *host.shape)))})" for host in hosts)
                        for hosts in (self.integer.host_inputs, self.integer.host_outputs))
        return f"Model({self.name}: {len(self.integer.nodes)} integer operations, takes {takes}, gives {gives})"

    @property
    def view(self) -> View:
        """The streaming layers that it becomes."""
        return layers_view(self.unfolded)

    def summary(self) -> str:
        """The streaming layers that it becomes, as a table in plain text."""
        return self.view.text()

    def plot(self) -> Picture:
        """The streaming layers from top to bottom, with what they take at PE = SIMD = 1, as estimated."""
        layers, slowest = drawn_layers(self.unfolded), self.unfolded.cycles_per_frame
        return chart_picture(pipeline_svg(layers, slowest), f"the layers of {self.name}")

    def _repr_html_(self) -> str:
        return f"{self.plot().svg}{self.view.html()}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of an exact model before using it, one sentence each."""
        return tuple(_fixed_point_note(host, len(self.integer.host_inputs) > 1) for host in self.integer.host_inputs
                     if not host.saturates)

    @property
    def engines(self) -> dict[str, Engine]:
        """Engines that need no build."""
        return {"fast": self._fast, "golden": self._golden}

    def predict(self, x: GivenSamples, engine: str = "fast", raw: bool = False) -> Any:
        """See predict_with; `hls` and `rtl` need a build."""
        return predict_with(self.engines, engine, self.integer, x, raw)

    def _golden(self, q: IntArray) -> IntArray:
        return golden.run(self.integer, q)[self.integer.output].reshape(len(q), -1)

    def _fast(self, q: IntArray) -> IntArray:
        output = self.integer.output
        return fast.run(self.integer, q, keep=[output])[output].reshape(len(q), -1)


def _fixed_point_note(host: HostInput, named: bool) -> str:
    lowest, highest = value_range(host)
    return (f"the input{f' {host.name}' if named else ''} has no quantizer: it is read as fixed point, and values "
            f"below {lowest:g} or above {highest:g} are refused; put a quantizer at the start of the model for other "
            "values")


def load(source: object, example_input: object = None, kernels: str | None = None, *, name: str | None = None) -> Model:
    """A model from a torch / Brevitas module with an example input, or from a text that names a source.

    source: a module, a Network, an IntegerNetwork, or a path: an .onnx or .tflite file, `file.py:function` or a
    saved network (.json or .npz). example_input: of a module, an array (1, ...) or its shape; by the names of its
    inputs where there are several. name: what reports call it. kernels: "reference" (None too) or "xnnpack", whose
    arithmetic a .tflite file means.
    Raises InputError for what is not a model and UnsupportedError for what has no exact integer form;
    both name the source where it is a path.
    """
    if isinstance(source, Model):  # loaded already
        return source
    value = load_any(source, example_input, kernels)
    try:
        return replace(_model(value), name=name or name_of(source))
    except HeadraceError as error:
        where = f"{source}: " if isinstance(source, (str, Path)) else ""
        raise type(error)(f"{where}{error}") from None


def _model(value: Network | IntegerNetwork) -> Model:
    integer = value if isinstance(value, IntegerNetwork) else streamline(value)
    moved = thresholds_before_pooling(absorb_channel_maps(integer))
    return Model(requantize(compose_thresholds(moved)), digest(value))
