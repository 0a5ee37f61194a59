"""Quantizing a float CNN: one call from module and data to a Network that builds, and what it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from headrace.frontend.torch.float_module import from_float_module
from headrace.model import Model, load
from headrace.network import graph
from headrace.network.float_graph import FloatNetwork
from headrace.progress import Step
from headrace.quantizing.calibrate import Track
from headrace.quantizing.choose import METHOD_S, Attempt, Bench, Trial, choose
from headrace.quantizing.data import Batches, first_shape, read_batches
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.measure import Row, rows
from headrace.quantizing.mixed import Mixture
from headrace.quantizing.problem import Candidate, Problem, require_one_output
from headrace.quantizing.runner import Runner, one_thread, require_same_function, top1
from headrace.quantizing.settings import AUTO, Settings

Progress = Callable[[str], None]
#: Samples on which the graph that was read is compared with the module.
CHECKED = 8


@dataclass(frozen=True)
class Accuracy:
    """Share of `samples` samples classified rightly by the float network and by the exact integer network."""

    samples: int
    float_network: float
    quantized: float


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized network and what quantization cost; `accuracy` by the name of the data, empty without labels.

    trials: the methods that were compared, if any. settings: those that made the network.
    """

    settings: Settings
    network: graph.Network
    candidate: Candidate
    tensors: dict[str, Histogram]
    rows: tuple[Row, ...]
    accuracy: dict[str, Accuracy]
    evaluations: int
    mixture: Mixture | None
    trials: tuple[Trial, ...] = ()


def quantize(module: object, batches: Batches, settings: Settings | None = None, *, compare: bool = False,
             example_input: object = None, test: Batches | None = None, track: Track = lambda items: items,
             progress: Progress = lambda _: None) -> Quantized:
    """Quantize a float CNN by a method.

    module: a torch module, or a FloatNetwork; batches: calibration data, arrays (N, ...) or pairs (inputs, labels), or
    a function that returns them; methods that tune or train need labels. example_input: an array (N, ...) or its shape;
    that of the first batch where absent. test: more data, for the accuracy only. compare: try the other methods too.
    track: shows progress over batches.
    Raises a HeadraceError for modules, data and settings that do not fit.
    """
    with one_thread():
        return _quantize(module, batches, settings or Settings(), compare, example_input, test, track, progress)


def _quantize(module: object, batches: Batches, settings: Settings, compare: bool, example_input: object,
              test: Batches | None, track: Track, progress: Progress) -> Quantized:
    if example_input is None and not isinstance(module, FloatNetwork):
        example_input, batches = first_shape(batches)
    net = module if isinstance(module, FloatNetwork) else from_float_module(module, example_input)
    many = compare or settings.method == AUTO
    bench = Bench(net, batches, track, hold=many)
    progress("calibrating")
    if not isinstance(module, FloatNetwork):
        first = bench.problem(replace(settings, method="affine") if settings.method == AUTO else settings)
        require_same_function(module, Runner(net), first.kept.x[:CHECKED])
    progress(Step(settings.method, seconds=METHOD_S))
    attempt, trials = choose(bench, settings, compare, progress) if many else (bench.attempt(settings), ())
    progress("measuring")
    return _measured(attempt, trials, test)


def _measured(attempt: Attempt, trials: tuple[Trial, ...], test: Batches | None) -> Quantized:
    problem, found, mixture = attempt.problem, attempt.found, attempt.mixture
    network = found.candidate.network
    accuracy = _accuracies(problem, load(network), test)
    return Quantized(attempt.settings, network, found.candidate, dict(problem.tensors),
                     rows(found.candidate, problem.tensors, problem.kept.x), accuracy,
                     found.evaluations + (mixture.evaluations if mixture else 0), mixture, trials)


def _accuracies(problem: Problem, model: Model, test: Batches | None) -> dict[str, Accuracy]:
    """Accuracy on the samples that were kept, and on the test data."""
    found: dict[str, Accuracy] = {}
    if problem.kept.labels is not None:
        found["calibration"] = _accuracy([problem.kept], problem.runner, model)
    if test is not None:
        require_one_output(problem.net, "test data")
        found["test"] = _accuracy(read_batches(test, problem.net.input.shape), problem.runner, model)
    return found


def _accuracy(batches: Any, runner: Runner, model: Model) -> Accuracy:
    count, right = 0, [0.0, 0.0]
    for batch in batches:
        labels = batch.require_labels("accuracy")
        count += len(labels)
        right[0] += len(labels) * top1(runner.scores(batch.x), labels)
        right[1] += len(labels) * top1(model.predict(batch.x), labels)
    return Accuracy(count, right[0] / count, right[1] / count)
