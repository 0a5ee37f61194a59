"""The functions of the package: what the command line does, on values.

Every function that takes long has `progress`, which is called with one line for each step; the same lines go to the
logger `headrace` at the level INFO. Every error that a user can cause is a HeadraceError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Never

import numpy as np
from numpy.typing import ArrayLike

from headrace import building
from headrace.benches.network import Simulation, simulate_build
from headrace.board.board import DEFAULT_BOARD, board_names, load_board
from headrace.build_folder import Build
from headrace.design import Fifos, PlannedFifos
from headrace.difference.compare import Compared, compare_model
from headrace.errors import InputError, ToolError, UnsupportedError
from headrace.example import example_network
from headrace.exploring import explore as exploring
from headrace.exploring.axes import Axes
from headrace.exploring.crew import Crew
from headrace.exploring.explore import Plan
from headrace.exploring.layers import layers_spread
from headrace.exploring.outcome import Exploration
from headrace.exploring.points import Space, plan_points
from headrace.exploring.searching import searching_for_precision
from headrace.exploring.variants import Data
from headrace.layers.cores.choice import AUTO
from headrace.model import Model, load
from headrace.progress import LOG, Progress, logged, silent
from headrace.quantizing.settings import RangeName, RoundingName, ScalesName, Settings
from headrace.reporting.views import sim_view, synth_view
from headrace.reports import write_reports
from headrace.request import Backend, Options, Weights, resolve
from headrace.results import Boards, Checked, Points, Quantization, Record, quantization
from headrace.samples import GivenSamples
from headrace.simulation.frames import Stalls
from headrace.sources import name_of
from headrace.suggest import did_you_mean
from headrace.synthesis.report import Request, synthesize_build
from headrace.synthesis.yosys import default_cache

RankName = Literal["sensitivity", "sqnr", "weight-difference"]
StallsName = Literal["none", "source", "sink", "random"]


def example() -> Model:
    """A small network with seeded random weights, to try things with: images (N, 1, 8, 8) in, scores (N, 5) out.

    >>> import headrace as hr
    >>> hr.example()
    Model(example: 8 integer operations, takes (N, 1, 8, 8), gives (N, 5))
    """
    return load(example_network(), name="example")


def check(source: object, example_input: object = None, *, kernels: str | None = None) -> Checked:
    """Whether a model has an exact hardware form; source, example_input and kernels as of `load`.

    What is not supported is told in `why`, and nothing is raised for it. Raises InputError for what is not a model.

    >>> import headrace as hr
    >>> found = hr.check(hr.example())
    >>> found, bool(found), found.model.unfolded.layers[1].kind
    (Checked(example: supported, 7 layers), True, 'mvtu')
    """
    try:
        model = load(source, example_input, kernels)
    except UnsupportedError as error:
        return Checked(name_of(source), None, str(error))
    return Checked(model.name, model)


def quantize(model: object, data: str | Iterable[Any] | Callable[[], Iterable[Any]], *, method: str = Settings.method,
             weight_bits: int = Settings.weight_bits, act_bits: int = Settings.act_bits,
             edge_bits: int | None = None, bias_bits: int = Settings.bias_bits, samples: int = Settings.samples,
             equalize: bool = False, weight_scales: ScalesName = Settings.weight_scales,
             ranges: RangeName = Settings.ranges, rounding: RoundingName = Settings.rounding,
             correct_bias: bool = False, mixed: tuple[int, int] | None = None, seed: int = Settings.seed,
             test: str | Iterable[Any] | Callable[[], Iterable[Any]] | None = None, compare: bool = False,
             example_input: object = None, settings: Settings | None = None,
             progress: Progress = silent) -> Quantization:
    """Quantize a float CNN by a method of `docs/quantizing.md`; needs torch.

    model: a torch module, an .onnx file without quantizers, or `file.py:function`. data: batches (N, ...), pairs of
    inputs and labels (N,), a function that returns them, or a text as of the command line. test: more of them, for the
    accuracy alone. weight_bits, act_bits, edge_bits: 2 to 8. settings: all of it at once, in the place of the others.
    compare: try the other methods too. Raises QuantizationError for settings and data that do not fit, UnsupportedError
    for modules that cannot be read, ToolError where torch is not installed.
    """
    chosen = settings or Settings(
        method=method, weight_bits=weight_bits, act_bits=act_bits, edge_bits=edge_bits, bias_bits=bias_bits,
        samples=samples, equalize=equalize, weight_scales=weight_scales, ranges=ranges, rounding=rounding,
        correct_bias=correct_bias, mixed=mixed, seed=seed)
    command = _quantizing()
    module, example = command.float_model(model) if isinstance(model, str) else (model, example_input)
    batches, tests = (command.batches_of(given) if isinstance(given, str) else given for given in (data, test))
    result = command.quantize(module, batches, chosen, compare=compare, example_input=example, test=tests,
                              progress=logged(progress))
    return quantization(name_of(model), result, command.quantization_view(result))


def _quantizing() -> Any:
    try:
        from headrace.quantizing import command  # torch is imported at its first use
    except ImportError as error:
        raise ToolError(f"quantizing a float network needs {error.name}, which is not installed; "
                        "run pip install 'headrace[torch]'") from None
    return command


def plan(model: Model, *, boards: Sequence[str] = (), fps: Sequence[float] = (),
         clock_mhz: Sequence[float] = (Options.clock_mhz,), cores: Mapping[str, str] | None = None,
         weights: Weights = "on-chip", backend: Backend = "rtl", fifos: PlannedFifos = "estimated",
         progress: Progress = silent) -> Points:
    """What every board at every clock and every rate would take, estimated, without building anything.

    boards: names or .toml files, filled where no rate is given; none is the default board. fps: frames per second.
    fifos: "estimated", and the smallest where those do not fit; or "exact" or "safe", as build has them. A point that
    cannot be says why. Raises InputError for a board that is not known and for options that cannot be.

    >>> import headrace as hr
    >>> points = hr.plan(hr.example(), fps=[10_000, 100_000])
    >>> points, [point.hardware.fps > point.fps_asked for point in points]
    (Points(example: 2 points, 2 fit), [True, True])
    """
    others = Options(cores=cores or {}, weights=weights, backend=backend)
    return Points(_loaded(model, "plan").name,
                  plan_points(model, Space(boards, clock_mhz, fps), others, logged(progress), fifos))


def explore(model: Any, *, boards: Sequence[str] = (), fps: Sequence[float] = (),
            clock_mhz: Sequence[float] = (Options.clock_mhz,), cores: Sequence[str] = (AUTO,),
            weight_bits: Sequence[int] = (), act_bits: Sequence[int] = (), data: Data | None = None,
            stages: Sequence[str] = ("plan",), scheduler: str = "", workers: int = 0, memory: str = Crew.memory,
            out: str | Path = "exploration", resume: bool = False, every: bool = False,
            verify_layers: bool = False, settings: Settings | None = None, progress: Progress = silent) -> Exploration:
    """Plan many points, and take the Pareto front over rate, resources, latency and accuracy through stages.

    model: as of `load`; with weight_bits and act_bits a float network as of `quantize`, quantized by `settings` at each
    pair of widths. data: inputs and labels, to quantize with and for the accuracy. stages: of plan, build, sim, synth,
    bitstream. scheduler: the address of a Dask scheduler whose workers have headrace installed; else `workers`
    processes of this machine, with so much `memory` each. every: take all points that fit, not only the front.
    verify_layers: compare every layer of a build by itself, all workers those of a point together. What is finished is
    kept in `out` whatever happens, and `resume` goes on with it.

    Returns the points with a pandas DataFrame as `frame`; `out` has them as JSON and Parquet. A script that calls this
    with stages beyond plan keeps its calls behind `if __name__ == "__main__":`, as Python's processes need it. Raises
    InputError for what cannot be asked for, ToolError where Dask is missing (pip install 'headrace[explore]').
    """
    axes = Axes(boards, fps, clock_mhz, cores, weight_bits, act_bits)
    plan = Plan(axes, Path(out), stages, data, Crew(scheduler, workers, memory), resume, every,
                verify_layers, settings or Settings())
    return exploring.explore(model, plan, logged(progress))


def precision(model: Any, data: Data, *, fps: float, board: str = DEFAULT_BOARD, clock_mhz: float = Options.clock_mhz,
              widths: Sequence[int] = (2, 4, 8), accuracy_drop: Sequence[float] = (1.0,),
              rank: RankName = "sensitivity", evaluations: int = 100, exhaustive: bool = False,
              test: Data | None = None, example_input: object = None, settings: Settings | None = None,
              progress: Progress = silent) -> Any:
    """The widths of every layer's weights and activations with which hardware is cheapest at a rate; needs torch.

    model, data: as of `quantize`, with labels. widths: rising, those that may be had. accuracy_drop: percentage points,
    rising, that may be lost against the float network; there is a result for each. rank: what is lowered first: what
    loses least for what it saves, what has the highest SQNR ("sqnr"), or what training moves least
    ("weight-difference", the subject of US patent 12,393,828). evaluations: networks that may be looked at for each
    drop. exhaustive: look at all of them too. test: data on which only what is found is tested. settings: how is
    quantized, but for the widths.

    Returns a headrace.exploring.precision_run.Precision: `found` with widths, accuracy and hardware, `models` that
    build, `save`. Raises InputError for what cannot be asked for and where even the widest width loses more or does
    not fit the board, UnsupportedError for modules that cannot be read, ToolError where torch is not installed.
    """
    searching = searching_for_precision()
    budget = searching.Budget(tuple(widths), tuple(accuracy_drop), rank, evaluations)
    request = resolve(Options(board, clock_mhz, fps))
    chosen = settings or Settings(method="affine")
    task = searching.Task(data, budget, request, chosen, test, exhaustive, example_input)
    return searching.find_precision(model, task, logged(progress))


def build(model: Model, out: str | Path, progress: Progress = silent, *,
          board: str | None = None, clock_mhz: float = Options.clock_mhz, fps: float | None = None,
          folding: Mapping[str, Mapping[str, int]] | None = None, cores: Mapping[str, str] | None = None,
          writable: Mapping[str, str] | None = None, external: Sequence[str] = (), weights: Weights = "on-chip",
          backend: Backend = "rtl", verify: int = Options.verify, verify_input: GivenSamples | None = None,
          overfull: bool = False, verify_layers: bool = False, fifos: Fifos = "exact",
          share: float = Options.share, scheduler: str = "", **unknown: Never) -> Build:
    """Build `model` into the directory `out`, whose parents are made. See headrace.request.Options for the options.

    fps: frames per second, reached with the least hardware; board alone: filled. verify_input: samples (N, ...) as the
    model takes them, of which `verify` are used. scheduler: the address of a Dask scheduler whose workers compare the
    layers, with verify_layers. Raises a HeadraceError, and leaves `out` untouched, if anything is
    illegal, missing or not bit-exact.

    >>> import headrace as hr
    >>> made = hr.build(hr.example(), "mine", fps=100_000)
    >>> made.record["verified"], made.cycles <= 2000
    (True, True)
    >>> x = np.zeros((2, 1, 8, 8), np.float32)
    >>> bool((made.predict(x, engine="rtl") == made.predict(x, engine="golden")).all())
    True
    """
    _loaded(model, "build")
    for name in unknown:
        known = [field.name for field in fields(Options)]
        raise InputError(f"{name} is not an option of build; {did_you_mean(name, known)}choose from {known}")
    options = Options(board, clock_mhz, fps, folding, cores or {}, writable or {}, external, weights, backend, verify,
                      verify_input, overfull, verify_layers, fifos, share)
    with layers_spread(scheduler, options) as spread:
        made = building.build(model, out, options, logged(progress), spread)
    LOG.info("%s", made.view.title)
    return made


def _loaded(model: object, what: str) -> Model:
    """The model. Raises InputError for something that was not loaded."""
    if not isinstance(model, Model):
        raise InputError(f"{what} takes what headrace.load returns, not a {type(model).__name__}; load the model first")
    return model


def simulate(build: Build, *, frames: int = Simulation.frames, stalls: StallsName = "none", seed: int = 0,
             waves: bool = False, verilog: Path | None = None, progress: Progress = silent) -> Record:
    """Stream random frames through a build, cycle by cycle; writes and returns sim.json.

    stalls: who hesitates. waves: write sim/waves.vcd. verilog: simulate what an HLS compiler wrote in the place of the
    build's own sources. Raises MismatchError that names the first layer, pixel and channel that differ.

    >>> import headrace as hr
    >>> seen = hr.simulate(made, frames=3)
    >>> seen["bit_exact"], seen["cycles_per_frame"] == made.cycles
    (True, True)
    """
    if stalls not in (names := [item.value for item in Stalls]):
        raise InputError(f"stalls={stalls!r} is unknown; {did_you_mean(str(stalls), names)}choose one of {names}")
    result = simulate_build(build, Simulation(frames, Stalls(stalls), seed, waves, verilog), logged(progress))
    return Record(result, sim_view(result))


def synth(build: Build, *, per_layer: bool = False, layers: Sequence[str] = (), jobs: int = Request.jobs,
          cache: str | Path | None = None, progress: Progress = silent) -> Record:
    """What Yosys counts of a build: LUTs, flip-flops, memories, DSP blocks and levels of logic; writes synth.json.

    per_layer: every layer by itself too; layers: only these. jobs: runs of Yosys at a time. cache: where results are
    kept by content. Raises InputError for a build without RTL and for an unknown layer, ToolError where Yosys fails.

    >>> import headrace as hr
    >>> counted = hr.synth(made, layers=["fc4"])
    >>> counted["layers"][0]["name"], counted["total"]["dsp"]
    ('fc4', 0)
    """
    request = Request(tuple(layers), per_layer, jobs, Path(cache) if cache else default_cache())
    result = synthesize_build(build, request, logged(progress))
    return Record(result, synth_view(result))


def report(*builds: Build, out: str | Path | None = None, quantized: str | Path | None = None) -> Path:
    """Draw a build with all that was measured of it, or several side by side; returns the page.

    out: of several, the page to write; the report of one is in its directory. quantized: of one, the NAME.report.json
    of `headrace quantize`, to be shown too. Raises InputError for no build.

    >>> import headrace as hr
    >>> hr.report(made).as_posix()
    'mine/report.html'
    """
    out, quantized = (None if path is None else Path(path) for path in (out, quantized))
    return write_reports(builds, out, quantized)[0]


def compare(source: object, x: GivenSamples, labels: ArrayLike | None = None,
            progress: Progress = silent) -> Compared:
    """A framework's own float32 forward beside the exact integers, code by code.

    source: a torch module, `file.py:function` or an .onnx file. x: samples (N, ...), by name where there are several
    inputs; labels: classes (N,). Raises InputError for data that do not fit, ToolError where the framework is missing.
    """
    return compare_model(source, x, None if labels is None else np.asarray(labels, np.int64), logged(progress))


def boards() -> Boards:
    """The boards that come with headrace, by name.

    >>> import headrace as hr
    >>> hr.boards()["pynq-z2"].lut
    53200
    """
    return Boards({name: load_board(name) for name in board_names()})
