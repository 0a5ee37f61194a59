"""What model.hpp of the C++ driver says of every input and output: numbers as literals that lose nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def cpp_ends(model: Mapping[str, Any], inputs: Sequence[Arrays], outputs: Sequence[Arrays]) -> dict[str, Any]:
    """`inputs` and `outputs` of the template.

    model: what model.json holds; inputs, outputs: the arrays of each. What one does not have is missing in it.
    """
    return {"inputs": [_name(part) | part | _input(arrays)
                       for part, arrays in zip(_parts(model["input"]), inputs, strict=True)],
            "outputs": [_name(part) | part | _output(arrays, part["elements"])
                        for part, arrays in zip(_parts(model["output"]), outputs, strict=True)]}


def _parts(side: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = side.get("parts", [{"first": 0, **side}])
    return parts


def _name(part: Mapping[str, Any]) -> dict[str, str]:
    """The name between quotation marks: the escapes of JSON are those of C++."""
    return {"quoted": json.dumps(part["name"], ensure_ascii=False)}


def _input(arrays: Arrays) -> dict[str, list[str]]:
    """Arrays of an input by their names in model.hpp."""
    numbers = {"SCALE": "input_scale", "DIVISOR": "input_divisor"}
    texts = {name: _doubles(arrays[key]) for name, key in numbers.items() if key in arrays}
    if "decision_points" in arrays:
        texts |= {"SIGNS": _floats(arrays["signs"]), "DECISION_POINTS": _floats(arrays["decision_points"])}
    return texts | _order(arrays.get("input_order"))


def _output(arrays: Arrays, elements: int) -> dict[str, list[str]]:
    """Arrays of an output by their names in model.hpp; an order of fewer elements is that behind a head."""
    before, order = arrays.get("output_before"), arrays.get("output_order")
    if order is None or len(order) != elements:
        order = before
    elif before is not None:
        order = before[order]
    return {"SCALE": _doubles(arrays["scale"]), "OFFSET": _doubles(arrays["offset"])} | _order(order)


def _order(order: NDArray[Any] | None) -> dict[str, list[str]]:
    return {} if order is None else {"ORDER": [str(place) for place in order.tolist()]}


def _floats(values: NDArray[Any]) -> list[str]:
    return [_float_text(value) for value in values.reshape(-1).tolist()]


def _float_text(value: float) -> str:
    if np.isinf(value):
        return "-INFINITY" if value < 0 else "INFINITY"
    return f"{value!r}f"  # as many digits as float64 needs, so that float32 is met exactly


def _doubles(values: NDArray[Any]) -> list[str]:
    return [repr(value) for value in values.tolist()]
