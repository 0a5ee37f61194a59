"""The command `headrace predict`: samples through an engine, part by part, and the accuracy where there are labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from headrace.accuracy import accuracy, keep_accuracy, read_labels, require_labels
from headrace.atomic_files import require_writable_file, write_file
from headrace.build_folder import RECORD, Build
from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.engines.host import Samples
from headrace.errors import InputError
from headrace.model import Model, load
from headrace.progress import Progress
from headrace.samples import checked_samples, count_of, read_samples, require_output_file, samples_file, some_of
from headrace.simulation.remaining import remaining

#: Samples that go through an engine at once, at least, and parts, at most.
_AT_ONCE, _PARTS = 64, 50


def run_predict(options: argparse.Namespace) -> int:
    """Write the outputs, and print the accuracy."""
    require_output_file(options.output, ())
    require_writable_file(options.output)
    samples = read_samples(options.input)
    labels = None if options.labels is None else read_labels(options.labels)
    if labels is not None:
        require_labels(labels, count_of(samples))
    with progress() as tell:
        tell(f"loading {options.model}")
        source = _build_or_model(Path(options.model), options)
        hosts = (source.model if isinstance(source, Build) else source).integer
        names = tuple(host.name for host in hosts.host_outputs)
        require_output_file(options.output, names)
        y = _in_parts(source, checked_samples(hosts.host_inputs, samples), options, tell)
    write_file(options.output, samples_file(options.output, names, y))
    if labels is not None:
        _tell_accuracy(source, options.engine, accuracy(y, labels), len(labels))
    return 0


def _in_parts(source: Build | Model, samples: Samples, options: argparse.Namespace, tell: Progress) -> Any:
    """The outputs for all samples; `tell` hears how many are through."""
    count = count_of(samples)
    size = max(_AT_ONCE, -(-count // _PARTS))
    done = remaining(f"{count} samples through the engine {options.engine}", tell)
    parts = []
    for at in range(0, count, size):
        parts.append(source.predict(some_of(samples, at, at + size), engine=options.engine, raw=options.raw))
        done(min(count, at + size) / count)
    if isinstance(parts[0], dict):
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(parts)


def _tell_accuracy(source: Build | Model, engine: str, found: float, samples: int) -> None:
    """Print how many samples are classified rightly; a build keeps it for its report."""
    tables.say(f"accuracy of the engine {engine} on {samples} samples: {found:.2%}")
    if isinstance(source, Build):
        keep_accuracy(source.folder, engine, {"samples": samples, "accuracy": found})


def _build_or_model(folder: Path, options: argparse.Namespace) -> Build | Model:
    """What predicts: a build directory, or any model. Raises InputError for kernels of a build, which has its own."""
    if not (folder / RECORD).is_file():
        return load(options.model, kernels=options.kernels)
    if options.kernels is not None:
        raise InputError(f"{folder}: was built with its kernels; leave --kernels out")
    return Build.open(folder)
