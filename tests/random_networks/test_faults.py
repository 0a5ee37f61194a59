"""Random networks find faults that are put in by hand, each within 200 cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from headrace import design
from headrace.dataflow.graph import Dataflow
from headrace.layers import Dwc
from headrace.network.rounding import TIES_UP
from headrace.render.rtl import render_rtl
from headrace.timing.fifo_sizing import Sizing, size_fifos
from tests.random_networks import hardware
from tests.random_networks.checks import require_integers, require_outputs, require_words
from tests.random_networks.descriptions import Description
from tests.random_networks.strategies import descriptions

pytestmark = pytest.mark.slow
WITHIN = 200


def found_after(check: Callable[[Description], None]) -> int:
    """How many networks it takes until one fails."""
    tried: list[Description] = []

    @settings(max_examples=WITHIN, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck), report_multiple_bugs=False)
    @given(descriptions)
    def search(description: Description) -> None:
        tried.append(description)
        check(description)

    with pytest.raises(AssertionError) as error:
        search()
    print(f"found by network {len(tried)}: {error.value}")
    return len(tried)


def test_a_tie_that_goes_up_instead_of_to_the_even_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TIES_UP, "half_even", lambda code: True)
    assert found_after(require_outputs) <= WITHIN


def test_a_fifo_one_word_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    real = size_fifos

    def smaller(dataflow: Dataflow, given: Mapping[str, int] | None, exact: bool, progress: Callable[[str], None]
                ) -> Sizing:
        sizing = real(dataflow, given, exact, progress)
        name = next((name for name, words in sizing.smallest.items() if words and sizing.exact), None)
        return sizing if name is None else replace(sizing, depths={**sizing.depths, name: sizing.smallest[name] - 1})

    monkeypatch.setattr(design, "size_fifos", smaller)
    assert found_after(require_integers) <= WITHIN


FIRST, SECOND = "ready_q ? s_axis_TDATA[UNIT-1:0]", "ready_q ? s_axis_TDATA[2*UNIT-1:UNIT]"
UNIT, SWAPPED = "s_axis_TDATA[u*UNIT+:UNIT]", "s_axis_TDATA[(u < 2 ? 1 - u : u)*UNIT+:UNIT]"


def test_two_lanes_swapped_in_a_width_converter(monkeypatch: pytest.MonkeyPatch) -> None:
    """In SystemVerilog alone; networks without such a converter cannot show it, and are not simulated."""
    real = render_rtl

    def swapped(dataflow: Dataflow, header: str) -> Mapping[str, str]:
        files = dict(real(dataflow, header))
        head, narrow, rest = files["headrace_dwc.sv"].partition("begin : gen_narrow\n")
        body, end, tail = rest.partition("end else if")
        assert FIRST in body and UNIT in body
        body = body.replace(FIRST, SECOND).replace(UNIT, SWAPPED)
        return {**files, "headrace_dwc.sv": head + narrow + body + end + tail}

    monkeypatch.setattr(hardware, "render_rtl", swapped)

    def narrows(dataflow: Dataflow) -> bool:
        return any(layer.in_lanes > 1 and layer.in_lanes % layer.out_lanes == 0 for layer in Dwc.among(dataflow.layers))

    assert found_after(lambda description: require_words(description, narrows)) <= WITHIN


def test_nothing_is_found_without_a_fault() -> None:
    with pytest.raises(pytest.fail.Exception):
        found_after(lambda _: None)
