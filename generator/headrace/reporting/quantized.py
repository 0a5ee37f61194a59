"""What `headrace quantize` said of a network, as far as the report of its build shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from headrace.atomic_files import write_json
from headrace.build_record import read_measured
from headrace.errors import InputError

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

    network: str
    rows: list[RowRecord]
    accuracy: dict[str, AccuracyRecord]


def keep_quantized(folder: Path, report: Path, sha256: str) -> None:
    """Put what a report of `headrace quantize` says into a build directory.

    sha256: of the network that was built. Raises InputError where it is no such report, or that of another network.
    """
    if not report.is_file():
        raise InputError(f"{report}: no such file; give the NAME.report.json that `headrace quantize` wrote")
    said = _read(report)
    if said["network"] != sha256:
        raise InputError(f"{report}: is of another network than {folder} was built from; give the report that lies "
                         "beside its .npz file")
    write_json(folder / QUANTIZED, said)


def quantized_beside(model: str, sha256: str) -> Path | None:
    """The report of `headrace quantize` beside a network that it wrote, if it is still that of the network."""
    report = Path(model).with_suffix(".report.json")
    if not model.endswith(".npz") or not report.is_file() or _read(report)["network"] != sha256:
        return None
    return report


def _read(report: Path) -> dict[str, Any]:
    return read_measured(report, QuantizedRecord, "headrace quantize")
