"""The package of a build as on a board, with a mock of pynq that records."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from headrace.build_folder import Build
from tests.unverified_build import SHA256


def pynq_calls(built: Build, folder: Path, program: str | None = None) -> list[str]:
    """What the example, or the text of a program, asks of pynq; it has to print that the self-test is exact.

    What is copied to the board runs with NumPy and pynq alone.
    """
    copied = Path(shutil.copytree(built.folder / "driver", folder / "driver"))
    shutil.copy(Path(__file__).with_name("mock_pynq.py"), copied / "pynq.py")
    (copied / "headrace.py").write_text("raise ImportError('headrace must not be needed')\n")
    (copied / "expected.json").write_text(json.dumps({"sha256": SHA256}))
    if program is not None:
        (copied / "example.py").write_text(program)
    done = subprocess.run([sys.executable, "example.py", "accelerator.bit"], cwd=copied, capture_output=True, text=True,
                          check=False, timeout=30)
    assert done.stdout == "self-test: exact\n", done.stdout + done.stderr
    return (copied / "calls.txt").read_text().splitlines()
