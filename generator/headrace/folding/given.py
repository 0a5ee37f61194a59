"""What a user's folding says: read from a file, and compared with the layers and FIFOs that there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from headrace.bounded_reading import KeyTwiceError, read_json_of_once
from headrace.dataflow.fold import Folding
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import fifo_places
from headrace.errors import FoldingError, InputError
from headrace.fold_rule import CHANNELS, require_keys
from headrace.suggest import did_you_mean

_EXAMPLE = '{"conv0": {"pe": 2}}'
#: Words of the deepest FIFO that can be asked for: no device has a memory for more, and none is searched for it.
_MAX_DEPTH = 1 << 24


def load_folding(path: Path) -> Folding:
    """Read a folding file: a JSON object {layer: {"pe": int, "simd": int, "channels": int}, fifo: {"depth": int}}.

    Keys may be left out.

    Raises InputError where it cannot be read or says something else.
    """
    try:
        folding = read_json_of_once(path)
    except OSError:
        raise InputError(f"{path}: the folding file cannot be read; check the path") from None
    except KeyTwiceError as error:
        raise InputError(f"{path}: {error} in an object of the folding file; leave one out") from None
    except ValueError as error:
        raise InputError(f"{path}: the folding file is not JSON ({error}); write {_EXAMPLE}") from None
    return require_folding(folding, f"{path}: a folding file")


def require_folding(folding: Any, what: str = "a folding") -> Folding:
    """The folding, if it maps names to whole numbers by name. Raises InputError otherwise."""
    if not isinstance(folding, Mapping) or not all(isinstance(name, str) for name in folding):
        raise InputError(f"{what} maps layers to whole numbers; write {_EXAMPLE}")
    for name, key, value in _entries(folding):
        if key is None or type(value) is not int:
            cores = key == "core" and isinstance(value, str)
            way_out = f"name cores by --core {name}={value}" if cores else f"write {_EXAMPLE}"
            given = f"{key!r} of {name} to {value!r}" if key is not None else f"{name} to {value!r}"
            raise InputError(f"{what} maps layers to whole numbers, not {given}; {way_out}")
    return folding


def _entries(folding: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The name, the key and the value of all that a folding says; no key where there are no keys."""
    for name, folds in folding.items():
        if not isinstance(folds, Mapping):
            yield name, None, folds
        else:
            yield from ((name, key, value) for key, value in folds.items())


def given_depths(folding: Folding) -> dict[str, int]:
    """The depths of FIFOs in a folding, by name."""
    return {name: folds["depth"] for name, folds in folding.items() if "depth" in folds}


def require_known(dataflow: Dataflow, given: Folding, padable: Collection[str] = ()) -> None:
    """Raise FoldingError for the first name, key or value of a folding that no layer and no FIFO has.

    padable: layers that take channels too, which are no folds.
    """
    foldable = {layer.name: layer for layer in dataflow.layers if layer.fold_sizes}
    places = fifo_places(dataflow)
    for name, folds in given.items():
        if name in places or set(folds) == {"depth"}:
            _check_depth(name, folds, list(places))
            continue
        if name not in foldable:
            raise FoldingError(f"folding: there is no layer {name}; {did_you_mean(name, foldable)}"
                               f"choose one of {list(foldable)}")
        layer = foldable[name]
        require_keys(name, folds, [*layer.fold_sizes, *layer.fold_flags, *[CHANNELS] * (name in padable)])
        layer.with_folds(folds)


def _check_depth(name: str, folds: Mapping[str, int], places: list[str]) -> None:
    if name not in places:
        raise FoldingError(f"folding: there is no FIFO {name}; {did_you_mean(name, places)}choose one of {places}")
    if set(folds) != {"depth"} or folds["depth"] < 0:
        raise FoldingError(f"{name}: {dict(folds)} is not a depth of a FIFO; write {{\"depth\": 32}}, or 0 for none")
    if folds["depth"] > _MAX_DEPTH:
        raise FoldingError(f"{name}: a depth of {folds['depth']} words is more than a FIFO may have; give at most "
                           f"{_MAX_DEPTH}")
