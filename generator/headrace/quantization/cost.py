"""FINN's cost functions and the roofline model, for comparison; the accelerator's own cycles are layer.cycles.

Source: P. Leong, "Quantisation - Efficient implementation of convolutional neural networks", PAPAA 2018, FINN and
roofline parts, with the conventions of open-source FINN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from headrace.errors import QuantizationError
from headrace.fold_rule import require_divides


def _ceil_div(a: int, b: int) -> int:
    """ceil(a / b)."""
    return -(-a // b)


def finn_mvtu_cycles(mw: int, mh: int, pe: int, simd: int, out_pixels: int) -> int:
    """(MW / SIMD) (MH / PE) out_pixels. Raises FoldingError unless SIMD divides MW and PE divides MH.

    >>> finn_mvtu_cycles(27, 64, 16, 3, 900)
    32400
    """
    return finn_weight_words(mw, mh, pe, simd) * out_pixels


def finn_weight_words(mw: int, mh: int, pe: int, simd: int) -> int:
    """Depth of the weight memory in words of SIMD * PE weights. Raises FoldingError as `finn_mvtu_cycles`.

    >>> finn_weight_words(27, 64, 16, 3)
    36
    """
    require_divides("mvtu", "SIMD", simd, "MW", mw)
    require_divides("mvtu", "PE", pe, "MH", mh)
    return mw * mh // (simd * pe)


def finn_threshold_entries(mh: int, output_bits: int) -> int:
    """(2^n - 1) MH.

    >>> finn_threshold_entries(64, 2)
    192
    """
    return ((1 << output_bits) - 1) * mh


class SwuCycles(NamedTuple):
    """Cycles per frame of the two styles of sliding-window units: line buffer and minimum buffer."""

    hls: int
    rtl: int


def finn_swu_cycles(height: int, width: int, channels: int, kernel: int, stride: int, simd: int) -> SwuCycles:
    """fill + OH max(OW K^2 cf, stride W cf), cf = C / SIMD; fill = W K cf (hls) or ((K-1) W + K) cf (rtl).

    height, width: of the padded input; dilation 1. Raises FoldingError unless SIMD divides C, and
    QuantizationError for a kernel that is larger than the input.

    >>> finn_swu_cycles(32, 32, 3, 3, 1, 3)
    SwuCycles(hls=8196, rtl=8167)
    """
    require_divides("swu", "SIMD", simd, "C", channels)
    if kernel > min(height, width):
        raise QuantizationError(f"swu: a kernel of {kernel} has no window in {height} x {width}; pad the input")
    fold = channels // simd
    rows, columns = (height - kernel) // stride + 1, (width - kernel) // stride + 1
    windows = rows * max(columns * kernel**2 * fold, stride * width * fold)
    return SwuCycles(width * kernel * fold + windows, ((kernel - 1) * width + kernel) * fold + windows)


class Pipeline(NamedTuple):
    """Initiation interval in cycles per frame, frames per second, and an upper bound of the latency in cycles."""

    initiation_interval: int
    fps: float
    latency_bound_cycles: int


def finn_pipeline(cycles: Sequence[int], clock_hz: float) -> Pipeline:
    """Rates of a pipeline from its units' cycles per frame. Raises QuantizationError without units.

    >>> finn_pipeline([9132, 4000], 200e6)
    Pipeline(initiation_interval=9132, fps=21901.007446342534, latency_bound_cycles=13132)
    """
    if not cycles:
        raise QuantizationError("a pipeline of no units has no initiation interval; give 1 or more")
    return Pipeline(max(cycles), clock_hz / max(cycles), sum(cycles))


def finn_weight_bram18(mw: int, mh: int, pe: int, simd: int, weight_bits: int) -> int:
    """18 Kb block RAMs of the weight memory. Raises FoldingError as `finn_mvtu_cycles`.

    >>> finn_weight_bram18(576, 64, 32, 32, 1)
    29
    """
    depth, bits = finn_weight_words(mw, mh, pe, simd), simd * pe * weight_bits
    for width, words in ((1, 16384), (2, 8192), (4, 4096), (9, 2048)):
        if bits <= width:
            return _ceil_div(depth, words) * _ceil_div(bits, width)
    if bits <= 18 or depth > 512:
        return _ceil_div(depth, 1024) * _ceil_div(bits, 18)
    return _ceil_div(depth, 512) * _ceil_div(bits, 36)


def finn_mvtu_luts(mw: int, mh: int, pe: int, simd: int, weight_bits: int, input_bits: int, acc_bits: int,
                   output_bits: int, dsp: bool = False, weights_in_luts: bool = False) -> int:
    """LUT estimate, +-30 % at best: floor(300 + 1.1 PE (mult + add + acc + thr + cmp)).

    mult = SIMD (2 ceil((W+A)/6) - 1) (W+A), 0 with `dsp`; add = (W+A) (2 SIMD - 1); acc = acc_bits;
    thr = (2^B - 1) acc_bits ceil((MH/PE) / 64); cmp = (2^B - 1) acc_bits; LUT RAM for weights adds
    SIMD PE W ceil(depth / 64). Raises FoldingError as `finn_mvtu_cycles`.

    >>> finn_mvtu_luts(576, 64, 32, 32, 1, 1, 11, 1)
    8149
    """
    depth, product = finn_weight_words(mw, mh, pe, simd), weight_bits + input_bits
    multiply = 0 if dsp else simd * (2 * _ceil_div(product, 6) - 1) * product
    compare = ((1 << output_bits) - 1) * acc_bits
    per_pe = multiply + product * (2 * simd - 1) + acc_bits + compare * _ceil_div(mh // pe, 64) + compare
    memory = simd * pe * weight_bits * _ceil_div(depth, 64) if weights_in_luts else 0
    return 300 + 11 * pe * per_pe // 10 + memory


class Roofline(NamedTuple):
    """ops per byte, the ridge in ops per byte, the attainable ops per second, and what limits them."""

    intensity: float
    ridge: float
    attainable: float
    bound: Literal["memory", "compute"]


def roofline(peak_ops: float, bandwidth_bytes: float, ops: float, moved_bytes: float) -> Roofline:
    """attainable = min(peak, CI * bandwidth), CI = ops / bytes moved off chip; a MAC is 2 ops.

    peak_ops: ops/s; bandwidth_bytes: bytes/s. Weights that stay on chip leave input and output bytes only.
    Raises QuantizationError unless all are above 0.

    >>> roofline(1e12, 19.2e9, 2e9, 100e6)
    Roofline(intensity=20.0, ridge=52.083333333333336, attainable=384000000000.0, bound='memory')
    """
    if not min(peak_ops, bandwidth_bytes, ops, moved_bytes) > 0:
        raise QuantizationError(f"a roofline of {peak_ops} ops/s, {bandwidth_bytes} bytes/s, {ops} ops and "
                                f"{moved_bytes} bytes is not defined; all must be above 0")
    intensity, ridge = ops / moved_bytes, peak_ops / bandwidth_bytes
    attainable = min(peak_ops, intensity * bandwidth_bytes)
    return Roofline(intensity, ridge, attainable, "memory" if intensity < ridge else "compute")


@dataclass(frozen=True)
class Ceiling:
    """Peak of a device at one width: tera operations per second, and weights that fit on the chip."""

    tera_ops: float
    on_chip_weights: float


#: ZU19EG by weight bits, PAPAA 2018; the counts follow from about 70.6 Mi bit of on-chip memory.
ZU19EG = {1: Ceiling(66, 70e6), 8: Ceiling(4, 10e6), 16: Ceiling(1, 5e6), 32: Ceiling(0.3, 2e6)}
