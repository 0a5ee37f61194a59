"""Many small designs in one run of Yosys: most of the time of a small one goes into reading the libraries.

The flow is that of headrace.synthesis.yosys, in one process for modules that know nothing of each other. Names differ
from those in a run of its own, and with them the order in which the mapper goes: the sum of the counts differs by less
than two percent, but single ones by up to a quarter, and by a level or two of their depth.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from headrace.atomic_files import write_files
from headrace.errors import ToolError
from headrace.synthesis.yosys import Design, Synthesis, run_yosys

_WRAPPER = "harness.sv"
#: Designs per run.
_SIZE = 8


def synthesize_together(designs: Sequence[Design], cache: Path, progress: Callable[[int], None]) -> list[Synthesis]:
    """Counts of layers in wrappers (headrace.synthesis.designs.layer_design) for one target, kept by content.

    The same designs share a run whatever the cache holds, so that it never changes counts. progress is told how many
    more are done.
    """
    paths = [cache / f"together-{design.digest()}.json" for design in designs]
    cache.mkdir(parents=True, exist_ok=True)
    for start in range(0, len(designs), _SIZE):
        run = slice(start, start + _SIZE)
        if not all(path.exists() for path in paths[run]):
            for path, done in zip(paths[run], _synthesize(designs[run]), strict=True):
                path.write_text(json.dumps(done.record()) + "\n")
        progress(len(paths[run]))
    return [Synthesis.of_record(json.loads(path.read_text())) for path in paths]


def _synthesize(designs: Sequence[Design]) -> list[Synthesis]:
    """All in one run; where that fails, in two, down to the design that fails by itself."""
    try:
        return _run(designs)
    except ToolError:
        if len(designs) == 1:
            raise
    half = len(designs) // 2
    return [*_synthesize(designs[:half]), *_synthesize(designs[half:])]


def _run(designs: Sequence[Design]) -> list[Synthesis]:
    files: dict[str, str] = {}
    reads = []
    for index, design in enumerate(designs):
        own = {name: _renamed(text, index) if name == _WRAPPER else text for name, text in design.files.items()}
        own = {_own_name(name, index): text for name, text in own.items()}
        files |= own
        sources = " ".join(sorted(name for name in own if name.endswith(".sv")))
        defines = "".join(f"-D {name} " for name in design.target.defines)
        reads.append(f"read_slang -j 1 --ignore-assertions {defines}--top layer{index} {sources}")
    target = designs[0].target
    script = "; ".join([
        *reads,
        *target.cells,
        "setattr -mod -unset top layer*",  # flatten would drop all modules but one
        *target.prepares,
        f"{target.command} -run {target.after_begin}:",
        "write_json netlist.json",
    ])
    with tempfile.TemporaryDirectory() as work:
        write_files(Path(work), files)
        run_yosys(script, Path(work))
        modules = json.loads((Path(work) / "netlist.json").read_text())["modules"]
    return [Synthesis(*target.measure(modules[f"layer{index}"], frozenset())) for index in range(len(designs))]


def _renamed(wrapper: str, index: int) -> str:
    """The wrapper under a name of its own, with memories of its own."""
    return wrapper.replace("module harness (", f"module layer{index} (").replace('"layer0_', f'"l{index}_')


def _own_name(name: str, index: int) -> str:
    if name == _WRAPPER:
        return f"wrapper{index}.sv"
    return name.replace("layer0_", f"l{index}_") if name.endswith(".mem") else name
