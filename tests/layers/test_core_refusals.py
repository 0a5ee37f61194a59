"""What a matrix unit says of a core that does not serve it: the rule that it breaks, and the way out."""

from __future__ import annotations

import pytest

from headrace.datatypes import parse
from headrace.errors import InputError
from headrace.layers.cores import Mixed, Operands
from headrace.layers.spec import layer_from_spec
from tests.layers.test_mvtu import spec


@pytest.mark.parametrize(("types", "more", "sentence"), [
    ("int2 uint2 acc", {"core": "planes"},
     "mvtu0: core planes cannot multiply weights of type int2 by inputs of type uint2: it takes sums that only "
     "meet thresholds, and this layer puts out its sums; choose one of ['auto', 'plain', 'pairs', 'dsp']"),
    ("int4 uint4 acc", {"core": "fast"},
     "mvtu0: core 'fast' is unknown; choose one of ['auto', 'plain', 'parity', 'pairs', 'dsp', 'planes', 'halves', "
     "'tables', 'mixed'], or mixed:ROWS"),
    ("int4 uint4 acc", {"core": "parity"},
     "mvtu0: core parity cannot multiply weights of type int4 by inputs of type uint4: it takes bipolar weights "
     "and inputs; choose one of ['auto', 'plain', 'pairs', 'dsp']"),
    ("int5 uint4 acc", {"core": "pairs"},
     "mvtu0: core pairs cannot multiply weights of type int5 by inputs of type uint4: it takes weights of at "
     "most 4 bits, not 5; choose one of ['auto', 'plain', 'dsp', 'halves', 'mixed']"),
    ("int8 uint8 acc", {"core": "mixed:0"},
     "mvtu0: core 'mixed:0' is unknown; write mixed:ROWS with ROWS from 1 to 999999"),
    ("int8 uint8 acc", {"core": "mixed", "storage": "ram"},
     "mvtu0: core mixed needs weights that stay; choose core plain for a layer whose weights are writable"),
    ("bipolar bipolar acc", {"core": "dsp"},
     "mvtu0: core dsp cannot multiply weights of type bipolar by inputs of type bipolar: it takes no bipolar weights "
     "or inputs; choose one of ['auto', 'plain', 'parity']"),
    ("int4 int8 acc", {"core": "halves"},
     "mvtu0: core halves cannot multiply weights of type int4 by inputs of type int8: it takes weights of 5 to 8 bits, "
     "not 4; choose one of ['auto', 'plain', 'pairs', 'dsp', 'mixed']"),
    ("int8 int12 acc", {"core": "dsp"},
     "mvtu0: core dsp cannot multiply weights of type int8 by inputs of type int12: two rows share a multiplier where "
     "twice the bits of a weight and those of an input are at most 26 together, not 28; choose one of ['auto', "
     "'plain', 'halves']"),
    ("int2 uint9 uint2", {"core": "tables"},
     "mvtu0: core tables cannot multiply weights of type int2 by inputs of type uint9: it takes inputs of at most 8 "
     "bits, not 9; choose one of ['auto', 'plain', 'pairs', 'dsp', 'mixed']"),
    ("int5 uint4 uint2", {"core": "planes"},
     "mvtu0: core planes cannot multiply weights of type int5 by inputs of type uint4: it takes weights and inputs of "
     "at most 4 bits, not 5; choose one of ['auto', 'plain', 'dsp', 'halves', 'tables', 'mixed']"),
    ("int4 uint4 acc", {"core": "dsp", "external": True},
     "mvtu0: core dsp needs weights that stay; choose core plain or pairs for a layer whose weights are external"),
    ("int4 uint4 acc", {"groups": 2, "scale": "uint2", "external": True},
     "mvtu0: its weights have scales and cannot be external; leave it out of --external"),
    ("int2 uint2 uint2", {"core": "tables", "mh": 36},
     "mvtu0: core tables cannot multiply weights of type int2 by inputs of type uint2: it takes at most 32 words "
     "of weights, and 72 at PE=2 and SIMD=2 are more; choose one of ['auto', 'plain', 'pairs', 'dsp', 'planes']"),
    ("int8 uint8 acc", {"core": "dsp", "groups": 2, "scale": "uint2"},
     "mvtu0: core dsp cannot multiply weights of type int8 by inputs of type uint8: it takes no weights with "
     "scales; choose one of ['auto', 'plain']"),
])
def test_a_core_that_does_not_serve_is_an_error(types: str, more: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        layer_from_spec(spec(4, 8, 2, 2, types) | more)
    assert str(error.value) == sentence


@pytest.mark.parametrize(("types", "pe", "core", "reason"), [
    ("int4 uint4", 6, "mixed:6", "6 rows in DSP blocks leave none of PE=6 for LUTs; choose mixed:2 to mixed:5, or"),
    ("int4 uint4", 6, "mixed:900", "900 rows in DSP blocks leave none of PE=6 for LUTs; choose mixed:2 to mixed:5, or"),
    ("int4 uint4", 6, "mixed:1", "products of 1 of PE=6 rows have 8 bits together, and a DSP block is taken for 9 or "
     "more; choose mixed:2 to mixed:5, or"),
    ("int2 uint2", 4, "mixed", "products of 2 of PE=4 rows have 8 bits together, and a DSP block is taken for 9 or "
     "more; choose mixed:3, or"),
    ("int4 uint4", 2, "mixed:1", "it takes a PE of 3 or more, not 2, and mixed:2 or more; choose one"),
    ("int4 uint4", 2, "mixed:5", "it takes a PE of 6 or more, not 2; choose one"),
    ("int8 uint8", 1, "mixed", "it takes a PE of 2 or more, not 1; choose one"),
    ("int9 uint8", 6, "mixed:2", "it takes weights of at most 8 bits, not 9; choose one"),
    ("uint1 uint4", 6, "mixed:2", "it takes weights of 2 bits or more, not 1; choose one"),
    ("int4 uint1", 6, "mixed:2", "it takes inputs of 2 bits or more, not 1; choose one"),
    ("int4 uint18", 6, "mixed:2", "it takes inputs of at most 17 bits, not 18; choose one"),
    ("int8 uint12", 6, "mixed:2", "two rows share a multiplier where twice the bits of a weight and those of an input "
     "are at most 26 together, not 28; choose one"),
    ("bipolar uint4", 6, "mixed:2", "it takes no bipolar weights or inputs; choose one"),
    ("int4 bipolar", 6, "mixed:2", "it takes no bipolar weights or inputs; choose one"),
])
def test_rows_in_dsp_blocks_that_cannot_be_name_the_rule_that_they_break(types: str, pe: int, core: str, reason: str
                                                                        ) -> None:
    weight, element = types.split()
    with pytest.raises(InputError) as error:
        layer_from_spec(spec(12, 8, pe, 2, f"{types} acc", core=core))
    assert str(error.value).startswith(f"mvtu0: core {core} cannot multiply weights of type {weight} by inputs of type "
                                       f"{element}: {reason} ")


@pytest.mark.parametrize("types", ["int2 uint2", "int3 int4", "int4 uint4", "int8 uint8"])
def test_the_rows_that_a_refusal_offers_are_all_that_can_be(types: str) -> None:
    weight, element = map(parse, types.split())
    for pe in range(1, 9):
        operands = Operands(weight, element, pe, 2, True, False, False, 1)
        able = [rows for rows in range(1, 12) if Mixed(rows).serves(operands)]
        offered = " to ".join(f"mixed:{rows}" for rows in dict.fromkeys((able[0], able[-1]))) if able else ""
        assert Mixed().forms_that_serve(operands) == offered
        assert able == list(range(able[0], able[-1] + 1)) if able else pe <= 3
