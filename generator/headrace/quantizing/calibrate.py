"""Calibration: one pass over the data gives the histogram of every tensor that is quantized."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.errors import InputError
from headrace.quantizing.data import Batches, FirstSamples, Samples, read_batches
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.runner import Runner

#: Shows how far an iterable of batches is; passes its items on.
Track = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Histograms of tensors by name, and the first samples of the data."""

    tensors: Mapping[str, Histogram]
    kept: Samples


def calibrate(runner: Runner, tensors: Iterable[str], batches: Batches, keep: int,
              track: Track = lambda items: items) -> Calibration:
    """Run the float network once over all batches.

    tensors: names of what is observed; keep: samples to remember for accuracy and tuning. Memory does not depend on the
    number of batches. Raises InputError for data that do not fit the network (see read_batches) and keep < 1.
    """
    if keep < 1:
        raise InputError(f"{keep} samples cannot measure anything; keep 1 or more")
    histograms = {name: Histogram() for name in tensors}
    first = FirstSamples(keep)
    for batch in _tracked(batches, runner, track):
        first.add(batch)
        runner.scores(batch.x, observe=lambda name, value: histograms[name].add(value.numpy())
                      if name in histograms else None)
    return Calibration(histograms, first.samples())


def _tracked(batches: Batches, runner: Runner, track: Track) -> Iterator[Samples]:
    items = batches() if callable(batches) else batches
    return read_batches(track(items), runner.net.input.shape)
