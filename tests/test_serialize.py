
from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace import serialize
from headrace.dataflow.lower import lower
from headrace.errors import InputError
from headrace.layers import LAYERS
from headrace.network.integer import MaxPool
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from tests.small_dataflows import small_cnn
from tests.small_networks import random_input, small_network
from tests.streamline.graphs import legal_network

NETWORK = legal_network(0)
LOWERED = lower(thresholds_before_pooling(small_network()))
VALUES = {"network": NETWORK, "integer": small_network(), "dataflow": small_cnn(), "lowered": LOWERED}


@pytest.mark.parametrize("name", VALUES)
def test_round_trip_is_byte_identical(name: str, tmp_path: Path) -> None:
    serialize.save(VALUES[name], tmp_path / "a.first")
    again = serialize.load(tmp_path / "a.first")
    serialize.save(again, tmp_path / "b")
    assert type(again) is type(VALUES[name])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.first.json", "a.first.npz", "b.json", "b.npz"]
    for suffix in (".json", ".npz"):
        assert (tmp_path / f"a.first{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
    assert serialize.digest(again) == serialize.digest(VALUES[name])


def test_what_is_loaded_computes_the_same(tmp_path: Path) -> None:
    for name, value in VALUES.items():
        serialize.save(value, tmp_path / name)
    x = np.random.default_rng(0).normal(size=(3, *NETWORK.input.shape))
    assert np.array_equal(serialize.load(tmp_path / "network").forward(x), NETWORK.forward(x))
    q = random_input(small_network(), 2)
    lowered = serialize.load(tmp_path / "lowered")
    assert np.array_equal(lowered.golden(q)[lowered.output_port], LOWERED.golden(q)[lowered.output_port])


def test_every_layer_is_in_the_registry() -> None:
    assert set(LAYERS.values()) <= set(serialize.CLASSES)
    assert len({serialize._tag(cls) for cls in serialize.CLASSES}) == len(serialize.CLASSES)


SCALARS = (st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
           | st.fractions() | st.frozensets(st.integers()))


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3).map(tuple)))
def test_plain_values_round_trip(value: object) -> None:
    encoder = serialize._Encoder()
    again = serialize._decode(json.loads(json.dumps(encoder.encode(value), allow_nan=False)), [])
    assert again == value and type(again) is type(value)


def test_digest_sees_every_part() -> None:
    digests = {serialize.digest(MaxPool((2, 2), (2, 2), minimum)) for minimum in (frozenset(), frozenset({1}))}
    assert len(digests) == 2
    assert serialize.digest(Fraction(1, 3)) != serialize.digest("1/3")


def test_what_is_not_registered_is_refused() -> None:
    with pytest.raises(TypeError, match="not in the registry"):
        serialize.save(object(), "never_written")
    with pytest.raises(TypeError, match="use int64 or float64"):
        serialize.digest(np.zeros(3, np.float32))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        serialize.load(tmp_path / "gone")
    assert str(caught.value) == (f"{tmp_path}/gone.json: cannot be read (No such file or directory); a saved value is "
                                 "a pair NAME.json and NAME.npz")


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


DAMAGES = [
    (lambda text: "{", "is not a saved value of headrace; save it again"),
    (lambda text: "[1, 2]", "is not a saved value of headrace; save it again"),
    (lambda text: replaced(text, "headrace 1", "headrace 9"), "has the format 'headrace 9' but this version reads"),
    (lambda text: replaced(text, "network.integer_ops.Threshold", "os.system"), "is damaged (KeyError: 'os.system')"),
    (lambda text: replaced(text, '"$array": 0', '"$array": 99'), "is damaged (IndexError"),
    (lambda text: replaced(text, '"name"', '"nom"'), "is damaged (TypeError"),
    (lambda text: replaced(text, '"name": "conv0_act"', '"name": "conv0"'), "conv0: two tensors have this name"),
    (lambda text: replaced(text, '"lo": -7', '"lo": "x"'), "is damaged"),
]


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES)
def test_damaged_json_is_one_sentence(damage: Callable[[str], str], sentence: str, tmp_path: Path) -> None:
    serialize.save(small_network(), tmp_path / "net")
    path = tmp_path / "net.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(InputError) as caught:
        serialize.load(tmp_path / "net")
    assert str(caught.value).startswith(f"{path}: {sentence}")


def test_a_foreign_or_cut_npz_is_one_sentence(tmp_path: Path) -> None:
    serialize.save(small_network(), tmp_path / "net")
    path = tmp_path / "net.npz"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError) as caught:
        serialize.load(tmp_path / "net")
    assert str(caught.value) == f"{path}: does not belong to net.json or is damaged; save both again"
