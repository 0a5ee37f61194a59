
from __future__ import annotations

import pytest

from headrace.dataflow.choose_cores import choose_cores, named_cores, parse_cores
from headrace.dataflow.lower import lower
from headrace.datatypes import BIPOLAR, DataType, int_type, uint_type
from headrace.errors import InputError
from headrace.layers.mvtu import Mvtu
from headrace.layers.spec import layer_from_spec
from tests.small_networks import small_network


def test_a_layers_own_core_comes_before_that_of_all() -> None:
    chosen = choose_cores(lower(small_network()), parse_cores(["plain", "conv0=dsp", "fc3=auto", "fc4=pairs"]))
    cores = {layer.name: layer.chosen_core for layer in Mvtu.among(chosen.layers)}
    assert cores == {"conv0": "dsp", "conv1": "plain", "fc3": "plain", "fc4": "pairs"}


@pytest.mark.parametrize(("texts", "sentence"), [
    (["plain", "pairs"], "core pairs: the core of all layers was given before; leave one out"),
    (["fc3=plain", "fc3=pairs"], "core fc3=pairs: fc3 was given before; leave one out"),
    (["pool2=plain"], "core: there is no layer pool2 with weights; choose one of ['conv0', 'conv1', 'fc3', 'fc4']"),
    (["parity"], "conv0: core parity cannot multiply weights of type [-7,7] by inputs of type uint4: it takes "
                 "bipolar weights and inputs; choose one of ['auto', 'plain', 'pairs', 'dsp', 'planes']"),
])
def test_illegal_cores(texts: list[str], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        choose_cores(lower(small_network()), parse_cores(texts))
    assert str(error.value) == sentence


@pytest.mark.parametrize(("weight", "element", "fold", "core"), [
    (BIPOLAR, uint_type(2), (16, 16), "planes"),  # Yosys: 903 LUT with the thresholds, pairs 945
    (int_type(2), uint_type(2), (8, 8), "pairs"),
    (int_type(4), uint_type(4), (16, 32), "pairs"),
])
def test_auto_takes_the_core_that_was_measured_smaller(weight: DataType, element: DataType, fold: tuple[int, int],
                                                       core: str) -> None:
    spec = {"kind": "mvtu", "mw": 18 * fold[1], "mh": 4 * fold[0], "pe": fold[0], "simd": fold[1],
            "weight": str(weight), "input": str(element), "output": "uint2"}
    layer = layer_from_spec(spec).layer
    assert isinstance(layer, Mvtu) and layer.chosen_core == core


@pytest.mark.parametrize(("types", "fold", "core"), [
    ("int6 uint6", (1, 1), "plain"),  # Yosys: 53 LUT and a DSP block, dsp 59 and one
    ("int8 uint8", (1, 1), "plain"),  # 171 and one, dsp 174 and one
    ("bipolar bipolar", (1, 1), "parity"),  # 62, plain 62
    ("int8 uint1", (2, 2), "dsp"),  # no DSP block; plain takes four
])
def test_auto_counts_the_blocks_that_synthesis_takes(types: str, fold: tuple[int, int], core: str) -> None:
    weight, element = types.split()
    spec = {"kind": "mvtu", "mw": 64, "mh": 10, "pe": fold[0], "simd": fold[1], "weight": weight, "input": element,
            "output": "acc"}
    layer = layer_from_spec(spec).layer
    assert isinstance(layer, Mvtu) and layer.chosen_core == core


def test_named_cores_are_those_that_were_not_left_to_the_cost() -> None:
    chosen = choose_cores(lower(small_network()), parse_cores(["conv0=dsp", "fc3=auto"]))
    assert named_cores({f"my {layer.name}": layer for layer in chosen.layers}) == {"my conv0": "dsp"}
