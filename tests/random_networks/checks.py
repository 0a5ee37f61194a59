"""What must hold for every drawn network."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from headrace.dataflow.graph import Dataflow
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import IntArray
from headrace.engines.host import to_stream
from headrace.errors import UnsupportedError
from headrace.model import Model, load
from tests.random_networks.descriptions import Description
from tests.random_networks.hardware import planned, require_back_ends, require_rtl, require_schedule
from tests.random_networks.network import Drawn, as_text, write
from tests.random_networks.oracle import evaluate
from tests.random_networks.padding import require_padded

#: What headrace says of networks that it does not build, and may be drawn: all else is a failure.
EXPLAINED = (
    r"a branch times a whole number of \d+ bits needs \d+ bits and at most 31 are possible",
    r"pads a bipolar tensor with 0",
    r"has no common code; use padding=0 or one zero point for all of its channels",
    r"(with|have) \d+ different scales .* and at most 4 that are not powers of two of each other are possible",
    r"reads pixels of one channel that are made of channels with different scales or offsets",
    r"moves axes in front of .*, and the host reads results in the order of the stream",
    r"the network has no layer between its input and its output",
    r"the constant -?\d+ is not a value of \[",
    r"its activation leaves only the code -?\d+; calibrate the model again",
)


@contextmanager
def reproducible(description: Description) -> Iterator[None]:
    """An error inside says how to see it again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"again: python -m tests.random_networks '{as_text(description)}'\n"
                       "put it into tests/random_networks/corpus/NAME.json, which `make test` replays")
        raise


def require_outputs(description: Description) -> None:
    """Engine fast gives what the exact oracle gives."""
    with _loaded(description) as found:
        for model, made, _ in found:
            _require_outputs(model, made)


def require_integers(description: Description) -> None:
    """Engine fast gives what the exact oracle gives, and the dataflow of a random folding gives engine fast's.

    So does the network with padded channels.
    """
    with _loaded(description) as found:
        for model, made, _ in found:
            _require_outputs(model, made)
            hardware = planned(model, description["hardware"], "rtl")
            frames = _frames(model, made)
            last = hardware.dataflow.golden(frames)[hardware.dataflow.output_port]
            np.testing.assert_array_equal(last, model.engines["fast"](frames))
            require_schedule(hardware)
            require_padded(model, frames, description["seed"])


def require_hardware(description: Description) -> None:
    """The same, and both back ends give the same words in the cycles of the model."""
    with _loaded(description) as found:
        for model, made, folder in found:
            _require_outputs(model, made)
            hardware = planned(model, description["hardware"], "both")
            require_back_ends(hardware, _frames(model, made), description["seed"], folder)


def require_words(description: Description, wanted: Callable[[Dataflow], bool]) -> None:
    """The RTL alone, of networks whose dataflow is wanted."""
    with _loaded(description) as found:
        for model, made, folder in found:
            dataflow = planned(model, description["hardware"], "rtl").dataflow
            if wanted(dataflow):
                require_rtl(Vectors(dataflow, _frames(model, made)), description["seed"], folder)


def _frames(model: Model, made: Drawn) -> IntArray:
    return to_stream(model.integer.host_input, _samples(made))


def _samples(made: Drawn) -> np.ndarray | Mapping[str, np.ndarray]:
    return made.samples if len(made.samples) > 1 else next(iter(made.samples.values()))


@contextmanager
def _loaded(description: Description) -> Iterator[list[tuple[Model, Drawn, Path]]]:
    """The model and a folder of its own; nothing for one that is refused with an explanation."""
    with reproducible(description), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.onnx"
        made = write(description, path)
        try:
            model = load(str(path))
            found = [(model, made, Path(folder))] if model.unfolded.layers else []
        except UnsupportedError as error:
            if not any(re.search(reason, str(error)) for reason in EXPLAINED):
                raise
            found = []
        yield found


def _require_outputs(model: Model, made: Drawn) -> None:
    """Outputs are the exact ones, rounded to float32; those of several scales pass float64 on the way."""
    found, wanted = model.predict(_samples(made)), evaluate(made.proto, made.samples)
    if not isinstance(found, Mapping):
        found = dict.fromkeys(wanted, found)
    assert list(found) == list(wanted)
    for name, values in wanted.items():
        assert found[name].shape == values.shape, name
        rounded = values.astype(np.float64).astype(np.float32)
        beside = np.abs(found[name].astype(np.float64) - rounded.astype(np.float64)) > np.spacing(np.abs(rounded))
        assert not beside.any(), (f"{name}: {np.count_nonzero(beside)} of {beside.size} values differ from the exact "
                                  f"ones, the first is {found[name][beside][0]} and must be {rounded[beside][0]}")
