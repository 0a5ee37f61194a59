"""Single layers on both back ends against golden and against the cycles of the model."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.simulation.cases import Result, run_specs


def require_exact(results: Sequence[Result]) -> None:
    """Every layer was legal, bit-exact and as fast as predicted."""
    for result in results:
        assert result["error"] is None and result["bit_exact"], result
        assert result["cycles_measured"] == result["cycles"], result


def run_exact(specs: Sequence[dict[str, object]], seed: int) -> list[Result]:
    """Results of both back ends under every pattern of stalls, each with and without a reset in mid-frame."""
    return run_specs(specs, ("rtl", "hls"), stalls=None, seed=seed)
