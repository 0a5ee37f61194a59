"""Other versions of packages within their bounds: each comes before the installed one, and tests of what uses it run.

The newest Python, NumPy and cocotb are tried by `.ci/versions`. torch has one version: see docs/trust.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.versions import untested

ROOT = Path(__file__).resolve().parents[1]
OTHERS = {
    "brevitas==0.13.2": ("frontend/test_brevitas.py", "frontend/test_brevitas_blocks.py",
                         "frontend/test_brevitas_channels.py"),
    "onnx==1.22.0": ("frontend/test_onnx.py", "frontend/test_onnx_models.py", "frontend/test_qonnx.py",
                     "frontend/test_qcdq.py", "export"),
    "numpy==1.26.4": ("test_serialize.py", "test_datatypes.py", "engines", "streamline"),
}


@pytest.mark.slow
@pytest.mark.parametrize("pin", OTHERS)
def test_another_version(pin: str, tmp_path: Path) -> None:
    name, _, version = pin.partition("==")
    assert untested(name, version) == ""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), pin],
                   check=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT / "generator", ROOT)))}
    is_it = f"import importlib.metadata as found; assert found.version({name!r}) == {version!r}"
    subprocess.run([sys.executable, "-c", is_it], env=environment, check=True)
    tests = [str(ROOT / "tests" / path) for path in (*OTHERS[pin], "test_versions.py")]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *tests],
                          cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
