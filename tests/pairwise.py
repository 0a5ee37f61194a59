"""Specs over lists of factors: every pair of values once, or the full product."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

Spec = dict[str, object]
#: A factor is a list of values, each a part of a spec.
Part = Mapping[str, object]
Factor = Sequence[Part]
Factors = Sequence[Factor]
Pair = tuple[int, int, int, int]  # factor, its value, another factor, its value


#: Rows that are tried for every row that is taken.
CANDIDATES = 40


def _pairs_with(row: dict[int, int], factor: int, value: int) -> Iterator[Pair]:
    """Pairs that `value` of `factor` makes with the values already in a row."""
    for other, chosen in row.items():
        yield (other, chosen, factor, value) if other < factor else (factor, value, other, chosen)


def _pairs(row: dict[int, int]) -> set[Pair]:
    """All pairs in a row."""
    return {(a, row[a], b, row[b]) for a, b in combinations(sorted(row), 2)}


def _row(first: Pair, sizes: Sequence[int], missing: set[Pair]) -> dict[int, int]:
    """A row with one missing pair, every further value chosen for the missing pairs that it adds."""
    row = {first[0]: first[1], first[2]: first[3]}
    for factor in set(range(len(sizes))) - set(row):
        row[factor] = max(range(sizes[factor]),
                          key=lambda value: sum(pair in missing for pair in _pairs_with(row, factor, value)))
    return row


def pairwise(factors: Factors) -> list[Spec]:
    """Specs in which every two values of different factors meet; greedy, hence few but not the fewest."""
    sizes = [len(values) for values in factors]
    missing = {(a, i, b, j) for a, b in combinations(range(len(sizes)), 2)
               for i in range(sizes[a]) for j in range(sizes[b])}
    rows = []
    while missing:
        seeds = sorted(missing)[:: max(1, len(missing) // CANDIDATES)]
        row = max((_row(pair, sizes, missing) for pair in seeds), key=lambda row: len(_pairs(row) & missing))
        missing -= _pairs(row)
        rows.append(_merged(factors, [row[factor] for factor in range(len(sizes))]))
    return rows


def full_product(factors: Factors) -> list[Spec]:
    """Specs for every combination of values."""
    return [_merged(factors, chosen) for chosen in product(*(range(len(values)) for values in factors))]


def _merged(factors: Factors, chosen: Sequence[int]) -> Spec:
    spec: Spec = {}
    for values, index in zip(factors, chosen, strict=True):
        spec |= values[index]
    return spec


def specs(kind: str, parts: Sequence[Part]) -> list[Spec]:
    """Specs of one kind, each with a seed of its own; of a class of types "a|b|c" they take the members in turn."""
    uses: Counter[str] = Counter()
    rows = []
    for index, part in enumerate(parts):
        row = {"kind": kind, **part, "seed": index}
        for key, value in part.items():
            if isinstance(value, str):
                members = value.split("|")
                row[key] = members[uses[value] % len(members)]
                uses[value] += 1
        rows.append(row)
    return rows
