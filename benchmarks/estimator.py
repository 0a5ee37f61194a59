"""Fit the resource estimator: synthesize the sweep, find the factors of the structures, say how far estimates are off.

Writes the counts beside this file and the factors into the package; the same sweep gives the same bytes. A quarter of
the layers, chosen by a hash of their specs, is held back from the fit, and the errors are those on this quarter.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls

from benchmarks.drawn_layers import Spec
from benchmarks.sweep import layer_of, part_of, shell_specs, specs
from headrace.area.amounts import Amounts
from headrace.area.estimate import amounts, estimate
from headrace.area.factors import FACTORS, fitted
from headrace.area.shell import ShellPart
from headrace.board.family import ECP5, ZYNQ_7000
from headrace.cli.progress_bar import progress
from headrace.layers.base import Layer
from headrace.layers.weight_store import ROM, URAM
from headrace.layers.weighted import WeightedLayer
from headrace.memory import PRICES
from headrace.synthesis.designs import layer_design, library, shell_part_design
from headrace.synthesis.report import Request, synthesize_all
from headrace.synthesis.yosys import yosys_version

SWEEP = Path(__file__).with_name("sweep.json")
#: Families by the name of their target: where the counts lie, and how many layers of the sweep are counted.
SWEEPS = {"xcup": (SWEEP, 1), "xc7": (Path(__file__).with_name("sweep_xc7.json"), 2),
          "ecp5": (Path(__file__).with_name("sweep_ecp5.json"), 4)}
PRICES_OF = {"xcup": PRICES, "xc7": ZYNQ_7000.prices, "ecp5": ECP5.prices}
_AREA = Path(__file__).parents[1] / "generator" / "headrace" / "area"
FACTORS_FILE = _AREA / FACTORS["xcup"]
#: Kept between runs: what did not change is not synthesized again.
CACHE = Path("build/sweep-cache")
#: Counts that are fitted, and those that rules fix.
FITTED, FIXED = ("lut", "ff"), ("bram18", "uram", "dsp", "lutram")
#: Pull of every factor towards 1 or its default, where structures cost what they are built of; as of a relative error.
#: Cross-validation over the layers of the fit is flat around it.
_PULL = 0.25
#: The same towards a default that is observed.
_WEAK_PULL = 0.1
#: Errors beyond this weigh less and less, so that a few odd layers do not spoil the others.
_COMMON_ERROR = 0.02
_ROUNDS = 12
_DIGITS = 4

Floats = NDArray[np.float64]


def split(sweep: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The layers that are fitted, and the quarter that is held back: that of the lowest hashes of the specs."""
    ranked = sorted(sweep, key=lambda layer: _digest(layer["spec"]))
    quarter = len(ranked) // 4
    return ranked[quarter:], ranked[:quarter]


def _digest(spec: Spec) -> str:
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


def load_sweep(path: Path = SWEEP) -> list[dict[str, Any]]:
    """Layers as {"spec": ..., "resources": counts}, with "core" where one was chosen when they were counted."""
    layers: list[dict[str, Any]] = json.loads(path.read_text())["layers"]
    return layers


def counted_layer(entry: dict[str, Any]) -> Layer | ShellPart:
    """The layer of an entry as it was counted: factors that are fitted to it must not choose it another core."""
    prices = PRICES_OF[entry.get("family", "xcup")]
    if part := part_of(entry["spec"]):
        return part.priced(prices)
    layer = layer_of(entry["spec"]).priced(prices)
    core = entry.get("core")
    return replace(layer, core=core) if core and isinstance(layer, WeightedLayer) and layer.storage == ROM else layer


def errors(sweep: Sequence[dict[str, Any]]) -> dict[str, Floats]:
    """Estimates relative to counts, less 1, of LUTs, of LUTs with those of memories, and of flip-flops."""
    found = [(estimate(counted_layer(layer)), layer["resources"]) for layer in sweep]
    pairs = {
        "lut": [(ours.lut, counted["lut"]) for ours, counted in found],
        "all_luts": [(ours.all_luts, counted["lut"] + counted["lutram"]) for ours, counted in found],
        "ff": [(ours.ff, counted["ff"]) for ours, counted in found],
    }
    return {name: np.array([ours / max(1, counted) - 1 for ours, counted in values]) for name, values in pairs.items()}


def drawn(family: str) -> list[Spec]:
    """What is counted of a family: layers that it can have, and with a processor the parts of the shell."""
    layers = specs()[:: SWEEPS[family][1]]
    if family == "xc7":
        layers = [spec for spec in layers if spec.get("storage") != URAM]
    return layers if family == "ecp5" else [*layers, *shell_specs()]


def synthesize_sweep(family: str = "xcup", jobs: int = 1) -> list[dict[str, Any]]:
    """Counts of all layers of the sweep, or of every so-many-th for a family that has fewer; so many at a time.

    Each is counted by itself, for the mapper finds something else where other modules stand beside it.
    """
    prices = PRICES_OF[family]
    sources, wanted = library(prices=prices), drawn(family)
    layers = [(part_of(spec) or layer_of(spec)).priced(prices) for spec in wanted]
    designs = [shell_part_design(layer, sources) if isinstance(layer, ShellPart) else layer_design(layer, sources)
               for layer in layers]
    with progress() as tell:
        done = synthesize_all(designs, Request(jobs=jobs, cache=CACHE), tell, [spec["kind"] for spec in wanted],
                              [estimate(layer).all_luts for layer in layers])
    named = {} if family == "xcup" else {"family": family}
    return [{"spec": spec, **({"core": layer.chosen_core} if isinstance(layer, WeightedLayer) else {}), **named,
             "resources": found.record()} for spec, layer, found in zip(wanted, layers, done, strict=True)]


def fit(sweep: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Factors of the structures by count, from the layers that are not held back.

    Structures cost what they are built of, or for other LUTs a common multiple of it, the "default"; those of Zynq-7000
    what was fitted to UltraScale+, whose LUTs they are, where its sweep does not say otherwise.
    """
    seen, _ = split(sweep)
    found = [amounts(counted_layer(layer)) for layer in seen]
    counted = {count: [layer["resources"][count] for layer in seen] for count in FITTED}
    centres = {count: _centre(found, counted[count], count) if any("family" in layer for layer in seen) else 1.0
               for count in FITTED}
    alike: dict[str, Any] = fitted("xcup") if any(layer.get("family") == "xc7" for layer in seen) else {}
    factors = {count: {**alike.get(count, {}), **_factors(found, counted[count], count, centres[count],
                                                          alike.get(count, {}))} for count in FITTED}
    return factors | ({"default": centres} if set(centres.values()) != {1.0} else {})


def _centre(found: Sequence[Amounts], counted: Sequence[int], count: str) -> float:
    """The median of what is counted relative to what layers are built of."""
    built = [sum(getattr(cost, count) for cost in item.costs.values()) for item in found]
    return round(float(np.median([have / of for have, of in zip(counted, built, strict=True) if of])), _DIGITS)


def _factors(found: Sequence[Amounts], counted: Sequence[int], count: str, centre: float,
             alike: Mapping[str, float]) -> dict[str, float]:
    """Non-negative least squares of relative errors, reweighted so that large errors count about linearly.

    They are pulled to those of a family that is alike, where it has the structure, else to the centre.
    """
    names = sorted({name for item in found for name, cost in item.costs.items() if getattr(cost, count)})
    measured = np.maximum(1, np.array(counted, float))
    shares = np.array([[getattr(item.costs[name], count) if name in item.costs else 0.0 for name in names]
                       for item in found]) / measured[:, None]
    targets = np.array(counted, float) / measured
    pull, weights = (_PULL if centre == 1.0 or alike else _WEAK_PULL) * np.eye(len(names)), np.ones(len(targets))
    wanted = pull @ np.array([alike.get(name, centre) for name in names])
    factors = np.ones(len(names))
    for _ in range(_ROUNDS):
        rows = np.vstack([shares * weights[:, None], pull])
        factors, _rest = nnls(rows, np.concatenate([targets * weights, wanted]))
        weights = np.sqrt(_COMMON_ERROR / np.maximum(np.abs(shares @ factors - targets), _COMMON_ERROR))
    return {name: round(float(factor), _DIGITS) for name, factor in zip(names, factors, strict=True)}


def error_record(sweep: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median and 90th percentile of the errors' sizes on the layers that were held back."""
    found = errors(split(sweep)[1])
    return {name: {"median": round(float(np.median(np.abs(values))), _DIGITS),
                   "percentile_90": round(float(np.quantile(np.abs(values), 0.9)), _DIGITS)}
            for name, values in found.items()}


def inexact(sweep: Sequence[dict[str, Any]]) -> list[tuple[Spec, str, int, int]]:
    """Where a rule is wrong: spec, count, estimate and what synthesis found."""
    wrong = []
    for layer in sweep:
        ours = estimate(counted_layer(layer))
        wrong += [(layer["spec"], count, getattr(ours, count), layer["resources"][count]) for count in FIXED
                  if getattr(ours, count) != layer["resources"][count]]
    return wrong


def write_factors(factors: dict[str, Any], family: str = "xcup") -> None:
    """Where the estimator reads them."""
    (_AREA / FACTORS[family]).write_text(json.dumps(factors, indent=1) + "\n")


def _table(family: str, record: dict[str, dict[str, float]]) -> Table:
    table = Table("count", "median error", "90 % within", title=f"{family}: errors on the layers held back")
    for name, values in record.items():
        table.add_row(name, f"{values['median']:.1%}", f"{values['percentile_90']:.1%}")
    return table


def refit(family: str, console: Console) -> None:
    """Fit the factors of a family to its counts and print how far they are off."""
    sweep = load_sweep(SWEEPS[family][0])
    factors: dict[str, Any] = fit(sweep)
    write_factors(factors | {"error": {}}, family)
    fitted.cache_clear()
    record = error_record(sweep)
    write_factors(factors | {"error": record}, family)
    console.print(_table(family, record))
    for spec, count, ours, found in inexact(sweep):
        console.print(f"{count}: {ours} instead of {found}: {json.dumps(spec)}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--keep-sweep", action="store_true", help="fit to the counts that are there")
    parser.add_argument("--family", nargs="+", choices=SWEEPS, default=["xcup"],
                        help="whose cells are counted (default xcup)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at a time (default %(default)s)")
    options = parser.parse_args(arguments if arguments is not None else [])
    console = Console()
    for family in sorted(options.family, key=list(SWEEPS).index):  # the factors of xc7 are pulled to those of xcup
        if not options.keep_sweep:
            lines = ",\n".join(json.dumps(layer) for layer in synthesize_sweep(family, options.jobs))
            SWEEPS[family][0].write_text(f'{{"yosys": {json.dumps(yosys_version())}, "layers": [\n{lines}\n]}}\n')
        refit(family, console)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
