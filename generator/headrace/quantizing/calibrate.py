"""Calibration: one pass over the data gives the histogram of every tensor that is quantized."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import InputError
from headrace.quantizing.data import Batches, FirstSamples, Samples, read_batches
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.runner import Runner

#: One in so many of the kept samples is held back.
HELD_EVERY = 4
#: Shows how far an iterable of batches is; passes its items on.
Track = Callable[[Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Histograms of tensors by name, the first samples of the data, and those behind them that were held back."""

    tensors: Mapping[str, Histogram]
    kept: Samples
    held: Samples


def calibrate(runner: Runner, tensors: Iterable[str], batches: Batches, keep: int,
              hold: bool = False, track: Track = lambda items: items) -> Calibration:
    """Run the float network once over all batches.

    tensors: names of what is observed; keep: samples to remember for accuracy and tuning; hold: every fourth of
    them is only remembered, as `held`. Memory does not depend on the
    number of batches. Raises InputError for data that do not fit the network (see read_batches) and keep < 1.
    """
    if keep < 1:
        raise InputError(f"{keep} samples cannot measure anything; keep 1 or more")
    histograms = {name: Histogram() for name in tensors}
    first = FirstSamples(keep)
    for batch in _tracked(batches, runner, track):
        held = _held(first.add(batch), len(batch.x), hold)
        if not held.all():
            runner.scores(batch.x[~held], observe=lambda name, value: histograms[name].add(value.numpy())
                          if name in histograms else None)
    kept = first.samples()
    held = _held(range(len(kept.x)), len(kept.x), hold)
    return Calibration(histograms, kept.where(~held), kept.where(held))


def _held(kept: range, count: int, hold: bool) -> NDArray[np.bool_]:
    """Which of the `count` samples of a batch are held back, the first of which are those of the places `kept`."""
    places = np.arange(kept.start, kept.start + count)
    return np.asarray(hold & (places % HELD_EVERY == HELD_EVERY - 1) & (places < kept.stop))


def _tracked(batches: Batches, runner: Runner, track: Track) -> Iterator[Samples]:
    items = batches() if callable(batches) else batches
    return read_batches(track(items), runner.net.input.shape)
