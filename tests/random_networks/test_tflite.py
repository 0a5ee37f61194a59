"""Random .tflite files: LiteRT's kernels, engine fast and the dataflow of a random folding give the same codes."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from headrace.engines.host import to_stream
from headrace.errors import UnsupportedError
from headrace.model import load
from tests.frontend.tflite_files import outputs
from tests.random_networks.checks import EXPLAINED
from tests.random_networks.descriptions import CodesDescription, Hardware
from tests.random_networks.hardware import planned, require_schedule
from tests.random_networks.strategies import hardware
from tests.random_networks.test_random_networks import drawing
from tests.random_networks.tflite_networks import content, descriptions

CORPUS = sorted((Path(__file__).parent / "corpus" / "tflite").glob("*.json"))


def require_codes(description: CodesDescription, choice: Hardware) -> None:
    """Every code of LiteRT's reference kernels; a failure names what was drawn."""
    file, samples = content(description)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random.tflite"
        path.write_bytes(file)
        try:
            model = load(path, kernels="reference")
        except UnsupportedError as error:
            assert any(re.search(reason, str(error)) for reason in EXPLAINED), error
            return
        made, wanted = model.predict(samples, raw=True).astype(np.int64), outputs(file, samples)
        np.testing.assert_array_equal(made.reshape(wanted.shape), wanted, err_msg=json.dumps(description))
        if model.unfolded.layers:
            made_of = planned(model, choice, "rtl")
            frames = to_stream(model.integer.host_input, samples)
            last = made_of.dataflow.golden(frames)[made_of.dataflow.output_port]
            np.testing.assert_array_equal(last, model.engines["fast"](frames), err_msg=json.dumps(description))
            require_schedule(made_of)


@drawing(10, always_the_same=True)
@given(descriptions, hardware)
def test_codes_are_those_of_litert(description: CodesDescription, choice: Hardware) -> None:
    require_codes(description, choice)


@pytest.mark.slow
@drawing(200)
@given(descriptions, hardware)
def test_codes_of_many_are_those_of_litert(description: CodesDescription, choice: Hardware) -> None:
    require_codes(description, choice)


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_what_was_found_before(path: Path) -> None:
    case = json.loads(path.read_text())
    require_codes(case["description"], case["hardware"])
