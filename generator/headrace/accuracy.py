"""Shares of samples that are classified rightly, and what a build directory keeps of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from headrace.atomic_files import write_json
from headrace.build_record import read_measured
from headrace.errors import InputError
from headrace.samples import read_samples

RECORD = "accuracy.json"
Labels = NDArray[np.int64]


class AccuracyRecord(TypedDict):
    """What one engine reached: a share of 1, and of how many samples."""

    samples: int
    accuracy: float


def read_labels(path: Path) -> Labels:
    """Classes (N,) from a .npy file. Raises InputError for anything else."""
    given = read_samples(path)
    if not isinstance(given, np.ndarray):
        raise InputError(f"{path}: holds several arrays where classes are one; save them with numpy.save")
    labels = given.reshape(-1).astype(np.int64)
    if np.any(labels != given.reshape(-1)):
        raise InputError(f"{path}: holds values that are not classes; give whole numbers")
    return labels


def require_labels(labels: Labels, count: int) -> None:
    """Raise InputError unless there is one class for each of so many samples."""
    if labels.shape != (count,):
        raise InputError(f"the labels have shape {labels.shape} but there are {count} samples; give one class each")


def accuracy(outputs: Any, labels: Labels) -> float:
    """Share of samples whose largest score, or whose only output as an index, is the label.

    outputs: (N, ...). Raises InputError for several outputs, for one that is not a class, and where the counts differ.

    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    if isinstance(outputs, dict):
        raise InputError(f"the model has the outputs {', '.join(outputs)}, and classes are of one; leave --labels out")
    require_labels(labels, len(outputs))
    scores = outputs.reshape(len(outputs), -1)
    if scores.shape[1] not in outputs.shape[1:]:
        raise InputError(f"the model gives {outputs.shape[1:]} values, which are not scores of classes; "
                         "leave --labels out")
    if scores.shape[1] > 1:
        return float(np.mean(scores.argmax(1) == labels))
    if np.any(scores != np.rint(scores)):
        raise InputError("the model gives one score, which is not a class; leave --labels out")
    return float(np.mean(scores[:, 0] == labels))


def keep_accuracy(folder: Path, engine: str, found: AccuracyRecord) -> None:
    """Write what an engine reached into a build directory, beside what the others did."""
    write_json(folder / RECORD, kept_accuracies(folder) | {engine: found})


def kept_accuracies(folder: Path) -> dict[str, Any]:
    """What was measured of a build, by engine. Raises InputError for a damaged file."""
    return read_measured(folder / RECORD, dict[str, AccuracyRecord], "headrace predict --labels")
