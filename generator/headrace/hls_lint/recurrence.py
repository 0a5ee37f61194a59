"""The slowest recurrence of a loop: the circle of carried values with the largest mean delay per iteration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from headrace.hls_lint.values import Heavy, Key, Path

Edges = Mapping[Key, Mapping[Key, Path]]
_SMALL_NS = 1e-6


def slowest_circle(edges: Edges) -> tuple[float, list[Key]]:
    """Mean delay in ns of the slowest circle of carried values, and its values in the order of the delays.

    No schedule can start an iteration sooner after the last one than this, however the registers are placed.
    edges: for every value the ways to it from values of the iteration before.
    """
    ways = {key: {source: path.ns for source, path in sources.items() if source in edges}
            for key, sources in edges.items()}
    mean, circle = 0.0, list[Key]()
    while found := _faster_circle(ways, mean + _SMALL_NS):
        circle = found
        mean = sum(ways[key][source] for source, key in _steps(circle)) / len(circle)
    return mean, circle


def _steps(circle: Sequence[Key]) -> Iterator[tuple[Key, Key]]:
    return zip(circle, [*circle[1:], circle[0]], strict=True)


def _faster_circle(ways: Mapping[Key, Mapping[Key, float]], mean: float) -> list[Key] | None:
    """A circle with a larger mean: the longest ways still grow after as many steps as there are values."""
    late, before = dict.fromkeys(ways, 0.0), dict[Key, Key]()
    grown: Key | None = None
    for _ in range(len(ways) + 1):
        grown = None
        for key, sources in ways.items():
            for source, ns in sources.items():
                if late[source] + ns - mean > late[key] + _SMALL_NS / 2:
                    late[key], before[key], grown = late[source] + ns - mean, source, key
        if grown is None:
            return None
    assert grown is not None  # it grew in the last step
    for _ in ways:
        grown = before[grown]
    circle = [grown]
    while (previous := before[circle[-1]]) != grown:
        circle.append(previous)
    return circle[::-1]


def carried_operations(edges: Edges) -> list[Heavy]:
    """Multiplications, divisions and loads that lie on a circle of carried values, by their place."""
    found: set[Heavy] = set()
    for key, sources in edges.items():
        behind: set[Key] | None = None
        for source, path in sources.items():
            if path.heavy and source in edges:
                behind = _reached(edges, source) if behind is None or key != source else behind
                if key in behind:
                    found |= path.heavy
    return sorted(found, key=lambda heavy: (heavy[1], heavy[0]))


def _reached(edges: Edges, start: Key) -> set[Key]:
    """The values that `start` depends on, itself among them."""
    seen, waiting = {start}, [start]
    while waiting:
        fresh = [source for source in edges.get(waiting.pop(), ()) if source not in seen]
        seen |= set(fresh)
        waiting += fresh
    return seen
