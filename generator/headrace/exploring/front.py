"""The Pareto front: points that no other one beats in every respect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: What a point is judged by: 1 where more is better, -1 where less is.
GOALS: Mapping[str, int] = {"fps": 1, "lut": -1, "bram36": -1, "dsp": -1, "latency_us": -1, "accuracy": 1}


def front(rows: Sequence[Mapping[str, Any]], goals: Mapping[str, int] = GOALS) -> list[bool]:
    """For every row whether it fits and no row that fits is as good in all goals and better in one.

    A value that is None in one row counts for no row.

    >>> front([{"fits": True, "fps": 2, "lut": 9}, {"fits": True, "fps": 1, "lut": 9}], {"fps": 1, "lut": -1})
    [True, False]
    """
    able = [k for k, row in enumerate(rows) if row["fits"]]
    used = [name for name in goals if all(rows[k].get(name) is not None for k in able)]
    values = np.array([[goals[name] * rows[k][name] for name in used] for k in able], np.float64)
    kept = [False] * len(rows)
    for place, k in enumerate(able):
        worse = (values >= values[place]).all(axis=1) & (values > values[place]).any(axis=1)
        kept[k] = not worse.any()
    return kept
