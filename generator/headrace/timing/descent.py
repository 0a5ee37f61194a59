"""The smallest number that is fast enough, from few trials: how slow the others are tells where it is."""

from __future__ import annotations

from fractions import Fraction
from math import ceil


class Descent:
    """A search between a number that is too small and one that is enough; what lies above enough is too.

    The pace of a number that is too small mostly grows in proportion to what it lacks, or its rate does. So the next
    number is where a line through the last two meets the target, or the two halves of what is left where that does not
    help.
    """

    def __init__(self, target: Fraction, too_small: int, enough: int) -> None:
        self.target, self.too_small, self.enough = target, too_small, enough
        self._slow: list[tuple[int, Fraction]] = []
        self._halve = False

    @property
    def open(self) -> bool:
        """True if there is something between the two."""
        return self.enough - self.too_small > 1

    def tried(self, number: int, pace: Fraction | None) -> None:
        """What a number has led to; None if nothing moved."""
        before = self.enough - self.too_small
        if pace is not None and pace <= self.target:
            self.enough = number
        else:
            self.too_small = max(number, 1)  # a word takes the register slice of two
            self._slow = [*self._slow[-1:], (number, pace)] if pace is not None else []
        self._halve = not self._halve and 2 * (self.enough - self.too_small) > before

    def next(self) -> int:
        """The next number to try."""
        middle = (self.too_small + self.enough) // 2
        guess = middle if self._halve or not self._slow else self._met()
        return min(max(guess, self.too_small + 1), self.enough - 1)

    def _met(self) -> int:
        """Where the target is met."""
        number, pace = self._slow[-1]
        before, slower = self._slow[0]
        if slower > pace:
            return number + ceil((number - before) * (pace - self.target) / (slower - pace))
        return ceil(number * pace / self.target)
