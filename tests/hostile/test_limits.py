"""Hostile input in processes of their own: seconds, memory, and whatever the terminal says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests.hostile.table import SECONDS, Maker, both, file, link, nothing, sparse
from tests.hostile.test_arrays import claims, network
from tests.hostile.test_boards import GOOD
from tests.hostile.test_models import channels, constant_bomb, diamonds

#: Most kilobytes of memory of a refusal.
MEMORY = 1_000_000


CASES: list[tuple[str, Maker, int, str]] = [
    ("check {dir}/m.onnx", diamonds("Add", 22), 0, ""),
    ("check {dir}/m.onnx", diamonds("Add", 100), 1, "its integers need 63 bits"),
    ("check {dir}/m.onnx", channels(1 << 18), 0, ""),
    ("check {dir}/m.onnx", channels(1 << 20), 1, "has 1048576 channels and at most 262144 are possible"),
    ("check {dir}/m.onnx", channels(1 << 27), 1, "the input has 134217728 elements"),
    ("check {dir}/m.onnx", constant_bomb, 1, "fold them in the model"),
    ("check {dir}/m.onnx", link("m.onnx", "/dev/zero"), 1, "is a device or a pipe"),
    ("check {dir}/m.onnx", sparse("m.onnx", (1 << 30) + 1), 1, "has more than 1073741824 bytes"),
    ("predict {dir}/net.json --input {dir}/x.npy --output {dir}/y.npy",
     both(network, file("x.npy", claims("(2000000000,)"))), 1, "claims an array of 2000000000 numbers"),
    ("build {dir}/net.json --out {dir}/b --board {dir}/b.toml",
     both(network, file("b.toml", GOOD.replace("1728", "2" * 5000))), 1, "is no"),
    ("layer {dir}/s.json", file("s.json", '{"kind": "mvtu", "mw": 65536, "mh": 65536, "weight": "int2", '
                                          '"input": "int2", "output": "acc"}'), 1, ""),
    ("layer {dir}/s.json", file("s.json", "[" * 10_000_000), 1, "is not JSON (it is nested too deeply)"),
    ("report {dir}", nothing, 1, "is not a build directory"),
]


#: Runs a command and notes its seconds and kilobytes. A process counts as its own what its parent held when it was
#: started, so that a large one, as that of the tests, must not be the parent.
LAUNCHER = """
import os, sys
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{usage.ru_utime + usage.ru_stime} {usage.ru_maxrss}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Run(NamedTuple):
    """Exit code, both outputs, and the CPU seconds and kilobytes that the process took."""

    code: int
    out: str
    err: str
    seconds: float
    kilobytes: int


def run(words: list[str], folder: Path, environment: dict[str, str]) -> Run:
    """The command line in a process of its own."""
    used = folder / "used"
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(used), sys.executable, "-m", "headrace", *words]
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as err:
        done = subprocess.run(command, stdout=out, stderr=err, cwd=folder, env=environment, check=False)
        out.seek(0)
        err.seek(0)
        seconds, kilobytes = used.read_text().split()
        return Run(done.returncode, out.read(), err.read(), float(seconds), int(kilobytes))


@pytest.mark.parametrize(("command", "make", "code", "says"), CASES, ids=[str(k) for k in range(len(CASES))])
def test_seconds_and_memory(command: str, make: Maker, code: int, says: str, tmp_path: Path) -> None:
    make(tmp_path)
    words = [word.replace("{dir}", str(tmp_path)) for word in command.split()]
    found = run(words, tmp_path, dict(os.environ))
    assert (found.code, says in found.err, "Traceback" in found.err) == (code, True, False), found.err
    assert found.seconds < SECONDS, found.err
    assert found.kilobytes < MEMORY
    assert bool(found.out) is (code == 0 or (command.startswith("layer") and not says))


@pytest.mark.parametrize("terminal", [
    {"TERM": None, "COLUMNS": "0"}, {"TERM": "", "COLUMNS": "-5"}, {"TERM": "no-such-terminal", "COLUMNS": "many"},
    {"TERM": "x" * 5000, "COLUMNS": "9" * 30, "NO_COLOR": "", "FORCE_COLOR": ""},
])
def test_any_terminal_will_do(terminal: dict[str, str | None], tmp_path: Path) -> None:
    environment = {**os.environ, **{key: value for key, value in terminal.items() if value is not None}}
    for key, value in terminal.items():
        if value is None:
            environment.pop(key, None)
    np.save(tmp_path / "x.npy", np.zeros((2, 3)))
    code, out, err, *_ = run(["boards"], tmp_path, environment)
    assert (code, err) == (0, "") and "zcu104" in out.replace("\n", "")
    code, out, err, *_ = run(["check", str(tmp_path / "m.onnx")], tmp_path, environment)
    assert (code, out) == (1, "") and "m.onnx: cannot be read (No such file or directory)" in err
