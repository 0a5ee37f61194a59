"""Statistics of a tensor over any number of batches, in constant memory."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import IntArray, as_int
from headrace.quantization.primitives import FloatArray, finite, floor_log2, peak_of

#: Bins per sign: 64 per code of an 8-bit tensor that uses its whole range.
BINS = 1 << 14


class Histogram:
    """Counts and sums of the samples in BINS equal bins per sign, from 0 to a power of two that grows with the data.

    `lowest` and `highest` are exact, as is the number of zeros. Growing joins neighbouring bins, so the counts do not
    depend on the order of the batches. Tensors of few values (pixels, codes) are held exactly.
    """

    def __init__(self) -> None:
        self.lowest, self.highest = 0.0, 0.0
        self.zeros = 0
        self._exponent: int | None = None
        self._counts: IntArray = np.zeros(2 * BINS, np.int64)
        self._sums = np.zeros(2 * BINS)

    @property
    def peak(self) -> float:
        """max |x|, 0 before the first sample."""
        return max(self.highest, -self.lowest)

    @property
    def negative(self) -> bool:
        """True if a sample was below 0."""
        return self.lowest < 0

    def add(self, x: FloatArray) -> None:
        """Take the samples of x, of any shape. Raises QuantizationError for nan and inf."""
        flat = finite("tensor", x).reshape(-1)
        nonzero = flat[flat != 0]
        self.zeros += flat.size - nonzero.size
        if not nonzero.size:
            return
        self.lowest, self.highest = min(self.lowest, float(flat.min())), max(self.highest, float(flat.max()))
        exponent = self._reach(floor_log2(peak_of(nonzero)) + 1)  # the peak stays below 2^exponent
        bins = (np.ldexp(np.abs(nonzero), -exponent) * BINS).astype(np.int64)
        bins[nonzero < 0] += BINS
        self._counts += np.bincount(bins, minlength=2 * BINS).astype(np.int64)
        self._sums += np.bincount(bins, nonzero, minlength=2 * BINS)

    def _reach(self, exponent: int) -> int:
        """The exponent of the range, made to reach 2^exponent by joining bins."""
        if self._exponent is None:
            self._exponent = exponent
        if growth := max(exponent - self._exponent, 0):
            bins = np.arange(2 * BINS)
            joined = (bins % BINS >> min(growth, 62)) + bins // BINS * BINS
            self._counts = as_int(np.bincount(joined, self._counts, minlength=2 * BINS))
            self._sums = np.asarray(np.bincount(joined, self._sums, minlength=2 * BINS), np.float64)
            self._exponent = exponent
        return self._exponent

    def samples(self) -> tuple[FloatArray, FloatArray]:
        """(means of the bins that hold samples, counts), zeros first; what methods take for the samples themselves."""
        used = self._counts > 0
        counts = self._counts[used].astype(np.float64)
        values, zeros = self._sums[used] / counts, float(self.zeros)
        return (np.append(0.0, values), np.append(zeros, counts)) if zeros else (values, counts)
