"""What every streaming layer is: a frozen value with typed streams, a golden model, a schedule and parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from headrace.area.amounts import Amounts
from headrace.datatypes import DataType, IntArray
from headrace.errors import FoldingError, InputError
from headrace.layers.hls import HlsForm, single_process
from headrace.layers.phases import Schedule
from headrace.layers.ports import StreamPort, side_ports
from headrace.layers.spec_fields import MAX_PARAMETER, Fields
from headrace.layers.stream import Stream
from headrace.memory import PRICES, Prices
from headrace.packing import Memory

Parameters = tuple[tuple[str, int], ...]
#: Rows and columns of a frame.
Grid = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Layer(ABC):
    """Base of the streaming layers. Every subclass is a frozen dataclass whose first field is `name`.

    `kind` is the stem shared by the Python file, the C++ header, the SystemVerilog module and the test. prices: of the
    device, by which the layer chooses its memories and its arithmetic.
    """

    kind: ClassVar[str]
    #: A spec without its kind (layers/spec.py): a small layer that the cocotb bench streams frames through.
    example: ClassVar[Mapping[str, Any]]
    #: Folder of headrace_KIND.sv and KIND.hpp; None: they come with headrace.
    kernels: ClassVar[Path | None] = None
    #: Streams that the kernels have ports for; those that a layer does not use are tied off.
    max_inputs: ClassVar[int] = 1
    max_outputs: ClassVar[int] = 1
    #: True if the kernels have a stream that weights may come in by, and a bus that loads memories.
    has_weight_port: ClassVar[bool] = False
    has_load_port: ClassVar[bool] = False
    #: True for what passes put between two layers: its words go on as they are.
    connects: ClassVar[bool] = False
    #: Names of the memories in the order in which the C++ kernel takes them.
    hls_memories: ClassVar[tuple[str, ...]] = ()
    name: str
    prices: Prices = field(default=PRICES, kw_only=True)

    @classmethod
    @abstractmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        """A layer from the entries of a spec, its weights drawn at random. Raises InputError for what is illegal."""

    @property
    @abstractmethod
    def inputs(self) -> tuple[Stream, ...]:
        """Typed input streams."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[Stream, ...]:
        """Typed output streams."""

    @property
    def weight_stream(self) -> Stream | None:
        """The stream w_axis that brings the weights of a layer that does not hold them itself; it is not an input."""
        return None

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams of the layer: inputs, outputs, weights."""
        return (*self.inputs, *self.outputs, *([self.weight_stream] if self.weight_stream else []))

    @classmethod
    def among(cls, layers: Iterable[Layer]) -> list[Self]:
        """Those of `layers` that are of this class, in their order."""
        return [layer for layer in layers if isinstance(layer, cls)]

    @property
    def ports(self) -> tuple[StreamPort, ...]:
        """The streams of the SystemVerilog module: inputs, outputs and weights in use, then those that are not."""
        weights = [StreamPort("w_axis", False, self.weight_stream)] if self.has_weight_port else []
        ports = (*side_ports("s", self.inputs, self.max_inputs), *side_ports("m", self.outputs, self.max_outputs),
                 *weights)
        return tuple(sorted(ports, key=lambda port: port.stream is None))

    def taking(self, element: DataType) -> Layer | None:
        """The layer for inputs of a type that holds more, with the same outputs; None where these would change."""
        return None

    @property
    def writable(self) -> bool:
        """True if the processor can write the memories, over the bus of the port `load`."""
        return False

    @property
    def stream_depth(self) -> int | None:
        """Words by which a layer that only buffers makes its stream deeper; None for a process of its own."""
        return None

    @property
    def held_bits(self) -> int:
        """Bits of the widest word that the C++ kernel holds at once."""
        return max(stream.bits for stream in self.streams)

    @property
    def burst_words(self) -> int:
        """Words that the layer takes one per cycle before it pauses; 0 if it never pauses."""
        return 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates per frame; 0 for layers that only move or compare."""
        return 0

    @property
    def in_grid(self) -> Grid | None:
        """Rows and columns of the frame that comes, where the layer knows them."""
        return None

    def out_grid(self, grid: Grid | None) -> Grid | None:
        """Rows and columns of the frame that leaves where such a frame comes; None where nobody knows."""
        return grid

    @property
    def facts(self) -> dict[str, Any]:
        """What build.json says of the layer beside its name, folding, cycles, types and resources."""
        return {}

    @abstractmethod
    def golden(self, *x: IntArray) -> IntArray:
        """Naive integer model: every x (frames, elements) in stream order -> (frames, elements), on all outputs."""

    @abstractmethod
    def schedule(self) -> Schedule:
        """The layer's frame, cycle by cycle; the only source of its cycle count."""

    @abstractmethod
    def parameters(self) -> Parameters:
        """Integers that configure the kernels: names are those of the C++ template and the SystemVerilog module."""

    def rtl_parameters(self) -> Parameters:
        """Parameters that the SystemVerilog module alone has; those that are left out keep their defaults."""
        return ()

    @property
    def hls(self) -> HlsForm:
        """The processes that the layer is in C++."""
        return single_process(self.kind, len(self.inputs), len(self.outputs), self.schedule(), self.hls_memories)

    def load_parameters(self, first_memory: int) -> Parameters:
        """Parameters of a module whose memories the processor writes under the numbers from `first_memory` on."""
        return ()

    @property
    def area_facts(self) -> Hashable | None:
        """All that `amounts` depends on, equal for layers that take the same; None for one that is always counted."""
        return None

    @abstractmethod
    def amounts(self, a: Amounts) -> None:
        """Add the structures of LUTs and flip-flops of the SystemVerilog module, for the estimate of resources."""

    @property
    def fold_sizes(self) -> dict[str, int]:
        """What may be folded: the field that holds the fold (pe, simd) and the size that it must divide."""
        return {}

    @property
    def fold_flags(self) -> tuple[str, ...]:
        """What may be switched on by 1 or off by 0 beside the folds."""
        return ()

    def with_folds(self, folds: Mapping[str, int]) -> Layer:
        """The layer with other folds, and with other flags where it has some. Raises FoldingError for illegal ones."""
        changes: dict[str, Any] = dict(folds)
        return replace(self, **changes)

    # What a layer says of the layers around it.

    @property
    def passes(self) -> int:
        """How often the layer passes over what it takes at once; only in the first pass it takes it."""
        return 1

    @property
    def lead(self) -> float:
        """The share of a frame by which the words that the layer takes are ahead of those that it gives."""
        return 0.0

    @property
    def complete_after(self) -> IntArray:
        """(windows,): words of the frame that are there when a window is complete; () for what makes no windows."""
        return np.zeros(0, np.int64)

    @property
    def follows_lanes(self) -> int:
        """Lanes that the layer in front has to have at its input; 0: any."""
        return 0

    def behind(self, source: Layer) -> Self:
        """The layer as it stands behind `source`: what it holds is in the order of the words that come.

        Raises FoldingError where it cannot be.
        """
        if source.window_columns:
            raise FoldingError(f"{source.name}: parallel_window would change the order of what {self.name} reads; use "
                               "parallel_window 0")
        return self

    @property
    def window_columns(self) -> int:
        """Elements of a window out in an order that its reader has to know; 0 for words in the order of the tensor."""
        return 0

    def window_forms(self, columns: int, channels: int, folds: Mapping[str, int]) -> tuple[str, ...]:
        """How windows of so many elements, of pixels of so many channels, may come if the user folds the layer so.

        "serial": tap by tap. "parallel": all taps in a word.
        """
        return ("serial",)

    def flags_to_try(self, given: Mapping[str, int], reader: Layer, reader_folds: Mapping[str, int]
                     ) -> tuple[dict[str, int], ...]:
        """The flags that may pay where the user gives the flags `given`, and the folds `reader_folds` to the reader."""
        return ({},)

    def with_other_core(self) -> Layer | None:
        """The layer with a core that takes LUTs for DSP blocks, or the reverse; None where nothing is to be chosen."""
        return None

    def with_dsp_blocks(self, blocks: int) -> Layer | None:
        """The layer with as many rows in DSP blocks as so many hold, the others in LUTs; None if it has none."""
        return None

    def in_uram(self) -> Layer | None:
        """The layer with words that wait in UltraRAM; None where they take no block RAM."""
        return None

    def priced(self, prices: Prices) -> Self:
        """The layer as it is chosen where a block RAM and a DSP block have these prices."""
        return self if prices == self.prices else replace(self, prices=prices)

    def memories(self) -> tuple[Memory, ...]:
        """Read-only memories; each is the file parameter NAME_FILE in SystemVerilog and an argument in C++."""
        return ()

    @property
    def cycles(self) -> int:
        """Steady-state cycles per frame without stalls."""
        return self.schedule().cycles

    @property
    def latency_cycles(self) -> int:
        """From the cycle that takes the last word of an output to the one in which the output is valid."""
        return self.schedule().latency_cycles

    def require_native(self) -> None:
        """Raise InputError for a parameter or a number of words that an int of 32 bits does not hold."""
        for name, value in self._beyond_native:
            raise InputError(f"{self.name}: {name}={value} lies beyond the 32 bits in which hardware counts; "
                             f"use at most {MAX_PARAMETER}")

    @cached_property
    def _beyond_native(self) -> Parameters:
        """The parameters and numbers of words that an int of 32 bits does not hold."""
        words = ((f"words of {way} a frame", stream.words) for way, streams in (("input", self.inputs),
                 ("output", self.outputs)) for stream in streams)
        return tuple((name, value) for name, value in (*words, *self.parameters(), *self.rtl_parameters())
                     if not -MAX_PARAMETER - 1 <= value <= MAX_PARAMETER)
