"""The compute cores of matrix-vector units: forms of the same integer arithmetic, one file each, and their registry.

The HLS back end computes the same integers from unrecoded memories: its compiler chooses the arithmetic.
"""

from headrace.layers.cores.core import Core, Operands, Unit
from headrace.layers.cores.dsp import Dsp
from headrace.layers.cores.halves import Halves
from headrace.layers.cores.mixed import Mixed, mixed_as_written
from headrace.layers.cores.pairs import Pairs
from headrace.layers.cores.parity import Parity
from headrace.layers.cores.plain import Plain
from headrace.layers.cores.planes import Planes
from headrace.layers.cores.tables import Tables

__all__ = ["CORES", "PLAIN", "Core", "Mixed", "Operands", "Unit", "core_named"]

PLAIN = Plain()
#: Every core by its name, in the order of their numbers.
CORES: dict[str, Core] = {core.name: core for core in (PLAIN, Parity(), Pairs(), Dsp(), Planes(), Halves(),
                                               Tables(), Mixed())}


def core_named(text: object) -> Core | None:
    """The core that a request names; None where there is none."""
    return CORES.get(text) or mixed_as_written(text) if isinstance(text, str) else None
