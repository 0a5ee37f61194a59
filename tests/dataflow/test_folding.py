import json

import pytest

from generator.dataflow.folding import folding_target, load_folding, replace_folds, solve_folding
from generator.errors import FoldingError, InputError, divisors
from generator.layers import Mvtu
from generator.passes.lower import lower
from generator.passes.thresholds_before_pooling import thresholds_before_pooling
from tests.small_networks import small_network


@pytest.fixture(scope="module")
def dataflow():
    return lower(thresholds_before_pooling(small_network()))


@pytest.mark.parametrize("target", [576, 600, 900, 5000, 100_000])
def test_every_matrix_unit_is_as_small_as_the_target_allows(dataflow, target):
    folding = solve_folding(dataflow, target)
    for layer in dataflow.layers:
        assert replace_folds(layer, folding[layer.name]).cycles <= target
        if isinstance(layer, Mvtu):
            chosen = folding[layer.name]
            for pe in divisors(layer.mh):
                for simd in divisors(layer.mw):
                    if pe * simd < chosen["pe"] * chosen["simd"]:
                        assert replace_folds(layer, {"pe": pe, "simd": simd}).cycles > target


def test_given_folds_are_kept_and_set_the_pace(dataflow):
    given = {"conv1": {"pe": 2, "simd": 4}}
    target = folding_target(dataflow, given)
    folding = solve_folding(dataflow, target, given)
    assert folding["conv1"] == {"pe": 2, "simd": 4}
    assert max(replace_folds(layer, folding[layer.name]).cycles for layer in dataflow.layers) == target


@pytest.mark.parametrize(("given", "sentence"), [
    ({"conv1": {"pe": 4}}, "conv1: PE=4 must divide MH=6; choose one of [1, 2, 3, 6]"),
    ({"fc3": {"simd": 5}}, "fc3: SIMD=5 must divide MW=54; choose one of [1, 2, 3, 6, 9, 18, 27, 54]"),
    ({"conv9": {"pe": 1}}, "folding: there is no layer conv9; choose one of "
                           "['conv0_swu', 'conv0', 'conv1_swu', 'conv1', 'pool2', 'fc3', 'fc4']"),
    ({"pool2": {"simd": 1}}, "pool2: simd cannot be folded; choose one of ['pe']"),
])  # fmt: skip
def test_illegal_foldings(dataflow, given, sentence):
    with pytest.raises(FoldingError) as error:
        folding_target(dataflow, given)
    assert str(error.value) == sentence


def test_a_rate_that_no_folding_reaches(dataflow):
    with pytest.raises(FoldingError, match=r"^\w+: 10 cycles per frame are asked for but it needs at least \d+; ask"):
        solve_folding(dataflow, 10)


@pytest.mark.parametrize("content", ["[1]", '{"conv0": 3}', '{"conv0": {"pe": 1.5}}', "{", '{"c": {"pe": true}}'])
def test_bad_folding_files(tmp_path, content):
    path = tmp_path / "folding.json"
    path.write_text(content)
    with pytest.raises(InputError, match="folding file"):
        load_folding(path)


def test_missing_folding_file(tmp_path):
    with pytest.raises(InputError, match=r"folding.json: the folding file cannot be read; check the path"):
        load_folding(tmp_path / "folding.json")


def test_good_folding_file(tmp_path):
    path = tmp_path / "folding.json"
    path.write_text(json.dumps({"conv0": {"pe": 2}}))
    assert load_folding(path) == {"conv0": {"pe": 2}}
