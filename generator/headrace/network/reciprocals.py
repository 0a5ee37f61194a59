"""Numbers that a float64 stands for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def exact(value: Fraction) -> Fraction:
    """1 / divisor where the value is the float64 next to the reciprocal of a float32, otherwise the value itself.

    A model that divides by 6 has ties that a factor a little below 1/6 breaks.

    >>> exact(Fraction(1 / 6)), exact(Fraction(0.375))
    (Fraction(1, 6), Fraction(3, 8))
    """
    if abs(value) < 2.0**-100 or abs(value) > 2.0**100:  # far inside float32's range
        return value
    divisor = Fraction(float(np.float32(float(1 / value))))
    return 1 / divisor if float(1 / divisor) == value else value
