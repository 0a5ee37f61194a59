"""What quantization did, as a table, as JSON and as a plot."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from headrace.datatypes import DataType
from headrace.network.ops import FloatArray
from headrace.quantizing.api import Quantized
from headrace.quantizing.choose import Trial
from headrace.quantizing.measure import Row
from headrace.quantizing.mixed import Mixture
from headrace.quantizing.settings import Settings
from headrace.reporting.distributions import Panel, distributions_svg
from headrace.reporting.view import View
from headrace.serialize import digest


def quantization_json(result: Quantized) -> dict[str, Any]:
    """The hash of the network, settings, rows and accuracies; SQNR without error or signal is null."""
    return {"network": digest(result.network), "settings": asdict(result.settings),
            "accuracy": {name: asdict(a) for name, a in result.accuracy.items()},
            "evaluations": result.evaluations, "mixture": _mixture(result.mixture),
            "trials": [asdict(trial) for trial in result.trials],
            "rows": [{key: _finite(value) for key, value in asdict(row).items()} for row in result.rows]}


def _mixture(mixture: Mixture | None) -> dict[str, Any] | None:
    """What was chosen for the low width, in rank order."""
    if mixture is None:
        return None
    names = [[name for item in items for name in item.names] for items in (mixture.order, mixture.low)]
    return {"order": names[0], "low": names[1], "trace": mixture.trace, "evaluations": mixture.evaluations,
            "cycles": mixture.cycles}


def _finite(value: object) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def quantization_view(result: Quantized) -> View:
    """One row for the weights of every layer and for every tensor."""
    columns = ("name", "part", "bits", "frac_bits", "zero point", "q", "SQNR predicted", "measured", "saturated")
    remarks = [f"{result.evaluations} networks evaluated"] if result.evaluations else []
    if result.mixture:
        remarks.append(f"{len(result.mixture.low)} of {len(result.mixture.order)} at the low width")
    return View(f"{result.settings.method}: {_accuracies(result)}", columns, tuple(map(_cells, result.rows)),
                tuple(remarks))


def _cells(row: Row) -> tuple[str, ...]:
    return (row.name, row.part, f"{'' if row.signed else 'u'}{row.bits}", _frac_bits(row), str(row.zero_point),
            f"{row.q:.4g}", f"{row.predicted_sqnr_db:.1f} dB", f"{row.measured_sqnr_db:.1f} dB",
            f"{row.saturation:.2%}")


#: Points of accuracy from which a loss is much.
MUCH = 1.0


def trials_view(trials: tuple[Trial, ...]) -> View:
    """The methods that were compared."""
    return View("on samples that were held back", ("method", "accuracy", "SQNR of the scores", ""), tuple(
        (trial.name, "" if trial.accuracy is None else f"{trial.accuracy:.2%}", f"{trial.sqnr_db:.1f} dB",
         "taken" if trial.chosen else "") for trial in trials))


def last_lines(result: Quantized, out: Path) -> list[str]:
    """Accuracies, what to try where much is lost, and the next command."""
    lines = [f"accuracy on {a.samples} {name} samples: {a.float_network:.2%} in float, {a.quantized:.2%} quantized"
             for name, a in result.accuracy.items()]
    lost = max((100 * (a.float_network - a.quantized) for a in result.accuracy.values()), default=0.0)
    if lost > MUCH:
        lines.append(f"{lost:.1f} points are lost; to lose less: {'; '.join(_advice(result.settings))}")
    return [*lines, f"next: headrace build {out} --out {out.with_suffix('')}"]


def _advice(settings: Settings) -> list[str]:
    """What may mend a loss, the cheapest first."""
    tried_best = settings.method in ("ptq", "affine+qat")
    return [*([] if tried_best else ["--method auto"]),
            *(["--edge-bits 8"] if settings.edge_bits is None and settings.mixed is None else []),
            *([f"--mixed {settings.weight_bits},8"] if settings.mixed is None and settings.weight_bits < 8 else []),
            *([f"--act-bits {min(8, settings.act_bits + 2)}"] if settings.act_bits < 8 else []),
            *([] if settings.method == "affine+qat" else ["--method affine+qat with labelled training data"])]


def _accuracies(result: Quantized) -> str:
    texts = [f"accuracy on {a.samples} {name} samples {a.float_network:.2%} in float, {a.quantized:.2%} quantized"
             for name, a in result.accuracy.items()]
    return "; ".join(texts) or "no labels, so no accuracy"


def _frac_bits(row: Row) -> str:
    """A number, the range of those of the channels, or the scale where it is not a power of two."""
    if row.frac_bits is None:
        return f"scale {row.scale:.4g}"
    if isinstance(row.frac_bits, int):
        return str(row.frac_bits)
    return f"{min(row.frac_bits)} to {max(row.frac_bits)}"


def quantization_svg(result: Quantized) -> str:
    """The distribution of every layer's weights and of every tensor with the values of its codes."""
    return distributions_svg([_panel(result, row) for row in result.rows])


def _panel(result: Quantized, row: Row) -> Panel:
    title = f"{row.name} {row.part}, {row.bits} bits, {row.measured_sqnr_db:.1f} dB"
    if row.part == "weights":
        weight = result.candidate.plan.weights[row.name]
        values = result.candidate.net.layers[row.name].weights.reshape(-1)
        return Panel(title, values, np.ones_like(values), _levels(weight.dtype, 0, float(weight.scale.max())))
    op = result.candidate.plan.tensors[row.name]
    return Panel(title, *result.tensors[row.name].samples(), _levels(op.dtype, op.zero_point, row.scale))


def _levels(dtype: DataType, zero_point: int, scale: float) -> FloatArray:
    return np.asarray((np.arange(dtype.lo, dtype.hi + 1) - zero_point) * scale, np.float64)
