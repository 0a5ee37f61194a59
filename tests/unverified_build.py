"""A build directory of a network, written like any other but not verified: enough for what comes after a build."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from unittest import mock

from headrace.build_folder import Build
from headrace.building import build
from headrace.dataflow.choose_cores import Cores
from headrace.dataflow.fold import Folding
from headrace.dataflow.make_writable import Writable
from headrace.model import Model
from headrace.network.integer import IntegerNetwork
from headrace.request import Options

SHA256 = "0123456789abcdef" * 4
CLOCK_MHZ = 200.0


def write_unverified(folder: Path, net: IntegerNetwork, backend: Literal["rtl", "hls", "both"] = "both",
                     cycles: int = 800, folding: Folding | None = None,
                     writable: Writable | None = None, external: Sequence[str] = (),
                     cores: Cores | None = None) -> Build:
    """Write and open a build directory of a network; cycles: most per frame, unless a folding is given."""
    fps = None if folding else CLOCK_MHZ * 1e6 / cycles
    options = Options(clock_mhz=CLOCK_MHZ, fps=fps, folding=folding, backend=backend,
                      writable=writable or {}, external=external, cores=cores or {})
    with mock.patch("headrace.building._verify", return_value=[]):
        return build(Model(net, SHA256), folder, options)
