
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.datatypes import BIPOLAR, DataType, int_type, uint_type
from headrace.packing import (
    Memory,
    conv_matrix,
    pack_stream,
    search_steps,
    search_words,
    threshold_words,
    unpack_stream,
    weight_words,
    word_bytes,
)


@given(st.sampled_from([BIPOLAR, uint_type(1), int_type(3), uint_type(5), int_type(16), int_type(31)]),
       st.integers(1, 9), st.integers(1, 5), st.integers(0, 99))
def test_stream_words_round_trip(dtype: DataType, lanes: int, words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = dtype.decode(rng.integers(0, 1 << dtype.bits, (words, lanes)).astype(np.uint64))
    packed = pack_stream(values, lanes, dtype)
    assert packed.shape == (words, word_bytes(lanes, dtype.bits))
    assert np.array_equal(unpack_stream(packed, lanes, dtype), values)


def test_lane_0_is_lowest() -> None:
    assert pack_stream(np.array([1, 2, -1]), 3, int_type(4)).tolist() == [[0x21, 0x0F]]


def test_weight_words_order() -> None:
    W = np.arange(4 * 6).reshape(4, 6)
    words = weight_words(W, pe=2, simd=3)
    for nf in range(2):
        for sf in range(2):
            for p in range(2):
                assert words[nf * 2 + sf, p].tolist() == W[nf * 2 + p, sf * 3 : sf * 3 + 3].tolist()


def test_search_words_stand_where_a_search_adds_bits() -> None:
    words = search_words(np.arange(12).reshape(4, 3), pe=2, never=np.full(4, 99))
    assert words[:, 0].tolist() == [[99, 99], [0, 3], [1, 4], [2, 5], [99, 99], [6, 9], [7, 10], [8, 11]]
    assert search_words(np.arange(4).reshape(2, 2), 1, np.array([8, 9]))[:, 0, 0].tolist() == [8, 0, 1, 8, 9, 2, 3, 9]


def test_steps_of_a_search_have_the_bounds_of_a_bit_behind_every_count() -> None:
    steps = search_steps(np.arange(24).reshape(4, 6), pe=2)
    assert [words[..., 0].tolist() for words in steps] == [
        [[3, 9], [15, 21]], [[1, 7], [5, 11], [13, 19], [17, 23]],
        [[0, 6], [2, 8], [4, 10], [0, 0], [12, 18], [14, 20], [16, 22], [0, 0]]]


@pytest.mark.parametrize(("lanes", "bits", "wanted"), [(1, 8, 8), (3, 3, 9), (17, 1, 17), (11, 3, 33), (2, 40, 64)])
def test_arrays_of_the_cpp_are_as_wide_as_a_word_of_a_row(lanes: int, bits: int, wanted: int) -> None:
    words = np.zeros((4, 2, lanes), np.int64)
    assert Memory("M", words, uint_type(bits)).chunk_bits(words) == wanted


@pytest.mark.parametrize("lanes", [1, 7, 8, 9, 10, 16, 17, 24, 25])
def test_chunks_of_the_cpp_hold_a_word_in_parts_of_64_bits(lanes: int) -> None:
    words = np.random.default_rng(lanes).integers(0, 256, (3, 2, lanes))
    memory = Memory("M", words, uint_type(8))
    made = memory.chunks(words)
    assert made.shape == (2, 3, -(-lanes // 8))
    for row in range(2):
        for place in range(3):
            whole = sum(int(chunk) << 64 * k for k, chunk in enumerate(made[row, place]))
            assert whole == sum(int(code) << 8 * k for k, code in enumerate(words[place, row]))


def test_threshold_words_order() -> None:
    assert threshold_words(np.arange(8).reshape(4, 2), pe=2).tolist() == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]


def test_convolution_columns() -> None:
    weights = np.arange(2 * 3 * 3 * 4).reshape(2, 3, 3, 4)
    assert conv_matrix(weights)[1, (2 * 3 + 1) * 4 + 3] == weights[1, 2, 1, 3]


def test_both_prints_of_a_memory_hold_the_same_bits() -> None:
    words = np.random.default_rng(0).integers(-4, 4, (5, 3, 30))
    memory = Memory("WEIGHTS", words, int_type(3))
    lines = memory.mem_text().split()
    chunks = memory.chunks(memory.words)
    assert chunks.shape == (3, 5, 2)
    for address, line in enumerate(lines):
        rows = [int(low) | int(high) << 64 for low, high in chunks[:, address]]
        assert int(line, 16) == rows[0] | rows[1] << 90 | rows[2] << 180


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_mem_lines_have_the_width_of_the_word(bits: int) -> None:
    memory = Memory("M", np.zeros((2, 1, 5), np.int64), uint_type(bits))
    assert memory.mem_text() == 2 * ("0" * ((5 * bits + 3) // 4) + "\n")
