"""The command `headrace quantize`: a model and data in Python files become a saved network, a report and a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from headrace.atomic_files import json_text, write_file
from headrace.errors import InputError
from headrace.frontend.onnx.float_network import from_float_file
from headrace.quantizing.api import Progress, Quantized, quantize
from headrace.quantizing.calibrate import Track
from headrace.quantizing.data import stored_batches
from headrace.quantizing.report import quantization_json, quantization_svg, quantization_view
from headrace.quantizing.settings import Settings
from headrace.serialize import save_npz
from headrace.sources import call, function_from_file, users_code

__all__ = ["batches_of", "float_model", "quantization_view", "quantize", "quantize_to_file", "write_result"]


def quantize_to_file(model: str, data: str, out: Path, settings: Settings, test: str | None, track: Track,
                     progress: Progress, compare: bool = False) -> Quantized:
    """Quantize and write NAME.npz (the network), NAME.report.json (rows and accuracies) and NAME.svg (the plot).

    model: an .onnx file without quantizers, or `file.py:function` that returns a torch module, or a pair of module and
    example input; data, test: `file.py:function` that returns batches, or a file X.npy or X.npz. compare: try the other
    methods too. Raises a HeadraceError, and writes nothing, if anything does not fit.
    """
    if out.suffix != ".npz":
        raise InputError(f"{out}: a quantized network is saved as .npz; give --out NAME.npz")
    if not out.parent.is_dir():
        raise InputError(f"{out}: its folder does not exist; create it first")
    module, example = float_model(model)
    result = quantize(module, batches_of(data), settings, compare=compare, example_input=example,
                      test=batches_of(test) if test else None, track=track, progress=progress)
    write_result(result, out)
    return result


def write_result(result: Quantized, out: Path) -> None:
    """Write NAME.npz, NAME.report.json and NAME.svg. Raises InputError where that cannot be."""
    if out.suffix != ".npz":
        raise InputError(f"{out}: a quantized network is saved as .npz; give --out NAME.npz")
    report = json_text(quantization_json(result))
    plot = quantization_svg(result)
    try:
        save_npz(result.network, out)
        write_file(out.with_suffix(".report.json"), report)
        write_file(out.with_suffix(".svg"), plot)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); choose another --out") from None


def float_model(spec: str) -> tuple[Any, Any]:
    """A FloatNetwork or a torch module, and an example input or None."""
    if spec.endswith(".onnx"):
        return from_float_file(Path(spec)), None
    value = call(spec, _function(spec))
    return value if isinstance(value, tuple) and len(value) == 2 else (value, None)


def _function(spec: str) -> Callable[[], Any]:
    path, colon, name = spec.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise InputError(f"{spec}: is not a function; give file.py:function")
    return function_from_file(Path(path), name)


def batches_of(spec: str) -> Callable[[], Iterable[Any]]:
    """The batches of a user's function, whose errors become one sentence, while they are read too."""
    if spec.endswith((".npy", ".npz")):
        return partial(stored_batches, Path(spec))
    function = _function(spec)

    def batches() -> Iterator[Any]:
        end = object()
        with users_code(spec, "while its batches are read"):
            items = iter(function())
        while True:  # what closes this generator passes by the user's code
            with users_code(spec, "while its batches are read"):
                item = next(items, end)
            if item is end:
                return
            yield item

    return batches
