"""build.json and the records of measurements beside it, read and checked whole, before anything is made of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

from headrace.bounded_reading import read_json
from headrace.check_types import conforms
from headrace.errors import InputError
from headrace.version import headrace_version

RECORD = "build.json"
#: What resources are counted in; those of a layer or of all.
Counts = dict[Literal["lut", "ff", "bram18", "uram", "dsp", "lutram"], int]


class LayerRecord(TypedDict):
    """A layer of build.json, as far as anybody reads it."""

    name: str
    kind: str
    cycles: int
    resources: Counts
    core: NotRequired[str]
    weight_bits: NotRequired[int]


class FifoRecord(TypedDict):
    """A FIFO of build.json."""

    name: str
    depth: int
    bits: int
    smallest_depth: int


class StreamRecord(TypedDict):
    """A stream of the C++ in build.json."""

    name: str
    depth: int
    bits: int


class HostWordsRecord(TypedDict):
    """Bytes of the words on the DMA's side; see board.host_words.HostWords."""

    input: int
    output: int


class RecipeRecord(TypedDict):
    """All that decides which hardware a network becomes; see design.Recipe."""

    folding: dict[str, dict[str, int]]
    cores: dict[str, str]
    writable: dict[str, Literal["ram", "uram"]]
    external: list[str]
    depths: dict[str, int]
    prices: NotRequired[dict[Literal["block", "ram_block", "dsp", "lut_inputs", "primitives"], int | bool]]
    buffers: NotRequired[list[str]]


class DeviceRecord(TypedDict):
    """The board of a build; see board.Board."""

    name: str
    title: str
    part: str
    board_part: str
    lut: int
    ff: int
    bram36: int
    uram: int
    dsp: int
    board_connections: str
    clock_pin: str
    oscillator_mhz: int
    tx_pin: str
    rx_pin: str
    loader: str


class EndRecord(TypedDict):
    """An input or output of the model: its name and its shape without the batch."""

    name: str
    shape: list[int]


class ComparisonRecord(TypedDict):
    """What a back end was compared in, and with how many vectors; where: not there for this machine."""

    compared: str
    vectors: int
    where: NotRequired[str]


class BoundRecord(TypedDict):
    """The layer that keeps a board from being faster, and its cycles per frame."""

    name: str
    cycles_per_frame: int


class BuildRecord(TypedDict):
    """build.json, as far as anybody reads it."""

    headrace: str
    model: str
    source_sha256: str
    backend: Literal["rtl", "hls", "both"]
    board: str
    family: str | None
    device: DeviceRecord
    clock_mhz: float
    verified: bool
    verified_by: dict[str, ComparisonRecord]
    vectors: int
    asked: str
    board_bound: BoundRecord | None
    fits: bool
    recipe: RecipeRecord
    not_verified: list[str]
    cycles_per_frame: int
    latency_cycles: int
    fps: float
    folding: dict[str, dict[str, int]]
    bottleneck: str
    stopped_by: str
    inputs: list[EndRecord]
    outputs: list[EndRecord]
    cores: dict[str, str]
    writable: dict[str, Literal["ram", "uram"]]
    external: list[str]
    host_words: HostWordsRecord
    resources: Counts
    resources_error: dict[str, dict[str, float]]
    layers: list[LayerRecord]
    fifos: list[FifoRecord]
    #: Convolutions with padded channels: how many before, and after.
    padded: NotRequired[dict[str, list[int]]]
    hls_cycles_per_frame: NotRequired[int]
    hls_latency_cycles: NotRequired[int]
    hls_streams: NotRequired[list[StreamRecord]]
    #: What the tools of the vendor gave; see `headrace bitstream`.
    bitstream: NotRequired[dict[str, Any]]
    out_of_context: NotRequired[dict[str, Any]]


class SimRecord(TypedDict, total=False):
    """sim.json, as far as anybody reads it."""

    frames: int
    stalls: str
    seed: int
    bit_exact: bool
    mismatch: str | None
    cycles_per_frame: int | None
    latency_cycles: int
    fifo_max_occupancy: dict[str, int]


class _Counter(TypedDict, total=False):
    """Who counted."""

    yosys: str


class SynthRecord(_Counter):
    """synth.json, as far as anybody reads it; `depth` is that of the logic."""

    total: dict[Literal["lut", "ff", "bram18", "uram", "dsp", "lutram", "depth"], int]
    layers: list[dict[Literal["name", "kind", "lut", "ff", "bram18", "uram", "dsp", "lutram", "depth"], int | str]]


def read_record(folder: Path) -> BuildRecord:
    """build.json of a build directory.

    Raises InputError for a folder that is none, a record of another version of headrace, and a damaged one.
    """
    path = folder / RECORD
    try:
        record = read_json(path)
    except OSError:
        raise InputError(f"{folder}: is not a build directory (it has no {RECORD}); "
                         "make one with `headrace build MODEL --out DIR`") from None
    except ValueError:
        record = None
    built_by = record.get("headrace") if isinstance(record, dict) else None
    if isinstance(built_by, str) and built_by != headrace_version():
        raise InputError(f"{folder}: was built by headrace {built_by} but this is {headrace_version()}; build again")
    if not conforms(record, BuildRecord) or not _is_sound(record):
        raise InputError(f"{path}: is damaged; build again")
    return record


def _is_sound(record: BuildRecord) -> bool:
    """True if the numbers can be those of a build, the device has no more than a board, and the hash is one."""
    rates = all(math.isfinite(rate) and rate > 0 for rate in (record["clock_mhz"], record["fps"]))
    words = record["host_words"]
    counts = min(record["cycles_per_frame"], words["input"], words["output"]) > 0
    counts = counts and min(record["vectors"], record["latency_cycles"]) >= 0
    counts = counts and record["verified"] == (record["vectors"] > 0)
    known = record["device"].keys() <= DeviceRecord.__annotations__.keys()
    return rates and counts and known and re.fullmatch(r"[0-9a-f]{1,64}", record["source_sha256"]) is not None


def verdict(record: Mapping[str, Any]) -> str:
    """What was compared with the golden model, in words."""
    if record["verified"]:
        return f"{record['vectors']} vectors bit-exact"
    if not (by := record["verified_by"]):
        return "not verified"
    return f"not verified as a whole, {min(item['vectors'] for item in by.values())} vectors bit-exact layer by layer"


def read_measured(path: Path, kind: Any, command: str) -> dict[str, Any]:
    """A record that `command` may not have written yet, empty then. Raises InputError for a damaged one."""
    try:
        found = read_json(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        found = None
    if not conforms(found, kind):
        raise InputError(f"{path}: is damaged; remove it, or run `{command}` again")
    measured: dict[str, Any] = found
    return measured
