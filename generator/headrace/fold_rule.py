"""The rule of folds: each divides the size that it shares out over cycles, which a layer names in `fold_sizes`: PE the
rows of a matrix, SIMD its columns, and of a layer without weights the channels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from headrace.errors import FoldingError
from headrace.suggest import did_you_mean

#: What a folding calls the channels that a convolution makes, more than it has included.
CHANNELS = "channels"


def divisors(number: int) -> list[int]:
    """All positive divisors in ascending order.

    >>> divisors(8)
    [1, 2, 4, 8]
    """
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return sorted({*small, *(number // d for d in small)})


def require_divides(layer: str, fold_name: str, fold: int, size_name: str, size: int) -> None:
    """Raise FoldingError unless `fold` divides `size`, naming the legal values."""
    if fold < 1 or size % fold:
        raise FoldingError(f"{layer}: {fold_name}={fold} must divide {size_name}={size}; "
                           f"choose one of {divisors(size)}")


def require_keys(layer: str, keys: Iterable[str], legal: Sequence[str]) -> None:
    """Raise FoldingError for the first key that a folding does not have for a layer, naming those that it has."""
    for key in keys:
        if key not in legal:
            raise FoldingError(f"{layer}: {key} cannot be folded; {did_you_mean(key, legal)}choose one of "
                               f"{list(legal)}")
