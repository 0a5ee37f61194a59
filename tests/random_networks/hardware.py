"""Folding, cores and memories at random for a drawn network, and what both back ends make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from headrace.atomic_files import write_files
from headrace.dataflow.external import external_layers, replayed_weights
from headrace.dataflow.fold import Folding
from headrace.dataflow.graph import SOURCE, Dataflow
from headrace.dataflow.make_external import external_candidates
from headrace.dataflow.make_writable import writable_candidates
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import IntArray
from headrace.errors import HeadraceError
from headrace.folding.choices import Choices
from headrace.layers.weighted import WeightedLayer
from headrace.model import Model
from headrace.planning import Planned, plan_design
from headrace.render.hls import render_hls
from headrace.render.rtl import render_rtl
from headrace.request import DEFAULT_CLOCK_MHZ, Backend, Options, resolve
from headrace.simulation import rtl
from headrace.simulation.backends import verify_hls
from headrace.simulation.frames import Stalls, Trace
from headrace.timing.cycle_model import CycleModel
from tests.random_networks.descriptions import Hardware

#: Sentences of refusals that a random choice can meet, and the keys of the choice that are then left out.
REFUSED_CHOICES = {"core": ("core",), "planes": ("core",), "parity": ("core",), "pairs": ("core",), "dsp": ("core",),
                   "writable": ("writable",), "external": ("external",), "bits": ("folding",), "ap_uint": ("folding",),
                   "cycles per frame": ("folding", "pace"), "channel map": ("folding",), "fold": ("folding",)}


def planned(model: Model, choice: Hardware, backend: Backend) -> Planned:
    """The hardware that a choice asks for; what of it the product refuses for this network is left out of it."""
    asked = {key for key, value in choice.items() if value}
    while True:
        try:
            return plan_design(model, resolve(_options(model, choice, asked, backend)))
        except HeadraceError as error:
            refused = {key for word, keys in REFUSED_CHOICES.items() if word in str(error) for key in keys}
            if not refused & asked:
                raise
            asked -= refused


def _options(model: Model, choice: Hardware, asked: set[str], backend: Backend) -> Options:
    """asked: the keys of a choice that count."""
    rng = np.random.default_rng(choice["seed"])
    dataflow = model.unfolded
    folding = _folding(dataflow, rng) if "folding" in asked else None
    rate = _rate(dataflow, choice["pace"]) if "pace" in asked and not folding else None
    weighted = [layer.name for layer in WeightedLayer.among(dataflow.layers)]
    external = [layer.name for layer in external_candidates(dataflow)][:1] if "external" in asked else []
    writable = [layer.name for layer in writable_candidates(dataflow)][:1] if "writable" in asked else []
    return Options(board=choice["board"], fps=rate, folding=folding, overfull=True, external=external,
                   cores={name: choice["core"] for name in weighted if rng.integers(2)} if "core" in asked else {},
                   fifos=choice["fifos"], backend=backend,
                   writable={name: choice["writable"] for name in writable if name not in external})


def _rate(dataflow: Dataflow, pace: int) -> float:
    """A rate between the slowest and 4^pace times it."""
    return DEFAULT_CLOCK_MHZ * 1e6 / max(1, dataflow.cycles_per_frame >> 2 * pace)


def _folding(dataflow: Dataflow, rng: np.random.Generator) -> Folding:
    """Any legal folds of every layer."""
    legal = Choices(dataflow, {}, max_word_bits=1024).of_layer
    drawn = {name: choices[int(rng.integers(len(choices)))] for name, choices in legal.items()}
    folds = {name: dict(choice.folds) for name, choice in drawn.items() if choice.folds}
    for item in dataflow.placed:  # a depthwise unit and the windows in front of it have one number of lanes
        follows, (maker, _) = drawn[item.layer.name].layer.follows_lanes, item.sources[0]
        if follows and maker in folds:
            folds[maker]["simd"] = follows
    return folds


def require_schedule(hardware: Planned) -> None:
    """The cycle model of the whole keeps the pace of the slowest layer, and nothing stops it."""
    dataflow = hardware.dataflow
    steady = CycleModel(dataflow).steady()
    assert steady.deadlock is None
    assert steady.cycles_per_frame == hardware.design.sizing.cycles_per_frame == dataflow.cycles_per_frame


def require_back_ends(hardware: Planned, frames: IntArray, seed: int, work: Path) -> None:
    """Golden, HLS and RTL are equal in every word of every stream, and the RTL in every cycle with the cycle model."""
    vectors = Vectors(hardware.dataflow, frames)
    require_rtl(vectors, seed, work)
    design = hardware.design
    assert design.hls is not None
    write_files(work / "hls", render_hls(vectors.dataflow, 1e3 / DEFAULT_CLOCK_MHZ, hardware.request.board.part,
                                         "// random network", len(vectors), design.hls.depths))
    (work / "csim").mkdir()
    verify_hls(work, vectors, work / "csim", scheduled=True)


def require_rtl(vectors: Vectors, seed: int, work: Path) -> None:
    """Words under all stalls, from any power-up and after a reset in mid-frame, and cycles."""
    dataflow = vectors.dataflow
    write_files(work / "rtl", render_rtl(dataflow, "// random network"))
    (work / "verilated").mkdir()
    simulated = rtl.compile_network(work / "rtl", dataflow, work / "verilated")
    weights = {port: replayed_weights(layer, len(vectors)) for port, layer in external_layers(dataflow).items()}
    given = {SOURCE: vectors.words[SOURCE, 0]} | weights
    half = {SOURCE: max(1, len(vectors.words[SOURCE, 0]) // 2)}
    runs: tuple[Callable[[], dict[str, Trace]], ...] = (
        lambda: simulated.run(given, Stalls.NONE, seed), lambda: simulated.run(given, Stalls.RANDOM, seed + 1),
        lambda: simulated.run(given, Stalls.RANDOM, seed + 2, half))
    for index, run in enumerate(runs):
        traces = run()
        for port, name in rtl.observed_ports(dataflow).items():
            np.testing.assert_array_equal(traces[name].words, vectors.words[port], err_msg=f"{port}, run {index}")
        if index == 0:
            _require_cycles(dataflow, traces, len(vectors))


def _require_cycles(dataflow: Dataflow, traces: Mapping[str, Trace], frames: int) -> None:
    model = CycleModel(dataflow).trace(frames)
    start = traces[SOURCE].cycles[0] - model[SOURCE, 0][0]
    for port, name in rtl.observed_ports(dataflow).items():
        taken = len(model[port])  # the model ends with the last word out; words that none needs may follow
        np.testing.assert_array_equal(traces[name].cycles[:taken] - start, model[port], err_msg=f"cycles of {port}")
