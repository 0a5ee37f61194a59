"""The arguments of `headrace quantize`. Torch is needed to run it, not to import this."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from headrace.bounded_reading import read_toml
from headrace.cli import tables
from headrace.cli.progress_bar import tracking
from headrace.errors import InputError, ToolError
from headrace.quantizing.settings import (
    AUTO,
    METHOD_NAMES,
    RANGE_NAMES,
    ROUNDING_NAMES,
    SCALES_NAMES,
    SEARCH_NAMES,
    SELECT_NAMES,
    Settings,
    require_mixed,
)


def quantize_modules() -> tuple[Any, Any]:
    """The modules of `headrace quantize` and its report. Raises ToolError where torch is not installed."""
    try:
        from headrace.quantizing import command
        from headrace.quantizing import report as quantization
    except ImportError as error:
        raise ToolError(f"quantizing a float network needs {error.name}, which is not installed; "
                        "run pip install 'headrace[torch]'") from None
    return command, quantization


def run_quantize(options: argparse.Namespace) -> int:
    """Quantize and print the table of layers, or JSON."""
    given = {field.name: getattr(options, field.name) for field in fields(Settings) if hasattr(options, field.name)}
    if given["mixed"] is None:
        require_mixed(given)
    settings = Settings(**(given | _widths(options.widths)))
    command, report = quantize_modules()
    with tracking("calibrating") as (track, tell):
        tell("loading")
        result = command.quantize_to_file(options.model, options.data, options.out, settings, options.test, track, tell,
                                          compare=options.compare)
    if result.trials and not options.json:
        tables.show(report.trials_view(result.trials), False, dict)
    tables.show(report.quantization_view(result), options.json, lambda: report.quantization_json(result))
    if not options.json:
        tables.say("\n".join(report.last_lines(result, options.out)))
    return 0


def _widths(path: Path | None) -> dict[str, Any]:
    """Widths of single layers and tensors from a TOML file. Raises InputError for anything else in it."""
    if path is None:
        return {}
    try:
        given = read_toml(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as TOML ({error}); mend it") from None
    for table, widths in given.items():
        if table not in ("weights", "tensors") or not isinstance(widths, dict):
            raise InputError(f"{path}: holds {table}; give tables [weights] and [tensors] of names and bits")
        if wrong := [name for name, bits in widths.items() if type(bits) is not int]:
            raise InputError(f"{path}: {table}.{wrong[0]} is {widths[wrong[0]]!r}; give a number of bits")
    return {"weight_widths": given.get("weights", {}), "tensor_widths": given.get("tensors", {})}


def add_quantize(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("model", metavar="MODEL", help="an .onnx file in float, or file.py:function that returns a torch "
                     "module in float, or a pair of module and example input")
    sub.add_argument("--data", required=True, metavar="DATA", help="file.py:function that returns batches: inputs "
                     "(N, ...), or pairs (inputs, labels); or X.npy, or X.npz with x and y")
    sub.add_argument("--out", required=True, type=Path, metavar="M.npz", help="quantized network; M.report.json and "
                     "M.svg are written beside it")
    sub.add_argument("--method", choices=(AUTO, *METHOD_NAMES), default=Settings.method,
                     help=f"{AUTO} takes the best of several on samples held back (default %(default)s)")
    sub.add_argument("--compare", action="store_true", help="try the other methods too and print all in one table")
    sub.add_argument("--weight-bits", type=int, default=Settings.weight_bits, metavar="N", help="default %(default)s")
    sub.add_argument("--act-bits", type=int, default=Settings.act_bits, metavar="N", help="default %(default)s")
    sub.add_argument("--test", metavar="DATA", help="more pairs, on which accuracy is reported only")
    sub.add_argument("--samples", type=int, default=Settings.samples, metavar="N", help="samples kept of the data for "
                     "accuracy and tuning (default %(default)s)")
    sub.add_argument("--bias-bits", type=int, default=Settings.bias_bits, metavar="N", help="default %(default)s")
    sub.add_argument("--window", type=int, default=Settings.window, metavar="K", help="fractional lengths that +bft "
                     "tries on either side (default %(default)s)")
    _add_affine(sub)
    _add_mixed(sub)
    sub.add_argument("--cycles", type=int, default=Settings.cycles, metavar="K", help="passes over the data that "
                     "+qat and weight-difference train (default %(default)s)")
    sub.add_argument("--learning-rate", type=float, default=Settings.learning_rate, metavar="R",
                     help="default %(default)s")
    sub.add_argument("--seed", type=int, default=Settings.seed, metavar="S", help="of training")
    sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout")


def _add_affine(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--equalize", action="store_true", help="rescale channels between layers first, so that their "
                     "weights use one range")
    sub.add_argument("--edge-bits", type=int, metavar="N", help="of the input and of the weights of the first and the "
                     "last layer (default: as all)")
    sub.add_argument("--widths", type=Path, metavar="FILE.toml", help="bits of single layers, table [weights], and "
                     "tensors, table [tensors]")
    affine = sub.add_argument_group("only with methods affine and affine+qat")
    affine.add_argument("--weight-scales", choices=SCALES_NAMES, default=Settings.weight_scales,
                        help="one per output channel, which costs no hardware, or per layer (default %(default)s)")
    affine.add_argument("--ranges", choices=RANGE_NAMES, default=Settings.ranges,
                        help="of feature maps (default %(default)s)")
    affine.add_argument("--rounding", choices=ROUNDING_NAMES, default=Settings.rounding,
                        help="of weights: each to nearest, or so that the layer's output stays (default %(default)s)")
    affine.add_argument("--correct-bias", action="store_true", help="keep the mean of every layer's output")


def _add_mixed(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--mixed", type=_pair, metavar="A,B", help="low and high width of the weights; --weight-bits then "
                     "has no effect")
    mixed = sub.add_argument_group("only with --mixed")

    def add(flag: str, text: str, **options: Any) -> None:
        # What is not given has no attribute: given without --mixed it is refused, even with its default.
        mixed.add_argument(flag, default=argparse.SUPPRESS, help=text, **options)

    add("--select", f"how layers are ranked for the low width (default {Settings.select})", choices=SELECT_NAMES)
    add("--search", f"along the ranking (default {Settings.search})", choices=SEARCH_NAMES)
    add("--count", "layers at the low width, for --search count", type=int, metavar="N")
    add("--accuracy-drop", f"percentage points that may be lost (default {Settings.accuracy_drop})", type=float,
        metavar="P")
    add("--start", f"the network that losses and weight differences are measured from (default {Settings.start})",
        choices=("float", "high"))
    add("--sqnr-threshold", "instead of a search: layers below get the high width", type=float,
        dest="sqnr_threshold_db", metavar="DB")
    add("--mixed-maps", "mix the widths of feature maps too, by their SQNR", action="store_true")


def _pair(text: str) -> tuple[int, int]:
    low, high = (int(part) for part in text.split(","))
    return low, high
