"""The cheapest hardware at a rate within an accuracy budget, over a bit width for every layer's weights and inputs.

Widths are lowered along a ranking as long as the exact integer network stays within the budget; then pairs of widths
are exchanged where that saves more than it costs. Rankings: the SQNR at the lowest width (Kim et al.,
arXiv:1810.13329), how little training moves the weights (US 12,393,828 B2, the subject of this granted US patent), or
what each width loses and saves alone. The cost is not counted in bits: the estimator says it of the folded network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, get_args

import numpy as np

from headrace.errors import InputError
from headrace.exploring.points import Hardware, plan_point
from headrace.frontend.torch.float_module import from_float_module
from headrace.model import Model, load
from headrace.network.float_graph import FloatNetwork
from headrace.network.graph import Network
from headrace.progress import Progress, Step, silent
from headrace.quantizing.data import Batches, first_shape
from headrace.quantizing.methods import METHODS
from headrace.quantizing.mixed import Item, ranked
from headrace.quantizing.problem import pose, require_one_output
from headrace.quantizing.runner import one_thread
from headrace.quantizing.settings import Settings, require_width
from headrace.request import Request
from headrace.suggest import did_you_mean

Rank = Literal["sensitivity", "sqnr", "weight-difference"]
PURPOSE = "a precision search"
#: For every item the place of its width among the widths.
State = tuple[int, ...]


@dataclass(frozen=True)
class Budget:
    """What is searched for.

    widths: rising. drops: percentage points, rising, by which the accuracy may fall below that of the float network.
    evaluations: different networks that the search for each drop may look at. Raises InputError for what cannot be.
    """

    widths: Sequence[int] = (2, 4, 8)
    drops: Sequence[float] = (1.0,)
    rank: Rank = "sensitivity"
    evaluations: int = 100

    def __post_init__(self) -> None:
        for bits in self.widths:
            require_width("weights and activations", bits)
        if len(self.widths) < 2 or sorted(set(self.widths)) != list(self.widths):
            raise InputError(f"widths {list(self.widths)} leave nothing to choose; give two or more that rise")
        if self.rank not in get_args(Rank):
            raise InputError(f"rank={self.rank!r} is unknown; {did_you_mean(str(self.rank), get_args(Rank))}"
                             f"choose one of {list(get_args(Rank))}")
        if bad := [drop for drop in self.drops if not 0 <= drop <= 100] or not self.drops:
            raise InputError(f"accuracy drops of {bad} percentage points are impossible; give numbers from 0 to 100")
        if sorted(self.drops) != list(self.drops):
            raise InputError(f"accuracy drops {list(self.drops)} must rise; sort them")
        if self.evaluations < 1:
            raise InputError(f"evaluations={self.evaluations} find nothing; use 1 or more")


@dataclass(frozen=True, eq=False)
class Found:
    """A network within a budget: its widths by item, its accuracy, its hardware and the cost that was least.

    cost: in LUTs, with block RAMs and DSP blocks at their prices. evaluations: of networks until it was found.
    test_accuracy: on data that the search did not see, None without such.
    """

    drop: float
    widths: dict[str, int]
    accuracy: float
    hardware: Hardware
    cost: float
    network: Network
    evaluations: int
    test_accuracy: float | None = None


class Bench:
    """Networks at any widths: accuracy of the exact integers on the kept samples, hardware at the rate of a request."""

    def __init__(self, module: Any, batches: Batches, budget: Budget, request: Request, settings: Settings,
                 example: Any = None) -> None:
        if not isinstance(module, FloatNetwork):
            if example is None:
                example, batches = first_shape(batches)
            module = from_float_module(module, example)
        require_one_output(module, PURPOSE)
        self.budget, self.request, self.batches = budget, request, batches
        self.settings = replace(settings, mixed=(budget.widths[0], budget.widths[-1]))
        self.problem = pose(module, batches, settings.samples, join_sums=METHODS[settings.method].join_sums,
                            output=METHODS[settings.method].output)
        self.labels = self.problem.kept.require_labels(PURPOSE)
        self.items = (*(Item("weights", (name,)) for name in module.layers),
                      *(Item("tensors", group) for group in self.problem.points.groups))
        self.highest: State = (len(budget.widths) - 1,) * len(self.items)
        self._seen: dict[State, tuple[Network, Model, float]] = {}
        self._costs: dict[State, tuple[Hardware | None, float]] = {}

    @property
    def evaluations(self) -> int:
        """Different networks that were looked at."""
        return len(self._seen)

    def float_accuracy(self) -> float:
        """Of the network that is quantized."""
        return self.problem.runner.accuracy(self.problem.kept.x, self.labels)

    def accuracy(self, state: State) -> float:
        """Of the exact integer network."""
        return self._network(state)[2]

    def cost(self, state: State) -> float:
        """LUTs that the hardware takes, with block RAMs and DSP blocks at their prices; inf where it does not fit."""
        return self._hardware(state)[1]

    def best(self, floor: float) -> State:
        """The cheapest state that is known and accurate enough."""
        able = [state for state in self._costs if self.accuracy(state) >= floor - _ROUNDING]
        return min(able, key=self.cost)

    def found(self, state: State, drop: float) -> Found:
        """All that is known of a state that fits."""
        network, _, accuracy = self._network(state)
        hardware, cost = self._hardware(state)
        assert hardware is not None  # its cost is finite
        widths = {"+".join(item.names): self.budget.widths[place] for item, place in zip(self.items, state, strict=True)
                  if item.part == "weights"}
        widths |= {"+".join((f"{item.names[0]} (activations)", *item.names[1:])): self.budget.widths[place]
                   for item, place in zip(self.items, state, strict=True) if item.part == "tensors"}
        return Found(drop, widths, accuracy, hardware, cost, network, self.evaluations)

    def _network(self, state: State) -> tuple[Network, Model, float]:
        if state not in self._seen:
            settings = self.settings
            widths = self.problem.widths(self.budget.widths[-1], self.budget.widths[-1], settings.bias_bits)
            for item, place in zip(self.items, state, strict=True):
                changed = getattr(widths, item.part) | dict.fromkeys(item.names, self.budget.widths[place])
                widths = replace(widths, **{item.part: changed})
            network = METHODS[settings.method].at(self.problem, widths, settings).network
            model = load(network)
            scores = model.predict(self.problem.kept.x).reshape(len(self.labels), -1)
            self._seen[state] = network, model, float(np.mean(scores.argmax(axis=1) == self.labels))
        return self._seen[state]

    def _hardware(self, state: State) -> tuple[Hardware | None, float]:
        if state not in self._costs:
            point = plan_point(self._network(state)[1], self.request)
            taken, prices = point.hardware and point.hardware.resources, self.request.recipe.prices
            cost = math.inf
            if taken and point.fits:
                cost = taken.all_luts + prices.block * taken.bram18 + prices.dsp * taken.dsp
            self._costs[state] = point.hardware, cost
        return self._costs[state]


def search(bench: Bench, progress: Progress = silent) -> list[Found]:
    """The cheapest network that was found for every budget.

    Raises InputError where the widest network is not within a budget or does not fit the board.
    """
    with one_thread():
        first, found = bench.float_accuracy(), []
        _require_start(bench, first, bench.budget.drops[0])
        order, spent = _order(bench, progress), 0
        for drop in bench.budget.drops:
            floor, limit = first - drop / 100, spent + bench.budget.evaluations
            state = _descend(bench, order, floor, limit, progress)
            _exchange(bench, state, floor, limit, progress)
            found.append(bench.found(bench.best(floor), drop))
            spent = bench.evaluations
        return found


def exhaustive(bench: Bench, progress: Progress = silent) -> list[Found]:
    """The cheapest of all networks for every budget: as many evaluations as there are states."""
    with one_thread():
        first, states = bench.float_accuracy(), list(product(range(len(bench.budget.widths)), repeat=len(bench.items)))
        for number, state in enumerate(states):
            progress(Step(f"network {number} of {len(states)}", "all networks", number / len(states)))
            bench.accuracy(state)
        found = []
        _require_start(bench, first, bench.budget.drops[0])
        for drop in bench.budget.drops:
            able = [state for state in states if bench.accuracy(state) >= first - drop / 100 - _ROUNDING]
            found.append(bench.found(min(able, key=bench.cost), drop))
        return found


#: Differences of accuracies are whole samples; those of two shares are not quite.
_ROUNDING = 1e-12


def _require_start(bench: Bench, first: float, drop: float) -> None:
    lost = 100 * (first - bench.accuracy(bench.highest))
    if lost > drop + 100 * _ROUNDING:
        raise InputError(f"at {bench.budget.widths[-1]} bits everywhere the network already loses {lost:.2f} "
                         f"percentage points; allow more than {drop:g}, or give a wider width")
    if math.isinf(bench.cost(bench.highest)):
        raise InputError(f"at {bench.budget.widths[-1]} bits everywhere the network does not fit "
                         f"{bench.request.board.name} at this rate; name a larger board or a lower rate")


def _lowered(state: State, index: int, by: int = 1) -> State:
    return tuple(place - by if k == index else place for k, place in enumerate(state))


def _order(bench: Bench, progress: Progress) -> list[int]:
    """The items, those to be lowered first in front."""
    if bench.budget.rank == "sensitivity":
        progress("lowering every width alone")
        return sorted(range(len(bench.items)), key=lambda index: _price(bench, _lowered(bench.highest, index)))
    progress(f"ranking by {bench.budget.rank}")
    places = {item: place for place, item in enumerate(bench.items)}
    return [places[item] for item in ranked(bench.problem, METHODS[bench.settings.method].at, bench.settings,
                                            bench.batches, bench.budget.rank)]


def _price(bench: Bench, state: State) -> tuple[float, float]:
    """Accuracy lost for every LUT that a state saves, and less what it saves."""
    saved = bench.cost(bench.highest) - bench.cost(state)
    lost = max(0.0, bench.accuracy(bench.highest) - bench.accuracy(state))
    return (lost / saved, -saved) if saved > 0 else (math.inf, lost)


def _better(bench: Bench, state: State, than: State, floor: float) -> bool:
    """Is a state within the budget, and cheaper? Its cost is asked for last, for it takes longest."""
    return bench.accuracy(state) >= floor - _ROUNDING and bench.cost(state) < bench.cost(than)


def _descend(bench: Bench, order: Sequence[int], floor: float, limit: int, progress: Progress) -> State:
    """Every width as low as it can be, one after the other, from the best that is known."""
    state = bench.best(floor)
    for index in order:
        while state[index] and bench.evaluations < limit and _better(
                bench, lower := _lowered(state, index), state, floor):
            state = lower
            progress(f"{bench.evaluations} networks: {bench.cost(state):.0f} LUTs at {bench.accuracy(state):.2%}")
    return state


def _exchange(bench: Bench, state: State, floor: float, limit: int, progress: Progress) -> None:
    """One width lower and another one higher, as long as that helps and the budget lasts."""
    # What single widths save says which exchanges are worth a look.
    again = bench.evaluations + len(bench.items) <= limit or bench.budget.rank == "sensitivity"
    while again:
        again = False
        for other in _exchanges(bench, state):
            if bench.evaluations >= limit:
                return
            if _better(bench, other, state, floor):
                state, again = other, True
                progress(f"{bench.evaluations} networks: {bench.cost(state):.0f} LUTs at {bench.accuracy(state):.2%}")
                break


def _exchanges(bench: Bench, state: State) -> Iterator[State]:
    """Neighbours of a state, those first that should save most by what single widths saved."""
    saves = [_saving(bench, index) for index in range(len(bench.items))]
    top = len(bench.budget.widths) - 1
    pairs = [(down, up) for down, up in product(range(len(state)), repeat=2)
             if down != up and state[down] and state[up] < top and saves[down] > saves[up]]
    for down, up in sorted(pairs, key=lambda pair: saves[pair[1]] - saves[pair[0]]):
        yield _lowered(_lowered(state, down), up, -1)
    for index in range(len(state)):
        if state[index]:
            yield _lowered(state, index)


def _saving(bench: Bench, index: int) -> float:
    """What lowering a width alone saves."""
    return bench.cost(bench.highest) - bench.cost(_lowered(bench.highest, index))
