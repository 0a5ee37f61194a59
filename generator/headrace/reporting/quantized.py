"""What `headrace quantize` said of a network, as far as the report of its build shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from headrace.errors import InputError
from headrace.record import read_measured
from headrace.staging import write_json

QUANTIZED = "quantized.json"


class AccuracyRecord(TypedDict):
    """Shares of samples that are classified rightly."""

    samples: int
    float_network: float
    quantized: float


class RowRecord(TypedDict):
    """The weights of a layer, or a tensor. frac_bits: None where the scale is not a power of two; or by channel."""

    name: str
    part: str
    bits: int
    signed: bool
    frac_bits: int | list[int] | None
    scale: float | None
    measured_sqnr_db: float | None
    saturation: float | None


class QuantizedRecord(TypedDict):
    """NAME.report.json of `headrace quantize`, as far as anybody reads it."""

    rows: list[RowRecord]
    accuracy: dict[str, AccuracyRecord]


def keep_quantized(folder: Path, report: Path) -> None:
    """Put what a report of `headrace quantize` says into a build directory. Raises InputError where it is none."""
    if not report.is_file():
        raise InputError(f"{report}: no such file; give the NAME.report.json that `headrace quantize` wrote")
    write_json(folder / QUANTIZED, read_measured(report, QuantizedRecord, "headrace quantize"))
