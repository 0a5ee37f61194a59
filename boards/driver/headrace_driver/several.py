"""Models of several inputs or outputs: dicts of arrays by name, whose frames follow one another on the streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .host import Host, Input, Output, integers_of


def make_host(model: dict[str, Any], arrays: dict[str, np.ndarray]) -> Host | Hosts:
    """The host's side of a model; `model` is model.json, `arrays` are those of model.npz."""
    return Hosts(model, arrays) if "parts" in model["input"] else Host(model, arrays)


class Named:
    """Samples by name, which are cut like one array."""

    def __init__(self, parts: dict[str, np.ndarray]) -> None:
        self.parts = parts

    def __len__(self) -> int:
        return len(next(iter(self.parts.values())))

    def __getitem__(self, cut: slice) -> Named:
        return Named({name: x[cut] for name, x in self.parts.items()})


def _of(arrays: dict[str, np.ndarray], place: str) -> dict[str, np.ndarray]:
    """The arrays of one input or output."""
    return {name.removeprefix(place): values for name, values in arrays.items() if name.startswith(place)}


class Hosts:
    """Both sides, with one or several inputs and outputs."""

    def __init__(self, model: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.source, self.sink = model["input"], model["output"]
        self.inputs = {part["name"]: Input(part, _of(arrays, f"in{k}_"))
                       for k, part in enumerate(self.source["parts"])}
        self.outputs = {part["name"]: Output(part, _of(arrays, f"out{k}_"))
                        for k, part in enumerate(self.sink["parts"])}

    def samples(self, batch: object) -> Named:
        """A batch: a dict of arrays by the names of the inputs, or the array of the only one.

        Raises ValueError for anything else.
        """
        if isinstance(batch, Named):
            return batch
        names = list(self.inputs)
        given = batch if isinstance(batch, Mapping) else {names[0]: batch} if len(names) == 1 else {}
        if set(given) != set(names):
            raise ValueError(f"the model takes {' and '.join(names)}; give a dict of arrays by these names")
        parts = {name: side.samples(given[name]) for name, side in self.inputs.items()}
        if len({len(x) for x in parts.values()}) > 1:
            raise ValueError("the inputs have different numbers of samples; give equally many of each")
        return Named(parts)

    def encode(self, x: Named) -> np.ndarray:
        """Samples -> codes (N, elements) in stream order."""
        return np.concatenate([side.encode(x.parts[name]) for name, side in self.inputs.items()], axis=1)

    def integers(self, codes: np.ndarray) -> np.ndarray:
        """Codes of the output stream -> their integers (N, elements)."""
        return integers_of(self.sink, codes)

    def raw(self, integers: np.ndarray) -> Any:
        """Integers (N, elements) of a frame -> those of every output by name, or of the only one."""
        return self._given({name: integers[:, part["first"] : part["first"] + part["elements"]]
                            for name, part in zip(self.outputs, self.sink["parts"], strict=True)})

    def _given(self, parts: dict[str, np.ndarray]) -> Any:
        return parts if len(parts) > 1 else next(iter(parts.values()))

    def decode(self, integers: np.ndarray) -> Any:
        """Integers (N, elements) of a frame -> outputs by name, or the only one, float32."""
        parts = self.raw(integers)
        given = parts if isinstance(parts, dict) else dict.fromkeys(self.outputs, parts)
        return self._given({name: side.decode(given[name]) for name, side in self.outputs.items()})

    def joined(self, results: list[Any]) -> Any:
        """Results of the pieces of a batch."""
        if not isinstance(results[0], dict):
            return np.concatenate(results)
        return {name: np.concatenate([result[name] for result in results]) for name in results[0]}

    def place(self, element: int) -> str:
        """Where an element of a frame is."""
        part = next(part for part in reversed(self.sink["parts"]) if part["first"] <= element)
        pixel, channel = divmod(element - part["first"], len(self.outputs[part["name"]].scale))
        return f"output {part['name']}, pixel {pixel}, channel {channel}"
