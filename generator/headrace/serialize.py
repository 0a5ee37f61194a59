"""Values to files and back: NAME.json holds a tree of dataclasses, NAME.npz its arrays; or one NAME.npz holds both.

Only the classes of the registry can be read, nothing in a file is executed, and the same value gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from headrace import datatypes
from headrace.archive import npy_array, npz_bytes, npz_members
from headrace.atomic_files import write_file
from headrace.bounded_reading import parse_json, read_bytes
from headrace.check_types import conforms
from headrace.dataflow import graph as dataflow
from headrace.datatypes import as_int
from headrace.errors import HeadraceError, InputError
from headrace.layers.registry import known_layers
from headrace.layers.stream import Stream
from headrace.memory import Prices
from headrace.network import blocks, graph, integer, moves, ops, tensor_ops
from headrace.network.activation import Activation

FORMAT = "headrace 1"
#: The tree in an .npz file that holds both.
TREE = "headrace.json"

#: Every class that may stand in a file.
CLASSES: tuple[type, ...] = (
    datatypes.Interval, datatypes.Bipolar,
    ops.QuantWeight, ops.Quantize, ops.Conv, ops.Linear, ops.Affine, ops.Clip, ops.MaxPool, ops.Reshape,
    tensor_ops.PadFrame, tensor_ops.AvgPool, tensor_ops.Upsample, tensor_ops.Transpose, tensor_ops.Add,
    tensor_ops.Concat, tensor_ops.MultiThreshold, Activation, tensor_ops.Trunc,
    tensor_ops.Softmax, tensor_ops.LogSoftmax, tensor_ops.Maximum, tensor_ops.TopK, moves.SelectChannels, moves.Crop,
    blocks.DepthToSpace, blocks.SpaceToDepth,
    graph.Input, graph.Node, graph.Network,
    integer.TensorType, integer.Conv, integer.DepthwiseConv, integer.Threshold, integer.Requant, integer.MaxPool,
    integer.AccPool, integer.Upsample, integer.Reframe, integer.Add, integer.Concat, integer.Sequence, integer.Part,
    integer.ChannelMap, integer.Crop, integer.DepthToSpace, integer.SpaceToDepth, integer.Lookup, integer.Node,
    integer.HostInput, integer.HostInputs, integer.HostOutput, integer.HostOutputs, integer.IntegerNetwork,
    Stream, Prices, *known_layers().values(), dataflow.Placed, dataflow.Dataflow,
)


def _tag(cls: type) -> str:
    """`network.ops.Conv`: the name of a class in a file."""
    return f"{cls.__module__.removeprefix('headrace.')}.{cls.__qualname__}"


_BY_TAG: dict[str, Any] = {_tag(cls): cls for cls in CLASSES}


class _Encoder:
    """Turns a value into JSON and gathers its arrays."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray[Any, Any]] = []

    @property
    def stored(self) -> Iterator[np.ndarray[Any, Any]]:
        """The arrays as they are stored: integers as int64, narrow as they may be kept."""
        return (as_int(array) if array.dtype.kind == "i" else array for array in self.arrays)

    def encode(self, value: object) -> Any:
        """JSON of a value."""
        if isinstance(value, float) and not math.isfinite(value):
            return {"$float": repr(value)}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, tuple):
            return [self.encode(item) for item in value]
        if isinstance(value, frozenset):
            return {"$set": sorted(value)}
        if isinstance(value, Fraction):
            return {"$fraction": str(value)}
        if isinstance(value, np.ndarray):
            return {"$array": self._store(value)}
        tag = _tag(type(value))
        if tag not in _BY_TAG:
            raise TypeError(f"{tag} is not in the registry of serialize.CLASSES")
        return {"$": tag, **{f.name: self.encode(getattr(value, f.name)) for f in fields(_BY_TAG[tag]) if f.init}}

    def _store(self, array: np.ndarray[Any, Any]) -> int:
        """Number under which the array is stored."""
        if array.dtype.kind != "i" and array.dtype != np.dtype(np.float64):
            raise TypeError(f"arrays of {array.dtype} are not stored; use int64 or float64")
        self.arrays.append(array)
        return len(self.arrays) - 1


def _paths(stem: Path) -> tuple[Path, Path]:
    """The two files of a value; dots in the stem belong to its name."""
    return stem.parent / f"{stem.name}.json", stem.parent / f"{stem.name}.npz"


def save(value: object, stem: Path | str) -> None:
    """Write `stem`.json and `stem`.npz. The value is a dataclass of the registry."""
    encoder = _Encoder()
    tree = encoder.encode(value)
    json_path, npz_path = _paths(Path(stem))
    arrays = npz_bytes({f"a{number}": array for number, array in enumerate(encoder.stored)})
    document = {"format": FORMAT, "arrays_sha256": hashlib.sha256(arrays).hexdigest(), "value": tree}
    write_file(npz_path, arrays)
    write_file(json_path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def save_npz(value: object, path: Path | str) -> None:
    """Write the tree and the arrays of a value into one .npz file. The value is a dataclass of the registry."""
    write_file(Path(path), npz_content(value))


def npz_content(value: Any) -> bytes:
    """The bytes that `save_npz` writes."""
    encoder = _Encoder()
    document = json.dumps({"format": FORMAT, "value": encoder.encode(value)}, allow_nan=False)
    arrays = {f"a{number}": array for number, array in enumerate(encoder.stored)}
    return npz_bytes(arrays, {TREE: document})


def digest(value: object) -> str:
    """SHA-256 of a value: equal values have equal digests, on every machine."""
    encoder = _Encoder()
    state = hashlib.sha256(json.dumps(encoder.encode(value)).encode())
    for array in encoder.stored:
        state.update(f"{array.dtype.str}{array.shape}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def _fraction(text: str) -> Fraction:
    """The fraction, without the powers of ten that Fraction would compute."""
    if not re.fullmatch(r"-?\d{1,1000}(/\d{1,1000})?", text):
        raise ValueError("a fraction is damaged")
    return Fraction(text)


#: How the marked objects of the JSON become values; "$array" and "$" need more than their text.
_MARKS: dict[str, Callable[[Any], Any]] = {"$float": float, "$set": frozenset, "$fraction": _fraction}


@cache
def _hints(cls: type) -> dict[str, Any]:
    """The types of a class's fields."""
    return get_type_hints(cls)


def _made(tag: str, values: dict[str, Any]) -> Any:
    """The value of a class. Raises TypeError for a field of another type than the class says."""
    cls = _BY_TAG[tag]
    for name, value in values.items():
        if name in _hints(cls) and not conforms(value, _hints(cls)[name]):
            raise TypeError(f"{name} of {tag} has the wrong type")
    return cls(**values)


def _decode(tree: object, arrays: list[np.ndarray[Any, Any]]) -> Any:
    """The inverse of _Encoder.encode."""
    if isinstance(tree, list):
        return tuple(_decode(item, arrays) for item in tree)
    if not isinstance(tree, dict):
        return tree
    if "$" in tree:
        return _made(tree["$"], {name: _decode(item, arrays) for name, item in tree.items() if name != "$"})
    (mark, content), = tree.items()
    return arrays[content] if mark == "$array" else _MARKS[mark](content)


def _read(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); a saved value is a pair NAME.json and NAME.npz"
                         ) from None


def _read_arrays(members: Mapping[str, bytes]) -> list[np.ndarray[Any, Any]]:
    return [npy_array(members[f"a{number}.npy"]) for number in range(len(members) - (TREE in members))]


def load(stem: Path | str) -> Any:
    """Read what `save` wrote.

    Raises InputError for a missing, damaged or foreign file, and where the value breaks a rule of its class.
    """
    json_path, npz_path = _paths(Path(stem))
    document = _document(json_path, _read(json_path))
    packed = _read(npz_path)
    if hashlib.sha256(packed).hexdigest() != document.get("arrays_sha256"):
        raise InputError(f"{npz_path}: does not belong to {json_path.name} or is damaged; save both again")
    return _value(json_path, document, _members(npz_path, packed))


def _members(path: Path, packed: bytes) -> dict[str, bytes]:
    try:
        return npz_members(packed)
    except ValueError as error:
        raise InputError(f"{path}: {error}; save it again") from None


def load_file(path: Path) -> Any:
    """Read what `save` or `save_npz` wrote, from the path of any of the files. Raises InputError as `load`."""
    if path.suffix == ".npz":
        members = _members(path, _read(path))
        if TREE in members:
            return _value(path, _document(path, members[TREE]), members)
    return load(path.parent / path.stem)


def _document(path: Path, content: bytes) -> dict[str, Any]:
    """The JSON object of a saved value."""
    try:
        document: dict[str, Any] = parse_json(content)
        found = document["format"]
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{path}: is not a saved value of headrace; save it again") from None
    if found != FORMAT:
        raise InputError(f"{path}: has the format {found!r} but this version reads {FORMAT!r}; save it again")
    return document


def _value(path: Path, document: dict[str, Any], members: Mapping[str, bytes]) -> Any:
    try:
        return _decode(document["value"], _read_arrays(members))
    except HeadraceError as error:
        raise InputError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError, RecursionError) as error:
        raise InputError(f"{path}: is damaged ({type(error).__name__}: {error}); save it again") from None
