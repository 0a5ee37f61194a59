"""Weights and thresholds to the words of memories in the accelerator."""

from __future__ import annotations

from typing import Any

import numpy as np

from .packing import code_type, pack


class Memories:
    """The layers whose weights can be written; `layers` and `arrays` are those of model.json and weights.npz."""

    def __init__(self, layers: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.layers, self.arrays = layers, arrays

    def built(self, layer: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights (MH, MW) and thresholds (MH, N), if there are any, that the accelerator was built with."""
        self._entry(layer)
        return self.arrays[f"{layer}.weights"], self.arrays.get(f"{layer}.thresholds")

    def weight_parts(self, layer: str, weights: np.ndarray) -> np.ndarray:
        """The words of the weight memory, as parts of 32 bits. Raises ValueError for weights that do not fit."""
        entry = self._entry(layer)["weights"]
        values = self._integers(layer, "weights", weights)
        low, high = entry["low"], entry["high"]
        if values.min() < low or values.max() > high or (entry["bipolar"] and not np.all(np.abs(values) == 1)):
            kind = "-1 or 1" if entry["bipolar"] else f"from {low} to {high}"
            raise ValueError(f"{layer}: the weights reach from {values.min()} to {values.max()} but must be {kind}")
        codes = (values > 0).astype(np.int64) if entry["bipolar"] else values
        return self._parts(codes, self.arrays[f"{layer}.weights_places"], entry["bits"])

    def threshold_parts(self, layer: str, thresholds: np.ndarray) -> np.ndarray:
        """The words of the threshold memory, as parts of 32 bits. Raises ValueError for thresholds that do not fit."""
        entry = self._entry(layer)["thresholds"]
        if entry is None:
            raise ValueError(f"{layer}: has no thresholds; leave them out")
        values = self._integers(layer, "thresholds", thresholds)
        if np.any(np.diff(values, axis=1) < 0):
            raise ValueError(f"{layer}: the thresholds of a row do not ascend; sort them")
        if entry["matches"]:  # the accelerator counts matches: a sum is twice their number less all columns
            values = -(-(values + entry["matches"]) // 2)
        bounded = np.clip(values, entry["low"], entry["never"])
        return self._parts(np.append(bounded, entry["never"]), self.arrays[f"{layer}.thresholds_places"], entry["bits"])

    def _entry(self, layer: str) -> dict[str, Any]:
        if layer not in self.layers:
            raise ValueError(f"{layer}: its weights cannot be written; choose from {sorted(self.layers)}, "
                             "or build with --writable")
        entry: dict[str, Any] = self.layers[layer]
        return entry

    def _integers(self, layer: str, what: str, values: np.ndarray) -> np.ndarray:
        shape, given = self.arrays[f"{layer}.{what}"].shape, np.asarray(values)
        if given.shape != shape or given.dtype.kind not in "iu":
            raise ValueError(f"{layer}: {what} of shape {given.shape} and type {given.dtype} should be integers of "
                             f"shape {shape}")
        return given.astype(np.int64)

    @staticmethod
    def _parts(values: np.ndarray, places: np.ndarray, bits: int) -> np.ndarray:
        codes = (values.reshape(-1)[places] & ((1 << bits) - 1)).astype(code_type(bits))
        size = -(-codes.shape[1] * bits // 32) * 4
        return pack(codes, codes.shape[1], bits, size).view("<u4").reshape(-1)
