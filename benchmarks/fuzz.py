"""Damaged files of every kind against what reads them, guided by coverage: `make fuzz`. See docs/trust.md.

Every target is a process of its own with a limit of memory. Anything but a HeadraceError is a finding: it is kept under
build/fuzz, and `python -m benchmarks.fuzz TARGET FILE` reads it once more.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

OUT = Path("build/fuzz")
MEGABYTES, SECONDS_OF_ONE = 4096, 60
MINUTES = 10.0


@dataclass(frozen=True)
class Target:
    """name: of the file that is written; read: what reads it; seeds: of whole files."""

    name: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]


def _load(path: Path) -> object:
    from headrace.model import load

    return load(str(path)).unfolded


def _record(path: Path) -> object:
    from headrace.build_record import read_record

    return read_record(path.parent)


def _board(path: Path) -> object:
    from headrace.board.board import load_board

    return load_board(str(path))


def _samples(path: Path) -> object:
    from headrace.samples import read_samples

    return read_samples(path)


def _onnx() -> list[bytes]:
    """Networks that Hypothesis draws, joins 18 deep, 500 layers, 4096 channels."""
    from hypothesis import HealthCheck, Phase, given, settings

    from tests.random_networks.descriptions import Description
    from tests.random_networks.network import drawn
    from tests.random_networks.strategies import descriptions

    found: list[bytes] = []

    @settings(max_examples=30, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(descriptions)
    def keep(description: Description) -> None:
        found.append(drawn(description).proto.SerializeToString())

    keep()
    return [*found, _joins(18), _chain(500, 1), _chain(2, 4096)]


def _chain(count: int, channels: int) -> bytes:
    """So many layers, or so many channels."""
    from tests.frontend.onnx_files import model, node, quant

    constants: dict[str, np.ndarray] = {}
    nodes = [quant("x", "a0", 1.0, 4, 0, constants)]
    for k in range(count):
        nodes += [node("Relu", [f"a{k}"], f"r{k}"), quant(f"r{k}", f"a{k + 1}", 1.0, 4, 0, constants)]
    proto = model([*nodes, node("Relu", [f"a{count}"])], (1, channels, 2, 2), constants)
    return bytes(proto.SerializeToString())


def _joins(count: int) -> bytes:
    from tests.frontend.onnx_files import model, node, quant

    constants: dict[str, np.ndarray] = {}
    nodes = [quant("x", "a0", 1.0, 4, 0, constants)]
    for k in range(count):
        nodes += [node("Add", [f"a{k}", f"a{k}"], f"s{k}"), quant(f"s{k}", f"a{k + 1}", 1.0, 4, 0, constants)]
    proto = model([*nodes, node("Relu", [f"a{count}"])], (1, 2, 4, 4), constants)
    return bytes(proto.SerializeToString())


def _tflite() -> list[bytes]:
    """One file of each operator that random files have, and one of many channels."""
    from tests.frontend.tflite_files import TfliteFile
    from tests.random_networks.descriptions import CodesDescription, CodesLayer
    from tests.random_networks.tflite_networks import OPERATORS, content

    file, shape = TfliteFile(), (1, 1, 1, 4096)
    x = file.codes(shape)
    wide = file.content([x], [file.operator("RELU", [x], file.codes(shape))])
    plain: CodesLayer = {"op": "", "rows": 2, "kernel": [2, 2], "stride": 1, "same": True, "activation": 0,
                         "per_tensor": False}
    several: list[CodesDescription] = [
        {"seed": 1, "height": 4, "width": 4, "channels": 2, "layers": [{**plain, "op": op}], "dense": True}
        for op in OPERATORS]
    return [*(content(description)[0] for description in several), wide]


def _records() -> list[bytes]:
    """What a build says of itself, without the build."""
    from headrace.board.board import DEFAULT_BOARD, load_board
    from headrace.version import headrace_version

    board = asdict(load_board(DEFAULT_BOARD))
    return [json.dumps({"headrace": headrace_version(), "model": "m", "backend": "both", "device": board, "layers": [],
                        "recipe": {}, "cycles_per_frame": 4, "source_sha256": "0"}).encode(), b"{}", b"[]"]


def _arrays() -> list[bytes]:
    made = []
    for array in (np.zeros((2, 3), np.float32), np.arange(4), np.zeros((0, 2)), np.array(True)):
        buffer = io.BytesIO()
        np.save(buffer, array)
        made.append(buffer.getvalue())
    return made


def _boards() -> list[bytes]:
    return [path.read_bytes() for path in sorted(Path("boards").glob("*.toml"))]


def _networks() -> list[bytes]:
    """A saved network: the part that says what its arrays are."""
    from headrace.serialize import save
    from tests.small_networks import small_network

    with tempfile.TemporaryDirectory() as folder:
        save(small_network(), Path(folder) / "net")
        return [(Path(folder) / "net.json").read_bytes()]


TARGETS: Mapping[str, Target] = {
    "onnx": Target("model.onnx", _load, _onnx),
    "tflite": Target("model.tflite", _load, _tflite),
    "record": Target("build.json", _record, _records),
    "npy": Target("x.npy", _samples, _arrays),
    "toml": Target("board.toml", _board, _boards),
    "network": Target("net.json", _load, _networks),
}


def read_once(target: Target, content: bytes) -> None:
    """Raise what is not a HeadraceError."""
    from headrace.errors import HeadraceError

    with tempfile.TemporaryDirectory() as folder, suppress(HeadraceError):
        path = Path(folder) / target.name
        path.write_bytes(content)
        target.read(path)


def fuzz_one(name: str, seconds: int) -> None:
    """Fuzz in this process until the time is over or something is found; does not return."""
    import atheris

    target = TARGETS[name]
    with atheris.instrument_imports(include=["headrace"]):
        import headrace.board.board
        import headrace.build_record
        import headrace.frontend.onnx.reader
        import headrace.frontend.tflite.reader
        import headrace.model
        import headrace.samples  # noqa: F401 - what is imported here is instrumented
    found = f"-artifact_prefix={OUT / name}/"
    limits = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEGABYTES}", f"-timeout={SECONDS_OF_ONE}"]
    atheris.Setup([sys.argv[0], str(OUT / name / "corpus"), found, *limits, "-max_len=262144", "-print_final_stats=1"],
                  lambda content: read_once(target, content))
    atheris.Fuzz()


def run(name: str, seconds: int) -> bool:
    """True if nothing was found in a process of its own."""
    corpus = OUT / name / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed{index}").write_bytes(seed)
    log = OUT / name / "log"
    start = time.monotonic()
    with log.open("wb") as file:
        done = subprocess.run([sys.executable, "-m", "benchmarks.fuzz", name, "--seconds", str(seconds)], stdout=file,
                              stderr=subprocess.STDOUT, check=False)
    said = log.read_text(errors="replace")
    runs = said.rpartition("number_of_executed_units:")[2].split("\n")[0].strip()
    verdict = "nothing found" if done.returncode == 0 else f"found something, see {log}"
    print(f"{name}: {runs or '?'} files in {time.monotonic() - start:.0f} s, {verdict}", flush=True)
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """[TARGET...] [--minutes M], or TARGET FILE; TARGET --seconds S is what runs in a process of its own."""
    if "--seconds" in arguments:
        fuzz_one(arguments[0], int(arguments[2]))
    if len(arguments) == 2 and arguments[1] not in TARGETS and arguments[0] in TARGETS:
        read_once(TARGETS[arguments[0]], Path(arguments[1]).read_bytes())
        print("read, or refused with a sentence")
        return 0
    minutes = float(arguments[arguments.index("--minutes") + 1]) if "--minutes" in arguments else MINUTES
    names = [name for name in arguments if name in TARGETS] or list(TARGETS)
    return int(sum(not run(name, int(60 * minutes)) for name in names) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
