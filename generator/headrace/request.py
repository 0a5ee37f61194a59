"""What a user asks for: options checked where they are made, resolved once into a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Literal, get_args

import numpy as np

from headrace.board.board import DEFAULT_BOARD, Board, load_board
from headrace.board.family import Family, ProcessorFamily, find_family, find_processor
from headrace.board.room import DEFAULT_SHARE, room
from headrace.board.shell_area import shell_area
from headrace.dataflow.choose_cores import Cores, require_cores
from headrace.dataflow.fold import Folding
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.make_writable import Writable
from headrace.design import Fifos, Recipe
from headrace.engines.host import Samples
from headrace.errors import InputError
from headrace.folding.given import given_depths, require_folding
from headrace.folding.plan import DEFAULT_CYCLES_PER_FRAME
from headrace.layers.weight_store import RAM, URAM
from headrace.memory import PRICES
from headrace.samples import GivenSamples
from headrace.suggest import did_you_mean

Backend = Literal["rtl", "hls", "both"]
Weights = Literal["on-chip", "external"]

DEFAULT_CLOCK_MHZ = 200.0
DEFAULT_VECTORS = 4
#: Clocks that a device can have, in MHz, and the most vectors that a build is verified with.
MIN_CLOCK_MHZ, MAX_CLOCK_MHZ, MAX_VECTORS = 1.0, 1000.0, 100_000
#: Slower than any layer: what a lower rate asks for.
_SLOWEST_CYCLES = 2**53


@dataclass(frozen=True, eq=False)
class Options:
    """What a user can choose about a build; `fps` and `folding` exclude each other.

    A board without either is filled with the fastest folding; no board is the default one at the default pace.
    cores: compute cores by layer name, or "*" for all layers; the others are chosen by cost.
    writable: layers whose weights the processor can write, and where these lie (dataflow.make_writable).
    external: layers whose weights come from memory outside; weights="external" adds those with the largest weights,
    as many as it takes for the rest to fit the board.
    overfull: build also what does not fit the board.
    verify_layers: compare every layer by itself, not the network as a whole, which is not verified then.
    fifos: "exact" for the smallest that keep the pace, "safe" for large ones that are known at once.
    share: percent of the LUTs of a board that is to be filled; of block RAMs and DSP blocks 10 more.
    Raises InputError for a value that is not one of these, whoever gives it.
    """

    board: str | None = None
    clock_mhz: float = DEFAULT_CLOCK_MHZ
    fps: float | None = None
    folding: Folding | None = None
    cores: Cores = field(default_factory=dict)
    writable: Writable = field(default_factory=dict)
    external: Sequence[str] = ()
    weights: Weights = "on-chip"
    backend: Backend = "rtl"
    verify: int = DEFAULT_VECTORS
    verify_input: GivenSamples | None = None
    overfull: bool = False
    verify_layers: bool = False
    fifos: Fifos = "exact"
    share: float = DEFAULT_SHARE

    def __post_init__(self) -> None:
        if self.board is not None and not (isinstance(self.board, str) and self.board):
            raise InputError(f"board {self.board!r} is not a name; give the name of a board or a .toml file")
        _require_word("backend", self.backend, get_args(Backend))
        _require_word("weights", self.weights, get_args(Weights))
        _require_word("fifos", self.fifos, get_args(Fifos))
        self._require_rates()
        if type(self.verify) is not int or not 1 <= self.verify <= MAX_VECTORS:
            raise InputError(f"verify={self.verify} vectors: a build is verified with at least 1; give 1 or more, at "
                             f"most {MAX_VECTORS}")
        if self.folding is not None:
            require_folding(self.folding)
        require_cores(self.cores)
        self._require_layers()
        samples_of(self)

    def _require_rates(self) -> None:
        """Raise InputError for rates that are none or contradict each other."""
        for name, rate in (("clock_mhz", self.clock_mhz), ("fps", 1.0 if self.fps is None else self.fps),
                           ("share", self.share)):
            if not isinstance(rate, (int, float)) or isinstance(rate, bool):
                raise InputError(f"{name}={rate!r} must be a number; correct it")
            if not (isfinite(rate) and rate > 0):
                raise InputError(f"{name}={rate:g} must be a positive number; correct it")
        if not MIN_CLOCK_MHZ <= self.clock_mhz <= MAX_CLOCK_MHZ:
            raise InputError(f"clock_mhz={self.clock_mhz:g} must lie between {MIN_CLOCK_MHZ:g} and {MAX_CLOCK_MHZ:g}; "
                             "no device has such a clock")
        if self.share > 100:
            raise InputError(f"share={self.share:g} percent is more than a board has; give at most 100")
        if self.fps is not None and self.folding is not None:
            raise InputError("fps and a folding were both given but exclude each other; leave one out")

    def _require_layers(self) -> None:
        """Raise InputError where layers are named for what cannot be."""
        if isinstance(self.external, str) or not all(isinstance(name, str) for name in self.external):
            raise InputError(f"external={self.external!r} must be a list of names of layers; correct it")
        if not isinstance(self.writable, Mapping):
            raise InputError(f"writable={self.writable!r} must map names of layers to {RAM!r} or {URAM!r}; correct it")
        for name, storage in self.writable.items():
            _require_word(f"writable weights of {name}", storage, (RAM, URAM))
        if self.writable and self.backend == "hls":
            raise InputError(f"{next(iter(self.writable))}: writable weights need the rtl back end; "
                             "build with --backend rtl or both")


def _require_word(what: str, word: object, known: Sequence[str]) -> None:
    if word not in known:
        raise InputError(f"{what}={word!r} is unknown; {did_you_mean(str(word), known)}choose one of {list(known)}")


@dataclass(frozen=True, eq=False)
class Request:
    """Options with all that they name looked up; nothing of it is looked up again.

    named: did the user name the board? cycles: the most per frame that are asked for, None where a folding is given or
    the board is to be filled. recipe: what of it is given. spills: may weights and buffers lie in UltraRAM where
    that helps? max_cycles: what is slower is of no interest where a board is to be filled; 0 where anything is.
    """

    options: Options
    board: Board
    family: Family | None
    named: bool
    cycles: int | None
    recipe: Recipe
    spills: bool = False
    max_cycles: int = 0

    @property
    def processor(self) -> ProcessorFamily | None:
        """The family of a board that a block design is known for."""
        return find_processor(self.board)

    @property
    def fills(self) -> bool:
        """True if the board is to be filled with the fastest folding."""
        return self.cycles is None and self.options.folding is None

    def room(self, dataflow: Dataflow) -> Board:
        """What a network may take: of a board that is to be filled the share that is asked for, else what is left."""
        shell = shell_area(dataflow, self.board, self.options.clock_mhz)
        return room(self.board, self.options.share if self.fills else 100.0, shell)

    @property
    def engines(self) -> tuple[Literal["hls", "rtl"], ...]:
        """The back ends that are built."""
        return ("hls", "rtl") if self.options.backend == "both" else (self.options.backend,)

    @property
    def asked(self) -> str:
        """What was asked for, as a part of a sentence."""
        if self.options.fps is not None:
            return f"{self.options.fps:.12g} fps, {self.cycles} cycles per frame"
        if self.options.folding is not None:
            return "the folding given"
        return f"the fastest that fits {self.board.name}" if self.fills else f"at most {self.cycles} cycles per frame"


def resolve(options: Options) -> Request:
    """Look up what the options name. Raises InputError for an unknown board, or UltraRAM where there is none."""
    board = load_board(options.board or DEFAULT_BOARD)
    in_uram = [name for name, storage in options.writable.items() if storage == URAM]
    if in_uram and not board.uram:
        raise InputError(f"{in_uram[0]}: board {board.name} has no UltraRAM; name the layer with --writable instead")
    given = options.folding or {}
    family = find_family(board)
    recipe = Recipe(given, options.cores, options.writable, tuple(dict.fromkeys(options.external)), given_depths(given),
                    family.prices if family else PRICES, options.fifos)
    return Request(options, board, family, options.board is not None, _cycles(options), recipe)


def _cycles(options: Options) -> int | None:
    """The most cycles per frame that are asked for; 0 where a frame would take less than one."""
    if options.fps is not None:
        return int(min(options.clock_mhz * 1e6 / options.fps, _SLOWEST_CYCLES))
    if options.folding is not None or options.board is not None:
        return None
    return DEFAULT_CYCLES_PER_FRAME


def samples_of(options: Options) -> Samples | None:
    """The samples to verify with, as many as asked for. Raises InputError where they are not numbers."""
    given = options.verify_input
    if given is None:
        return None
    try:
        if isinstance(given, Mapping):
            return {name: np.asarray(x, np.float32)[: options.verify] for name, x in given.items()}
        return np.asarray(given, np.float32)[: options.verify]
    except (ValueError, TypeError, IndexError):
        raise InputError("verify_input is not an array of numbers (N, ...); correct it") from None
