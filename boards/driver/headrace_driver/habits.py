"""What users of PYNQ and of FINN's drivers look for under the names that they know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

from .device import Device


class Runner(Protocol):
    """What is needed of an accelerator."""

    device: Device
    model: dict[str, Any]
    host: Any
    batch_size: int

    def predict(self, x: Any, raw: bool = False) -> Any:
        """Outputs of samples."""

    def counters(self) -> dict[str, int]:
        """Cycles and stalls."""

    def clear_counters(self) -> None:
        """Let them begin at 0."""

    def _pieces(self, batches: Iterable[Any]) -> Iterator[tuple[Any, bool]]: ...
    def _fill(self, x: Any, buffer: np.ndarray) -> None: ...
    def _start(self, slot: int, frames: int) -> None: ...
    def _received(self, slot: int, frames: int) -> np.ndarray: ...


def _ends(side: dict[str, Any]) -> list[dict[str, Any]]:
    """The inputs, or outputs, of a model."""
    parts: list[dict[str, Any]] = side.get("parts", [side])
    return parts


def _type_name(stream: dict[str, Any], end: dict[str, Any]) -> str:
    """The type of an end, as FINN writes it."""
    low, bits = end.get("low", stream["low"]), end.get("bits", stream["bits"])
    if end.get("bipolar", stream["bipolar"]):
        return "BIPOLAR"
    return f"INT{bits}" if low < 0 else f"UINT{bits}"


class Habits:
    """FINN's names: `execute`, `throughput_test`, `ishape_normal`, `oshape_normal`, `idt`, `odt`, `batch_size`.

    `ind` counts the inputs or outputs.
    """

    batch_size = 1

    def ishape_normal(self: Runner, ind: int = 0) -> tuple[int, ...]:
        """Shape of an input with the batch in front."""
        return (self.batch_size, *_ends(self.model["input"])[ind]["shape"])

    def oshape_normal(self: Runner, ind: int = 0) -> tuple[int, ...]:
        """Shape of an output with the batch in front, before an argmax or the like at the model's end."""
        return (self.batch_size, *_ends(self.model["output"])[ind]["shape"])

    def idt(self: Runner, ind: int = 0) -> str:
        """Type of an input's codes, as UINT8 or BIPOLAR; `execute` takes the values that they stand for."""
        return _type_name(self.model["input"], _ends(self.model["input"])[ind])

    def odt(self: Runner, ind: int = 0) -> str:
        """Type of the integers of an output, which `predict(x, raw=True)` gives."""
        return _type_name(self.model["output"], _ends(self.model["output"])[ind])

    def execute(self: Runner, input_npy: Any) -> Any:
        """As `predict`: outputs for samples (N, ...); a list of arrays where there are several inputs."""
        if isinstance(input_npy, (list, tuple)):
            names = [end["name"] for end in _ends(self.model["input"])]
            input_npy = dict(zip(names, input_npy, strict=True)) if len(names) > 1 else input_npy[0]
        return self.predict(input_npy)

    def throughput_test(self: Runner) -> dict[str, float]:
        """Speed of `batch_size` random samples, with the keys of FINN's drivers; bandwidths are those of the DMA.

        `cycles_per_frame` is the accelerator's own measure.
        """
        x = _random_samples(self.model, self.batch_size)
        self.predict(x)
        self.clear_counters()
        start = time.perf_counter()
        self.predict(x)
        runtime = time.perf_counter() - start
        sides = {name: self.batch_size * self.model[side]["frame_bytes"] * 1e-6 / runtime
                 for name, side in (("in", "input"), ("out", "output"))}
        return {"runtime[ms]": runtime * 1000, "throughput[images/s]": self.batch_size / runtime,
                **{f"DRAM_{name}_bandwidth[MB/s]": value for name, value in sides.items()},
                "batch_size": self.batch_size, "cycles_per_frame": self.counters()["cycles"] / self.batch_size}

    async def predict_async(self: Runner, x: Any, raw: bool = False) -> Any:
        """As `predict`, for `await`: the processor is free until the interrupt of the DMA.

        Where a device has no interrupts a thread waits. One call at a time.
        """
        results: list[Any] = []
        for piece, _ in self._pieces([x]):
            size = len(piece) * self.model["input"]["frame_bytes"]
            self._fill(piece, self.device.buffer(0, size)[:size])
            self._start(0, len(piece))
            if ended := getattr(self.device, "ended", None):
                await ended()
            integers = await asyncio.to_thread(self._received, 0, len(piece))
            results.append(self.host.raw(integers) if raw else self.host.decode(integers))
        return self.host.joined(results)


def _random_samples(model: dict[str, Any], count: int) -> Any:
    """Zeros and ones, which every input takes."""
    rng = np.random.default_rng(0)
    arrays = {end["name"]: rng.integers(0, 2, (count, *end["shape"])).astype(np.float32)
              for end in _ends(model["input"])}
    return arrays if len(arrays) > 1 else next(iter(arrays.values()))
