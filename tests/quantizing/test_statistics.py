"""Histograms and data: constant memory, the order of batches, and every mistake in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from headrace.errors import InputError, QuantizationError
from headrace.quantization.feature_maps import fq_double, fq_single
from headrace.quantizing.data import FirstSamples, first_shape, read_batches
from headrace.quantizing.histogram import BINS, Histogram


def histogram_of(*batches: np.ndarray) -> Histogram:
    histogram = Histogram()
    for batch in batches:
        histogram.add(batch)
    return histogram


def test_few_values_are_held_exactly() -> None:
    histogram = histogram_of(np.array([0.5, -0.25, 0.0]), np.array([100.0, 0.5]))
    values, counts = histogram.samples()
    assert dict(zip(values, counts, strict=True)) == {0.0: 1, 0.5: 2, -0.25: 1, 100.0: 1}
    assert (histogram.lowest, histogram.highest, histogram.peak, histogram.negative) == (-0.25, 100.0, 100.0, True)


def test_the_order_of_batches_and_the_growth_of_the_range_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    batches = [rng.normal(scale=10.0**k, size=1000) for k in range(-2, 3)]
    forth, back = histogram_of(*batches), histogram_of(*reversed(batches))
    assert np.array_equal(forth.samples()[1], back.samples()[1])
    np.testing.assert_allclose(forth.samples()[0], back.samples()[0], rtol=1e-12)
    assert len(forth.samples()[0]) <= 2 * BINS + 1


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_methods_choose_alike_on_histograms_and_on_samples(bits: int) -> None:
    rng = np.random.default_rng(bits)
    for x in (rng.gamma(1.0, 2.0, 20_000), np.maximum(rng.normal(size=20_000), 0)):
        values, counts = histogram_of(*np.split(x, 10)).samples()
        one, other = fq_single(x, bits, guard=True), fq_single(values, bits, guard=True, counts=counts)
        assert one.frac_bits == other.frac_bits and one.candidates == other.candidates
        np.testing.assert_allclose(one.errors, other.errors, rtol=0.01)
    x = rng.laplace(size=20_000)
    values, counts = histogram_of(x).samples()
    assert fq_double(values, bits, counts=counts).frac_bits == fq_double(x, bits).frac_bits
    assert abs(fq_double(values, bits, counts=counts).rho - fq_double(x, bits).rho) < 1e-12


def test_counts_must_fit_their_samples() -> None:
    with pytest.raises(QuantizationError, match=r"counts of shape \(1,\) do not fit samples of shape \(2,\)"):
        fq_single([1.0, 2.0], 4, counts=[1])
    assert fq_single([1.0, 2.0, 9.0], 4, counts=[1, 1, 0]).frac_bits == fq_single([1.0, 2.0], 4).frac_bits


BAD: dict[str, tuple[list[object], str]] = {
    "another shape": ([np.zeros((2, 3))], r"batch 0: has the shape \(2, 3\) but the model takes \(N, 4\)"),
    "nan": ([np.zeros((1, 4)), np.full((1, 4), np.nan)], "batch 1: 4 of 4 values are nan or inf"),
    "labels of another length": ([(np.zeros((2, 4)), [1])], r"labels of shape \(1,\) and type int64 do not fit 2"),
    "real labels": ([(np.zeros((2, 4)), [0.5, 1])], "give 2 class numbers"),
    "text": (["abc"], "batch 0: a str is not an array of numbers"),
    "ragged": ([[[1], [1, 2], [3]]], "batch 0: a list is not an array of numbers"),
    "nothing": ([], "the data hold no batch"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_data_are_one_sentence(what: str) -> None:
    batches, sentence = BAD[what]
    with pytest.raises(InputError, match=sentence):
        list(read_batches(batches, (4,)))


def test_a_generator_is_read_once_and_its_first_batch_is_not_lost() -> None:
    def batches() -> Iterator[np.ndarray]:
        yield from (np.full((2, 3), k) for k in range(3))

    shape, same = first_shape(batches())
    assert shape == (2, 3)
    assert [batch.x[0, 0] for batch in read_batches(same, (3,))] == [0, 1, 2]
    with pytest.raises(InputError, match="no batch"):
        first_shape(iter([]))


def test_the_first_samples_are_kept_with_labels_if_all_have_them() -> None:
    first = FirstSamples(3)
    for batch in read_batches([(np.full((2, 1), k), [k, k]) for k in range(3)], (1,)):
        first.add(batch)
    kept = first.samples()
    assert kept.x.tolist() == [[0], [0], [1]] and kept.labels is not None and kept.labels.tolist() == [0, 0, 1]
    with pytest.raises(InputError, match="tuning needs labels"):
        next(read_batches([np.zeros((1, 1))], (1,))).require_labels("tuning")
