"""Which core computes a layer: the one that is asked for, or the cheapest by the estimator."""

from __future__ import annotations

from collections.abc import Callable

from headrace.area.amounts import Amounts
from headrace.area.usage import Resources
from headrace.errors import InputError
from headrace.layers.cores import CORES, Core, Mixed, Operands, Unit, core_named
from headrace.layers.cores.mixed import MAX_ROWS
from headrace.memory import PRICES, Prices
from headrace.suggest import did_you_mean

#: Asks for the cheapest core.
AUTO = "auto"
#: Estimates so close together are equal: half of them are further from synthesis.
_SAME_COST = 0.02


def require_serves(layer: str, core: str, operands: Operands) -> None:
    """Raise InputError if a core is unknown or does not serve the operands."""
    if core == AUTO:
        return
    if (found := core_named(core)) is None:
        raise InputError(f"{layer}: {unknown_core(core)}")
    if refused := found.refusal(operands):
        able = [name for name, known in CORES.items() if known.serves(operands)]
        form = found.forms_that_serve(operands)
        raise InputError(f"{layer}: core {core} cannot multiply weights of type {operands.weight} by inputs of type "
                         f"{operands.input}: {refused}; choose {f'{form}, or ' * bool(form)}one of {[AUTO, *able]}")


def unknown_core(core: object) -> str:
    """That there is no such core, as a sentence."""
    if isinstance(core, str) and core.startswith(f"{Mixed.name}:"):
        return f"core {core!r} is unknown; write {Mixed.name}:ROWS with ROWS from 1 to {MAX_ROWS}"
    return (f"core {core!r} is unknown; {did_you_mean(str(core), [AUTO, *CORES])}choose one of {[AUTO, *CORES]}, or "
            f"{Mixed.name}:ROWS")


def cheapest(operands: Operands, estimate_with: Callable[[Core], Resources], prices: Prices = PRICES) -> Core:
    """The core with which a layer takes the fewest LUTs, DSP blocks included at their price; of equals the one with the
    fewest flip-flops.
    """
    able = [core for core in CORES.values() if core.serves(operands) and not core.on_request]
    if len(able) == 1:
        return able[0]
    found = [estimate_with(core) for core in able]
    costs = [taken.all_luts + prices.dsp * taken.dsp for taken in found]
    equals = [(taken.ff, core) for core, taken, cost in zip(able, found, costs, strict=True)
              if cost <= min(costs) * (1 + _SAME_COST)]
    return min(equals, key=lambda pair: pair[0])[1]


def in_other_resource(operands: Operands, chosen: Core, estimate_with: Callable[[Core], Resources]) -> Core | None:
    """The core that takes the fewest LUTs without DSP blocks in place of one with them, or with them to take fewer.

    All rows go the same way.
    """
    taken = estimate_with(chosen)
    found = [(estimate_with(core), core) for core in CORES.values()
             if core is not chosen and not core.splits_rows and core.serves(operands)]
    found = [(cost, core) for cost, core in found
             if (not cost.dsp if taken.dsp else cost.dsp and cost.all_luts < taken.all_luts)]
    return min(found, key=lambda pair: pair[0].all_luts)[1] if found else None


def accumulators(a: Amounts, core: Core, unit: Unit) -> None:
    """One per row; where it is preset to a threshold, the core counts it."""
    if not unit.preset:
        bits = unit.operands.pe * unit.acc_bits
        a.add("accumulator", lut=bits if unit.words > 1 or core.adds_two(unit) else 0, ff=bits)
