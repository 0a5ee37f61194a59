"""Folding: PE and SIMD of every layer, from a target rate or from the user's file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from generator.dataflow.graph import Dataflow, Placed
from generator.errors import FoldingError, InputError, divisors
from generator.layers import Vvtu
from generator.layers.base import Layer
from generator.passes.insert_fifos import fifo_places

#: Folds by layer name, and depths by FIFO name: {"conv0": {"pe": 4, "simd": 9}, "add4_fifo1": {"depth": 200}}.
Folding = Mapping[str, Mapping[str, int]]

DEFAULT_CYCLES_PER_FRAME = 100_000


def load_folding(path: Path) -> Folding:
    """Read a folding file: a JSON object {layer: {"pe": int, "simd": int}, fifo: {"depth": int}}; keys may be left out.

    Raises InputError where it cannot be read or says something else.
    """
    try:
        folding = json.loads(path.read_text())
    except OSError:
        raise InputError(f"{path}: the folding file cannot be read; check the path") from None
    except ValueError as error:
        raise InputError(f"{path}: the folding file is no JSON ({error}); write {{\"conv0\": {{\"pe\": 2}}}}") from None
    legal = isinstance(folding, dict) and all(
        isinstance(folds, dict) and all(type(fold) is int for fold in folds.values()) for folds in folding.values())
    if not legal:
        raise InputError(f"{path}: a folding file maps layers to whole numbers; write {{\"conv0\": {{\"pe\": 2}}}}")
    return folding  # type: ignore[no-any-return]  # checked above


def solve_folding(dataflow: Dataflow, cycles_per_frame: int, given: Folding | None = None) -> Folding:
    """The least PE * SIMD per layer at no more than `cycles_per_frame`; the folds in `given` are kept.

    dataflow: as lowered, PE = SIMD = 1. Among equal products the fewest PE win: each costs an accumulator and its
    thresholds. Data movers take their neighbour's lanes where that is fast enough, which saves a width converter.
    Raises FoldingError naming the layer that cannot reach the target, and for unknown layers, folds and illegal values.
    """
    depths = given_depths(given or {})
    _check_names(dataflow, given or {})
    given = {name: folds for name, folds in (given or {}).items() if name not in depths}
    _require_reachable(dataflow, given, cycles_per_frame)
    folding: dict[str, dict[str, int]] = {}
    windows = _depthwise_windows(dataflow)
    for item in sorted(dataflow.placed, key=lambda item: len(item.layer.fold_sizes), reverse=True):
        layer = item.layer
        if layer.fold_sizes:
            fixed = dict(given.get(layer.name, {}))
            if layer in windows.values():  # its order of words is that of its reader's channels
                reader = next(name for name, window in windows.items() if window is layer)
                fixed["simd"] = folding[reader]["pe"]
            wishes = _neighbour_lanes(dataflow, item, folding)
            folding[layer.name] = _cheapest(layer, fixed, cycles_per_frame, wishes, windows.get(layer.name))
    chosen = {layer.name: folding[layer.name] for layer in dataflow.layers if layer.name in folding}
    return chosen | {name: {"depth": depth} for name, depth in depths.items()}


def given_depths(folding: Folding) -> dict[str, int]:
    """The depths of FIFOs in a folding, by name."""
    return {name: folds["depth"] for name, folds in folding.items() if "depth" in folds}


def folding_target(dataflow: Dataflow, given: Folding) -> int:
    """Cycles per frame of the slowest layer that `given` folds: the pace that the others need not beat."""
    _check_names(dataflow, given)
    return max((replace_folds(layer, given[layer.name]).cycles for layer in dataflow.layers if layer.name in given),
               default=DEFAULT_CYCLES_PER_FRAME)


def replace_folds(layer: Layer, folds: Mapping[str, int]) -> Layer:
    """The layer with other folds; it checks them itself."""
    changes: dict[str, Any] = dict(folds)
    return replace(layer, **changes)  # type: ignore[type-var]  # every Layer is a dataclass


def _check_names(dataflow: Dataflow, given: Folding) -> None:
    foldable = {layer.name: layer for layer in dataflow.layers if layer.fold_sizes}
    places = fifo_places(dataflow)
    for name, folds in given.items():
        if name in places or set(folds) == {"depth"}:
            _check_depth(name, folds, list(places))
            continue
        if name not in foldable:
            raise FoldingError(f"folding: there is no layer {name}; choose one of {list(foldable)}")
        for key in folds:
            if key not in foldable[name].fold_sizes:
                raise FoldingError(f"{name}: {key} cannot be folded; choose one of {list(foldable[name].fold_sizes)}")
        replace_folds(foldable[name], folds)


def _check_depth(name: str, folds: Mapping[str, int], places: list[str]) -> None:
    if name not in places:
        raise FoldingError(f"folding: there is no FIFO {name}; choose one of {places}")
    if set(folds) != {"depth"} or folds["depth"] < 0:
        raise FoldingError(f"{name}: {dict(folds)} is no depth of a FIFO; write {{\"depth\": 32}}, or 0 for none")


def _neighbour_lanes(dataflow: Dataflow, item: Placed, folding: Folding) -> list[int]:
    """Lanes of the neighbours that are folded already: those of the readers, then those of the producers."""
    readers = [other.layer.name for other in dataflow.placed if (item.layer.name, 0) in other.sources]
    lanes = [folding[name].get("simd") for name in readers if name in folding]
    lanes += [folding[name].get("pe") for name, _ in item.sources if name in folding]
    return [fold for fold in lanes if fold is not None]


def _depthwise_windows(dataflow: Dataflow) -> dict[str, Layer]:
    """The depthwise window in front of each vvtu, whose SIMD is the vvtu's PE."""
    layers = {layer.name: layer for layer in dataflow.layers}
    return {item.layer.name: layers[item.sources[0][0]] for item in dataflow.placed if isinstance(item.layer, Vvtu)}


def _cheapest(layer: Layer, fixed: Mapping[str, int], target: int, wishes: Sequence[int],
              window: Layer | None) -> dict[str, int]:
    """The folds of least product at which the layer, and the window tied to its PE, reach the target."""
    names = list(layer.fold_sizes)
    choices = [[fixed[n]] if n in fixed else divisors(size) for n, size in layer.fold_sizes.items()]
    for wish in wishes if len(names) == 1 else ():
        if wish in choices[0] and replace_folds(layer, {names[0]: wish}).cycles <= target:
            return {names[0]: wish}
    for folds in sorted(product(*choices), key=lambda f: (prod(f), f[0])):
        candidate = dict(zip(names, folds, strict=True))
        if replace_folds(layer, candidate).cycles <= target and (
                window is None or replace_folds(window, {"simd": candidate["pe"]}).cycles <= target):
            return candidate
    raise AssertionError(f"{layer.name}: _require_reachable let {target} cycles per frame pass")


def _require_reachable(dataflow: Dataflow, given: Folding, target: int) -> None:
    """Raise FoldingError naming the layer that even with all its free folds open takes the longest."""
    fastest = {}
    for layer in dataflow.layers:
        open_folds = {**layer.fold_sizes, **given.get(layer.name, {})}
        fastest[layer.name] = replace_folds(layer, open_folds).cycles
    slowest = max(fastest, key=lambda name: fastest[name])
    if fastest[slowest] > target:
        raise FoldingError(f"{slowest}: {target} cycles per frame are asked for but it needs at least "
                           f"{fastest[slowest]}; ask for {fastest[slowest]} cycles per frame or more")
