"""`headrace compare`: a model's own framework in float32 against the exact integers, on data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from headrace.accuracy import Labels, accuracy, require_labels
from headrace.difference.report import Cause, Difference, QuantizerDifference
from headrace.engines.host import Samples
from headrace.errors import InputError, ToolError
from headrace.progress import Progress, silent
from headrace.samples import GivenSamples, count_of, some_of
from headrace.simulation.remaining import remaining
from headrace.sources import call, function_from_file

#: Samples that are compared at once.
CHUNK = 32


@dataclass(frozen=True, eq=False)
class Compared:
    """The difference on all samples, and the accuracies of both where there are labels."""

    difference: Difference
    accuracy: dict[str, float] | None

    def json(self) -> dict[str, Any]:
        """The result as JSON has it; counts are codes of quantizers."""
        quantizers = self.difference.quantizers
        counts = {cause: sum(item.causes[cause] for item in quantizers) for cause in Cause}
        return {
            "samples": self.difference.samples, "codes": sum(item.compared for item in quantizers),
            "codes_different": sum(counts.values()), "ties": counts[Cause.TIE],
            "cancellations": counts[Cause.CANCELLATION], "float32_rounding": counts[Cause.ROUNDING],
            "inherited": counts[Cause.INHERITED], "unexplained": counts[Cause.ERROR],
            "explained": self.difference.explained, "first_difference": _first(self.difference.first),
            "output": {"largest_difference": self.difference.output_max,
                       "unexplained": self.difference.output_errors,
                       "decisions_different": self.difference.decisions_changed},
            "accuracy": self.accuracy,
        }

    def __repr__(self) -> str:
        found = self.json()
        says = "all explained" if found["explained"] else "NOT all explained"
        return (f"Compared({found['samples']} samples: {found['codes_different']} of {found['codes']} codes differ, "
                f"{says})")

    def summary(self) -> str:
        """Every quantizer and the outputs in plain text."""
        return str(self)

    def __str__(self) -> str:
        lines = [str(self.difference)]
        if self.accuracy is not None:
            framework, exact = (f"{100 * self.accuracy[name]:.2f} %" for name in ("framework", "exact"))
            lines.append(f"accuracy: {framework} of the framework, {exact} of the exact integers")
        return "\n".join(lines)


def _first(found: QuantizerDifference | None) -> dict[str, Any] | None:
    if found is None or found.first is None:
        return None
    code = found.first
    return {"layer": found.quantizer, "tensor": found.tensor, "codes_different": found.differing,
            "codes": found.compared, "sample": code.sample, "position": list(code.position),
            "framework": code.framework_code, "exact": code.integer_code, "cause": code.cause.value,
            "distance": code.distance, "allowed": code.allowed}


def compare_model(source: object, x: GivenSamples, labels: Labels | None = None,
                  progress: Progress = silent) -> Compared:
    """Compare on samples x (N, ...), of several inputs by name; labels (N,) are classes.

    source: a torch module, or a text that names an .onnx file or `file.py:function`.

    Raises InputError for a model without a framework and for data that do not fit, ToolError where the framework is
    not installed, and what reading the model raises.
    """
    if not (count := count_of(x)):
        raise InputError("the input holds no samples; give it some")
    x = _as_arrays(x)
    if labels is not None:
        require_labels(labels, count)
    run, done = _comparer(source, x), remaining(f"comparing {count} samples", progress)
    parts = []
    for at in range(0, count, CHUNK):
        parts.append(_moved(run(some_of(x, at, at + CHUNK)), at))
        done(min(count, at + CHUNK) / count)
    difference = reduce(_joined, parts)
    return Compared(difference, None if labels is None else _accuracies(difference, labels))


def _as_arrays(x: GivenSamples) -> Samples:
    if isinstance(x, Mapping):
        return {name: np.asarray(part, np.float32) for name, part in x.items()}
    return np.asarray(x, np.float32)


def _comparer(source: object, x: Samples) -> Callable[[Samples], Difference]:
    """What compares a batch of samples like x, for the kind of the model."""
    if not isinstance(source, (str, Path)):
        return _module_comparer(type(source).__name__, source, x)
    spec = str(source)
    path, colon, function = spec.rpartition(":")
    if spec.endswith(".onnx"):
        from headrace.difference import onnx_difference  # the file is run by packages that need not be there

        return onnx_difference.comparer(Path(spec), x)
    if not (colon and path.endswith(".py")):
        raise InputError(f"{spec}: has no framework to compare with; pass an .onnx file or file.py:function")
    made = call(spec, function_from_file(Path(path), function))
    return _module_comparer(spec, made[0] if isinstance(made, tuple) and made else made, x)


def _module_comparer(name: str, module: object, x: Samples) -> Callable[[Samples], Difference]:
    try:
        from headrace.difference import difference
    except ImportError as error:
        raise ToolError(f"running a module needs {error.name}, which is not installed; "
                        "run pip install 'headrace[torch]'") from None
    return difference.comparer(name, module, x)


def _moved(difference: Difference, by: int) -> Difference:
    """A difference whose samples stand behind `by` others."""
    quantizers = tuple(replace(item, first=item.first and replace(item.first, sample=item.first.sample + by))
                       for item in difference.quantizers)
    return replace(difference, quantizers=quantizers)


def _joined(left: Difference, right: Difference) -> Difference:
    """The difference on the samples of both."""
    pairs = zip(left.quantizers, right.quantizers, strict=True)
    return Difference(
        left.samples + right.samples, tuple(_both(*pair) for pair in pairs), max(left.output_max, right.output_max),
        left.output_errors + right.output_errors, left.decisions_changed + right.decisions_changed,
        np.concatenate([left.framework, right.framework]), np.concatenate([left.exact, right.exact]))


def _both(left: QuantizerDifference, right: QuantizerDifference) -> QuantizerDifference:
    causes = {cause: left.causes[cause] + right.causes[cause] for cause in Cause}
    firsts = [item.first for item in (left, right) if item.first is not None]
    first = next((item for item in firsts if item.cause is Cause.ERROR), firsts[0] if firsts else None)
    return replace(left, compared=left.compared + right.compared, causes=causes, first=first)


def _accuracies(difference: Difference, labels: Labels) -> dict[str, float]:
    return {"framework": accuracy(difference.framework, labels), "exact": accuracy(difference.exact, labels)}

