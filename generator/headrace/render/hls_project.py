"""The projects of an HLS compiler: csynth.tcl and cosim.tcl for vitis_hls, hls.cfg for v++ and vitis-run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace.errors import InputError
from headrace.paths import data_folder
from headrace.render.rtl import TOP
from headrace.render.templates import load_template

_FILES = ("csynth.tcl", "cosim.tcl", "hls.cfg")
_UNCERTAINTY = re.compile(r"(\d+(?:\.\d+)?)(%?)")


@dataclass(frozen=True)
class HlsProject:
    """What a user may choose of the projects.

    uncertainty: what is taken off the clock period, in ns or in percent of it; the default is that of Vitis HLS.
    random_stall: co-simulation stalls the ports at random; profiling: it notes how full every stream gets.
    Raises InputError for an uncertainty that is neither.
    """

    uncertainty: str = "27%"
    random_stall: bool = True
    profiling: bool = True

    def __post_init__(self) -> None:
        match = _UNCERTAINTY.fullmatch(self.uncertainty)
        if match is None or (match[2] and float(match[1]) >= 100):
            raise InputError(f"clock uncertainty {self.uncertainty!r} is neither a number of ns nor a percentage below "
                             "100; write 1.35 or 27%")

    def uncertainty_ns(self, period_ns: float) -> float:
        """What is taken off a clock period, in ns."""
        number = float(self.uncertainty.removesuffix("%"))
        return period_ns * number / 100 if self.uncertainty.endswith("%") else number

    def require_period(self, period_ns: float) -> None:
        """Raise InputError where the uncertainty leaves nothing of the clock period."""
        if self.uncertainty_ns(period_ns) >= period_ns:
            raise InputError(f"clock uncertainty of {self.uncertainty} ns leaves nothing of the clock period of "
                             f"{period_ns:g} ns; use less, or a percentage such as 27%")


def render_project(period_ns: float, part: str, header: str, vectors: int, frames: int = 1,
                   project: HlsProject | None = None) -> dict[str, str]:
    """The scripts by their name in hls/.

    vectors: frames that the co-simulation takes from input.bin; frames: those that a call of the top takes where
    pipelines flush.
    Raises InputError where the uncertainty leaves nothing of the period.
    """
    chosen = project or HlsProject()
    chosen.require_period(period_ns)
    values = {"header": " ".join(header.split()), "top": TOP, "part": part, "period": f"{period_ns:.3f}",
              "vectors": vectors, "frames": frames, "project": chosen}
    folder = data_folder("hls_templates")
    return {name: load_template(folder, f"{name}.j2").render(values) for name in _FILES}
