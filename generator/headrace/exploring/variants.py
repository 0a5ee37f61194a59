"""The networks of an exploration: one that is quantized already, or a float one at every pair of widths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headrace.errors import InputError, ToolError
from headrace.exploring.axes import Axes
from headrace.model import Model, load
from headrace.progress import Progress
from headrace.quantizing.data import Batches, Samples, read_batches, stored_batches
from headrace.quantizing.settings import Settings
from headrace.sources import name_of

#: Calibration data and labels: a file X.npz, `file.py:function`, batches, or a function that returns them.
Data = str | Path | Iterable[Any] | Callable[[], Iterable[Any]]


@dataclass(frozen=True, eq=False)
class Variant:
    """A network with its widths (None: as it is) and its accuracy, a share of 1, None where there are no labels."""

    weight_bits: int | None
    act_bits: int | None
    model: Model
    accuracy: float | None


def variants(source: Any, axes: Axes, data: Data | None, settings: Settings, progress: Progress) -> Iterator[Variant]:
    """The networks, each with its accuracy. Raises InputError for widths without data to quantize with."""
    batches = None if data is None else read_data(data)
    for widths in axes.widths():
        if widths is None:
            model = load(source)
            yield Variant(None, None, model, accuracy(model, batches))
            continue
        if batches is None:
            raise InputError("a float network is quantized with data; give --data FILE")
        progress(f"quantizing to weights of {widths[0]} and activations of {widths[1]} bits")
        model = _quantized(source, batches, replace(settings, weight_bits=widths[0], act_bits=widths[1]))
        yield Variant(*widths, model, accuracy(model, batches))


def _quantized(source: Any, batches: Batches, settings: Settings) -> Model:
    command = quantizing()
    module, example = command.float_model(str(source)) if isinstance(source, (str, Path)) else (source, None)
    result = command.quantize(module, batches, settings, example_input=example)
    return replace(load(result.network), name=name_of(source))


def quantizing() -> Any:
    """The module that quantizes. Raises ToolError where torch is not installed."""
    try:
        from headrace.quantizing import command  # torch is imported at its first use
    except ImportError as error:
        raise ToolError(f"quantizing a float network needs {error.name}, which is not installed; "
                        "run pip install 'headrace[torch]'") from None
    return command


def read_data(data: Data) -> Batches:
    """The batches of what the user gave, which can be read again and again."""
    if isinstance(data, (str, Path)):
        return stored_batches(Path(data)) if str(data).endswith((".npy", ".npz")) else quantizing().batches_of(data)
    return data if callable(data) else list(data)


def accuracy(model: Model, batches: Batches | None) -> float | None:
    """Share of the labelled samples that a network classifies rightly, None where there are none."""
    if batches is None or len(model.integer.host_inputs) != 1 or len(model.integer.host_outputs) != 1:
        return None
    right = count = 0
    for batch in read_batches(batches, model.integer.host_inputs[0].shape):
        if batch.labels is None:
            return None
        right += int(np.count_nonzero(_classes(model, batch) == batch.labels))
        count += len(batch.labels)
    return right / count


def _classes(model: Model, batch: Samples) -> Any:
    scores = model.predict(batch.x).reshape(len(batch.x), -1)
    return scores[:, 0].astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)
