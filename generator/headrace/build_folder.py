"""Build: a build directory, what is recorded of it, and its engines."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from headrace.accuracy import accuracy, keep_accuracy
from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.board.host_words import HostWords
from headrace.board.room import room
from headrace.board.shell_area import shell_area
from headrace.bounded_reading import require_files
from headrace.build_record import RECORD, BuildRecord, read_record, verdict
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.hls_graph import hls_graph
from headrace.datatypes import IntArray
from headrace.design import Design, Recipe, estimated, with_fifos
from headrace.errors import InputError
from headrace.model import Engine, Model, predict_with
from headrace.network.integer import IntegerNetwork
from headrace.render.hls_views import graph_views
from headrace.reporting.charts import pipeline_svg
from headrace.reporting.page import write_report
from headrace.reporting.quantized import keep_quantized
from headrace.reporting.summary import summarize
from headrace.reporting.view import Picture, View, chart_picture
from headrace.reporting.views import build_view
from headrace.samples import GivenSamples
from headrace.serialize import load as load_value
from headrace.simulation.backends import run_hls, run_rtl
from headrace.timing.hls_fifo_sizing import EXPECTED

__all__ = ["MODEL", "RECORD", "Build", "fifo_records", "hls_record", "not_verified"]

MODEL = "model"


@dataclass(frozen=True)
class Comparison:
    """A back end that gave the golden words on every stream; latency_cycles: where it has cycles, the first frame's.

    whole: all layers at once; else each by itself. where: "" for this machine.
    """

    engine: str
    vectors: int
    latency_cycles: int | None = None
    whole: bool = True
    where: str = ""

    def record(self) -> dict[str, Any]:
        """What build.json says of it."""
        compared = "whole network" if self.whole else "each layer by itself"
        return {"compared": compared, "vectors": self.vectors} | ({"where": self.where} if self.where else {})


@dataclass(frozen=True, eq=False)
class Build:
    """A finished build directory. cycles: per frame in steady state, by the cycle model."""

    folder: Path
    record: BuildRecord
    model: Model
    recipe: Recipe
    board: Board
    dataflow: Dataflow
    cycles: int

    @classmethod
    def open(cls, folder: str | Path) -> Build:
        """Read a build directory. Raises InputError if it is none, or of another version of headrace."""
        folder = Path(folder)
        record = read_record(folder)
        require_files(folder)
        integer = load_value(folder / MODEL)
        if not isinstance(integer, IntegerNetwork):
            raise InputError(f"{folder / MODEL}.json: is not an integer network; build again")
        recipe = Recipe.of_record(record["recipe"])
        dataflow = with_fifos(integer, recipe)
        if [layer["name"] for layer in record["layers"]] != [layer.name for layer in dataflow.layers]:
            raise InputError(f"{folder / RECORD}: lists other layers than {MODEL}.json gives; build again")
        return cls(folder, record, Model(integer, record["source_sha256"], record["model"]), recipe,
                   Board(**record["device"]), dataflow, record["cycles_per_frame"])

    def __repr__(self) -> str:
        return f"Build({str(self.folder)!r}: {verdict(self.record)}, {self.cycles} cycles per frame, {self.board.name})"

    @property
    def view(self) -> View:
        """The layers with their folds, and what they reach together."""
        return build_view(str(self.folder), self.record, self.dataflow, self.board)

    def summary(self) -> str:
        """Layers, cycles and estimated resources as a table in plain text."""
        return self.view.text()

    def plot(self) -> Picture:
        """The layers from top to bottom, with what they take; measured where that was done."""
        layers = summarize(self.folder, self.dataflow)["layers"]
        return chart_picture(pipeline_svg(layers, self.dataflow.cycles_per_frame), f"the layers of {self.folder}")

    def _repr_html_(self) -> str:
        return f"{self.plot().svg}{self.view.html()}"

    @property
    def room(self) -> Board:
        """What of the board there is for the accelerator."""
        return room(self.board, 100.0, shell_area(self.dataflow, self.board, self.record["clock_mhz"]))

    @property
    def host_words(self) -> HostWords:
        """Widths of the words on the DMA's side, as the driver and the shell have them."""
        words = self.record["host_words"]
        return HostWords(words["input"], words["output"])

    @property
    def has_hls(self) -> bool:
        """True if the HLS back end was built."""
        return (self.folder / "hls").is_dir()

    @property
    def has_rtl(self) -> bool:
        """True if the RTL back end was built."""
        return (self.folder / "rtl").is_dir()

    @property
    def engines(self) -> dict[str, Engine]:
        """The model's engines and those of the back ends that were built."""
        hardware = {"hls": self._hls} if self.has_hls else {}
        if self.has_rtl:
            hardware["rtl"] = self._rtl
        return {**self.model.engines, **hardware}

    def predict(self, x: GivenSamples, engine: str = "rtl", raw: bool = False) -> Any:
        """Outputs for inputs as the original model takes them; see model.predict_with."""
        return predict_with(self.engines, engine, self.model.integer, x, raw)

    def accuracy(self, x: GivenSamples, labels: ArrayLike, engine: str = "fast") -> float:
        """Share of samples (N, ...) whose largest score is their class, labels (N,), by an engine; 0 to 1.

        It is kept in accuracy.json, which reports show. Raises InputError for what `predict` refuses, for labels that
        do not fit, and for a model that does not classify.
        """
        found = accuracy(self.predict(x, engine), classes := np.asarray(labels))
        keep_accuracy(self.folder, engine, {"samples": len(classes), "accuracy": found})
        return found

    @property
    def resources(self) -> Resources:
        """What the accelerator is estimated to take of the device."""
        return estimated(self.dataflow)

    def report(self, quantized: str | Path | None = None) -> dict[str, Any]:
        """Write report.html and report.json with all that was measured so far; returns what the latter holds.

        quantized: the NAME.report.json of the network, shown from now on. Raises InputError where it is none,
        or that of another network.
        """
        if quantized is not None:
            keep_quantized(self.folder, Path(quantized), self.record["source_sha256"])
        return write_report(self.folder, self.dataflow)

    def _hls(self, q: IntArray) -> IntArray:
        with tempfile.TemporaryDirectory() as work:
            return run_hls(self.folder, self.dataflow, q, Path(work)).output(self.dataflow)

    def _rtl(self, q: IntArray) -> IntArray:
        with tempfile.TemporaryDirectory() as work:
            return run_rtl(self.folder, self.dataflow, q, Path(work)).output(self.dataflow)


def fifo_records(design: Design) -> list[dict[str, Any]]:
    """What build.json says of the FIFOs; smallest_depth is what the throughput needs."""
    return [{"name": item.layer.name, "depth": item.layer.stream_depth, "bits": item.layer.inputs[0].bits,
             "smallest_depth": design.sizing.smallest[item.layer.name]} for item in design.dataflow.fifos]


def hls_record(design: Design) -> dict[str, Any]:
    """What build.json says of the HLS back end: predicted cycles, and the streams with their depths."""
    if design.hls is None:
        return {}
    graph = hls_graph(design.dataflow)
    views = graph_views(design.dataflow, graph, design.hls.depths)
    return {"hls_cycles_per_frame": design.hls.cycles_per_frame, "hls_latency_cycles": design.hls.latency_cycles,
            "hls_pipeline_depth": EXPECTED.depth,
            "hls_streams": [{"name": view.name, "depth": view.depth, "bits": view.bits} for view in views.values()]}


def not_verified(hls: bool, compared: Sequence[Comparison]) -> list[str]:
    """What the comparisons leave open; hls: is that back end there, which C simulation cannot confirm?"""
    open_ends = ["loop initiation intervals in HLS, until an HLS compiler reports them"] if hls else []
    if not all(item.whole for item in compared):
        open_ends.append("the network as a whole, its streams and FIFOs: every layer was compared by itself; build "
                         "without --verify-layers")
    return open_ends
