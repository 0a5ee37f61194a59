"""Calibration data: any iterable of batches, with or without labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.archive import npy_array, npz_members
from headrace.bounded_reading import read_bytes
from headrace.errors import InputError
from headrace.network.ops import Shape

Images = NDArray[np.float32]
Labels = NDArray[np.int64]
#: Batches as users have them: arrays or tensors (N, ...), or pairs (inputs, labels); or a function that returns them.
Batches = Iterable[Any] | Callable[[], Iterable[Any]]
NO_BATCH = "the data hold no batch; give a list, or a function that returns batches anew at every call"


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs (N, ...) float32 and their labels (N,), None where there are none."""

    x: Images
    labels: Labels | None

    def where(self, chosen: NDArray[np.bool_]) -> Samples:
        """The chosen samples, (N,) of them."""
        return Samples(self.x[chosen], None if self.labels is None else self.labels[chosen])

    def require_labels(self, purpose: str) -> Labels:
        """The labels. Raises InputError naming the purpose where there are none."""
        if self.labels is None:
            raise InputError(f"{purpose} needs labels, but the data have none; yield pairs (inputs, labels)")
        return self.labels


def read_batches(batches: Batches, shape: Shape) -> Iterator[Samples]:
    """Every batch as checked arrays.

    shape: of one sample. Raises InputError, naming the batch, for other shapes, values that are not finite, labels that
    are not integers (N,), and for no batch at all.
    """
    number = -1
    for number, batch in enumerate(batches() if callable(batches) else batches):
        yield _samples(f"batch {number}", batch, shape)
    if number < 0:
        raise InputError(NO_BATCH)


def first_shape(batches: Batches) -> tuple[Shape, Batches]:
    """(shape of the first batch, the same batches). Raises InputError where there is none."""
    if not callable(batches) and iter(batches) is batches:  # can be read once only
        first = next(batches, None)
        batches = chain([] if first is None else [first], batches)
    else:
        first = next(iter(batches() if callable(batches) else batches), None)
    if first is None:
        raise InputError(NO_BATCH)
    pair = isinstance(first, tuple | list) and len(first) == 2
    return _as_array("batch 0", first[0] if pair else first).shape, batches


def _samples(name: str, batch: Any, shape: Shape) -> Samples:
    pair = isinstance(batch, tuple | list) and len(batch) == 2
    x = _as_array(name, batch[0] if pair else batch).astype(np.float32)
    if x.shape[1:] != shape or not len(x):
        raise InputError(f"{name}: has the shape {x.shape} but the model takes (N, {', '.join(map(str, shape))}); "
                         "reshape it")
    if bad := int(np.count_nonzero(~np.isfinite(x))):
        raise InputError(f"{name}: {bad} of {x.size} values are nan or inf; remove them")
    return Samples(x, _labels(name, batch[1], len(x)) if pair else None)


def _labels(name: str, values: object, count: int) -> Labels:
    labels = _as_array(name, values)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise InputError(f"{name}: labels of shape {labels.shape} and type {labels.dtype} do not fit {count} inputs; "
                         f"give {count} class numbers")
    return labels.astype(np.int64)


def require_classes(labels: Labels, classes: int) -> None:
    """Raise InputError unless all labels are from 0 to classes - 1."""
    if bad := [int(label) for label in labels if not 0 <= label < classes]:
        raise InputError(f"a label is {bad[0]} but the network has {classes} scores; number the classes from 0 to "
                         f"{classes - 1}")


def _as_array(name: str, values: object) -> NDArray[Any]:
    """An array of numbers of a tensor or of anything that numpy reads."""
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name}: a {type(values).__name__} is not an array of numbers; yield arrays (N, ...) or "
                         "pairs (inputs, labels)")
    return array


def stored_batches(path: Path, size: int = 64) -> list[Any]:
    """Batches of a file: X.npy with inputs (N, ...), or X.npz with inputs `x` and, for accuracies, labels `y` (N,).

    Raises InputError for files that cannot be read or hold anything else.
    """
    try:
        content = read_bytes(path)
        if path.suffix == ".npy":
            arrays = {"x": npy_array(content)}
        else:
            arrays = {name.removesuffix(".npy"): npy_array(member) for name, member in npz_members(content).items()}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as samples ({error}); save them by numpy.save or "
                         "numpy.savez(path, x=..., y=...)") from None
    if not set(arrays) <= {"x", "y"} or "x" not in arrays:
        raise InputError(f"{path}: holds {', '.join(sorted(arrays)) or 'nothing'}; give inputs x and labels y")
    x, y = arrays["x"], arrays.get("y")
    starts = range(0, len(x) if x.ndim else 0, size)
    if y is not None and y.shape != (len(starts) and len(x),):
        raise InputError(f"{path}: labels of shape {y.shape} do not fit {len(x)} inputs; give one class number each")
    return [x[at : at + size] if y is None else (x[at : at + size], y[at : at + size]) for at in starts]


class FirstSamples:
    """Keeps the first samples of the batches that pass, up to a number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._kept: list[Samples] = []

    def add(self, batch: Samples) -> range:
        """Keep what is still wanted of a batch; the places of those among the kept."""
        have = sum(len(kept.x) for kept in self._kept)
        missing = self.number - have
        if missing > 0:
            self._kept.append(Samples(batch.x[:missing], None if batch.labels is None else batch.labels[:missing]))
        return range(have, have + min(max(missing, 0), len(batch.x)))

    def samples(self) -> Samples:
        """What was kept; with labels if all batches had them."""
        labels = [kept.labels for kept in self._kept if kept.labels is not None]
        complete = len(labels) == len(self._kept)
        return Samples(np.concatenate([kept.x for kept in self._kept]), np.concatenate(labels) if complete else None)
