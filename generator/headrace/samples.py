"""Samples of models with one or several inputs and outputs: arrays, dicts of arrays by name, and their files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from headrace.archive import npy_array, npz_bytes, npz_members
from headrace.bounded_reading import read_bytes
from headrace.engines.host import Float32Array, Samples
from headrace.errors import InputError

#: What a user passes: samples of the only input, or of all inputs by name.
GivenSamples = ArrayLike | Mapping[str, ArrayLike]
#: Most bytes of a file of samples.
MAX_SAMPLE_BYTES = 1 << 30


class ModelInput(Protocol):
    """What samples must be like."""

    @property
    def name(self) -> str:
        """What the model calls it."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample."""


def checked_samples(inputs: Sequence[ModelInput], x: GivenSamples) -> Samples:
    """The samples as float32, equally many of every input and finite. Raises InputError otherwise."""
    if not isinstance(x, Mapping):
        if len(inputs) > 1:
            raise InputError(f"the model takes several inputs, {_listed(inputs)}; give a dict of arrays, or an .npz "
                             "file, by these names")
        return _checked("the input", inputs[0], x)
    names = [item.name for item in inputs]
    if unknown := [name for name in x if name not in names]:
        raise InputError(f"the model has no input {unknown[0]}; it takes {_listed(inputs)}")
    if missing := [name for name in names if name not in x]:
        raise InputError(f"the input {missing[0]} is missing; the model takes {_listed(inputs)}")
    arrays = {item.name: _checked(f"the input {item.name}", item, x[item.name]) for item in inputs}
    if len({len(array) for array in arrays.values()}) > 1:
        counts = ", ".join(f"{len(array)} of {name}" for name, array in arrays.items())
        raise InputError(f"the numbers of samples differ: {counts}; give equally many of each")
    return arrays if len(inputs) > 1 else arrays[names[0]]


def count_of(x: GivenSamples) -> int:
    """How many samples there are, 0 where that is not clear."""
    first = next(iter(x.values()), ()) if isinstance(x, Mapping) else x
    return len(first) if np.ndim(first) else 0  # type: ignore[arg-type]  # an array has a length


def by_input(inputs: Sequence[ModelInput], x: Samples) -> dict[str, Float32Array]:
    """Checked samples by the name of their input."""
    return dict(x) if isinstance(x, Mapping) else {inputs[0].name: x}


def some_of(x: Samples, start: int, stop: int) -> Samples:
    """The samples from `start` up to `stop`."""
    return {name: part[start:stop] for name, part in x.items()} if isinstance(x, Mapping) else x[start:stop]


def _listed(inputs: Sequence[ModelInput]) -> str:
    return " and ".join(item.name for item in inputs)


def _checked(what: str, host: ModelInput, x: ArrayLike) -> Float32Array:
    samples, shape = np.asarray(x, np.float32), host.shape
    if samples.ndim != len(shape) + 1 or samples.shape[1:] != shape or not len(samples):
        raise InputError(f"{what} has shape {samples.shape} but the model takes (N, {', '.join(map(str, shape))}); "
                         "reshape it")
    if not np.isfinite(samples).all():
        raise InputError(f"{what} holds values that are not finite; remove them")
    return samples


def read_samples(path: Path) -> Samples:
    """Samples from a .npy file, or by name from an .npz file.

    Raises InputError if it is neither, or holds what float32 does not.
    """
    try:
        content = read_bytes(path, MAX_SAMPLE_BYTES)
        if path.suffix != ".npz":
            return _read(path, npy_array(content))
        members = npz_members(content)
        return {name.removesuffix(".npy"): _read(path, npy_array(member)) for name, member in members.items()}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except ValueError as error:
        how = "numpy.savez" if path.suffix == ".npz" else "numpy.save"
        raise InputError(f"{path}: {error}; save it with {how}") from None


def _read(path: Path, array: np.ndarray[Any, Any]) -> Float32Array:
    with np.errstate(over="ignore"):
        samples = array.astype(np.float32)
    if np.any(lost := np.isinf(samples) & ~np.isinf(array)):
        raise InputError(f"{path}: holds {float(array[lost][0]):g}, which is too large for float32; scale the samples")
    return samples


def require_output_file(path: Path, names: tuple[str, ...]) -> None:
    """Raise InputError where outputs of these names are not written as this file; none: they are not known yet."""
    if path.suffix not in (".npy", ".npz"):
        raise InputError(f"{path}: outputs are written as a .npy file, several as an .npz file; give --output NAME.npy")
    if len(names) > 1 and path.suffix == ".npy":
        raise InputError(f"{path}: the model has the outputs {', '.join(names)}, which one array does not hold; give "
                         "--output NAME.npz")


def samples_file(path: Path, names: tuple[str, ...], y: Any) -> bytes:
    """The bytes of outputs as a .npy file, or by name as an .npz file."""
    if path.suffix == ".npz":
        return npz_bytes(y if len(names) > 1 else {names[0]: y})
    content = io.BytesIO()
    np.save(content, y)
    return content.getvalue()
