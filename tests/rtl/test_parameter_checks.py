"""Every condition of every parameter check of the library stops the elaboration, alone."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from headrace.render.library import library_folders, library_paths
from headrace.tools import verilator

PACKAGE, *MODULES = library_paths()
CHECKED = [path.stem for path in MODULES if "gen_check" in path.read_text()]
BIPOLAR, PLAIN, PARITY, PAIRS, DSP, PLANES, HALVES, MIXED = 2, 0, 1, 2, 3, 4, 5, 7

#: By module, sets of parameters that are wrong in one way each; the others are those by default. Where Verilator itself
#: stops at what is wrong, nothing stands here.
WRONG: Mapping[str, tuple[str, ...]] = {
    "accumulate": ("PE=0", "NF=0", "ACC_BITS=0", "O_BITS=0"),
    "accumulator": ("BITS=0",),
    "adder_tree": ("LEAVES=0", "LEAF_BITS=0", "SUM_BITS=0"),
    "add": ("PE=0", "WORDS=0"),
    "at_least": ("A_BITS=0", "B_BITS=7"),
    "carry_adder": ("BITS=0",),
    "carry_chain": ("BITS=0",),
    "channel_map": ("FORM=-1", "FORM=3", "PIXELS=0", "STEPS=0 OUT_CHANNELS=0", "STEPS=1", "FORM=2 PE=4",
                    "FORM=2 SIMD=4", "PE=1", "SIMD=3 PE=3 OUT_CHANNELS=6", "OUT_CHANNELS=5", "FORM=1 DEPTH=2",
                    "FORM=1 DEPTH=5"),
    "concat": ("INPUTS=1", "INPUTS=9", "PIXELS=0", *(f"C{k}=3" for k in range(8))),
    "counter7": ("BITS=0", "BITS=8"),
    "crop": ("SIMD=3", "START_H=-1", "START_W=-1", "START_H=4", "START_W=4", "STOP_H=5", "STOP_W=5", "STEP_H=0",
             "STEP_W=0"),
    "delay": ("BITS=0",),
    "depth_to_space": ("SIMD=3", "HEIGHT=0", "WIDTH=0", "BLOCK_H=0", "BLOCK_W=0", "DEPTH=1", "DEPTH=48", "DEPTH=16"),
    "dot_dsp": (f"W_KIND={BIPOLAR}", f"A_KIND={BIPOLAR}", "W_BITS=1", "W_BITS=16 A_BITS=16", "A_BITS=18"),
    "dot_halves": ("W_BITS=4", "W_BITS=9", f"W_KIND={BIPOLAR}"),
    "dot_mixed": ("DSP_ROWS=4", "W_BITS=1 A_BITS=8", "W_BITS=9", "A_BITS=1 W_BITS=8", "DSP_ROWS=1"),
    "dot_pairs": ("W_BITS=5",),
    "dot_parity": ("SUM_BITS=1",),
    "dot_plain": ("W_KIND=3", "A_KIND=3", f"W_KIND={BIPOLAR}", f"A_KIND={BIPOLAR}"),
    "dot_planes": ("W_BITS=5", "A_BITS=5", f"W_KIND={BIPOLAR} A_KIND={BIPOLAR}"),
    "dot_product": ("CORE=8", f"CORE={PAIRS} A_ROWS=2", f"CORE={PARITY}", f"CORE={DSP}", "A_ROWS=3",
                    f"CORE={PAIRS} W_KIND={BIPOLAR} A_KIND={BIPOLAR} W_BITS=1 A_BITS=1"),
    "dot_tables": ("WORDS=33", "A_BITS=9"),
    "dwc": ("WORDS=3",),
    "fifo": ("DEPTH=0", "LANES=0", "E_BITS=0", "WORDS=0"),
    "fork": ("OUTPUTS=1", "OUTPUTS=9", "WORDS=0"),
    "label_select": ("PE=4", "K=7", "LABELS=10"),
    "lanes_compare": ("PE=0", "E_BITS=0"),
    "lookup": ("PE=3", "GROUPS=3", "LANES=3 GROUPS=1", "LANES=1", "PIXELS=0", "A_BITS=0"),
    "loop": ("SIZE=0",),
    "max_pool": ("MODE=-1", "MODE=3", "E_KIND=-1", "E_KIND=3"),
    "memory_port": ("DEPTH=0", "BITS=0", "INDEX=256"),
    "multiplier": ("A_BITS=0", "B_BITS=0", "C_BITS=0", "P_BITS=0"),
    "mvtu": ("SIMD=3", "PE=3", "VECTORS=0", "EXTERNAL=1 WRITABLE=1", f"EXTERNAL=1 CORE={PLANES}",
             "EXTERNAL=1 GROUPS=2"),
    "ones_count": ("BITS=0", "SUM_BITS=3"),
    "own_register": ("BITS=0",),
    "pair_compare": ("A_BITS=0", "B_BITS=7", "B_BITS=10"),
    "parallel_swu": ("CHANNELS=3 SIMD=2", "BANKS_H=2", "BANKS_W=2", "SLOTS=1", "SLOTS=3", "DILATION_H=3 HEIGHT=9",
                     "HEIGHT=0 SLOTS=4", "WIDTH=0"),
    "parity_carries": (),
    "parity_decode": (),
    "parity_encode": (),
    "parity_rows": ("PE=0", "NF=0", "ACC_BITS=1", "O_BITS=0"),
    "plane_sum": ("BIT_PLANES=5", f"W_KIND={BIPOLAR}", "SPLIT=1 BIT_PLANES=3"),
    "pooling": ("PE=3", "KERNEL_H=5", "KERNEL_W=5"),
    "popcount": ("BITS=0", "BITS=19"),
    "quad_adders": ("BITS=0", "SIMD=0", "W_BITS=0"),
    "ram": ("DEPTH=1", "BITS=0"),
    "requant": ("PE=3", "GROUPS=3", "PIXELS=0", "LO=32", "KINKED=1 HALF_EVEN=1", "ZERO=1", "SHIFT=-1", "SHIFT=14",
                "SUM_BITS=64"),
    "result_slice": ("BITS=0",),
    "rom": ("DEPTH=0", "BITS=0"),
    "rows": ("SIMD=3", "GROUPS=3", f"CORE={PARITY}", f"CORE={DSP} GROUPS=2", f"CORE={PLANES} GROUPS=2",
             f"CORE={HALVES} GROUPS=2 W_BITS=5", f"CORE={MIXED} GROUPS=2", f"CORE={PLANES} N=0 O_BITS=8",
             f"WRITABLE=1 CORE={PLANES}",
             "WRITABLE=1 GROUPS=2", "WRITABLE=1 SERIAL=1 SIMD=1", "SERIAL=1", "ACC_BITS=0", "N=4"),
    "running": ("PLACES=0", "BITS=0"),
    "scaled_accumulate": ("PE=0", "NF=0", "GROUPS=0", "SG=0", "ROWS=2"),
    "serial_receive": ("BUFFER=32", "BUFFER=96", "BUFFER=131072"),
    "serial_rx": ("BAUD=0", "BAUD=5000001"),
    "serial_thresholds": ("N=1", "NF=0", "PE=0"),
    "serial_tx": ("BAUD=0", "BAUD=5000001"),
    "shell_gearbox": ("IN_BYTES=0", "OUT_BYTES=0", "IN_BYTES=6", "OUT_BYTES=4"),
    "shell_narrow": ("OUT_BYTES=0", "OUT_BYTES=3"),
    "shell_registers": ("FIFOS=257",),
    "shell_weights": ("WORDS=0",),
    "shell_widen": ("IN_BYTES=0", "OUT_BYTES=14"),
    "single_slice": ("BITS=0",),
    "skid": ("BITS=0",),
    "spaced_slice": ("BITS=0",),
    "swu": ("CHANNELS=3 SIMD=2", "DEPTH=1", "DEPTH=24", "DEPTH=16", "HEIGHT=0", "WIDTH=0", "OVERLAP=-1", "OVERLAP=2",
            "DEPTHWISE=-1", "DEPTHWISE=2"),
    "tags": ("BITS=0", "CYCLES=0"),
    "take": ("PE=0", "FIRST=-1", "COUNT=0", "COUNT=4", "O_BITS=5"),
    "ternary_adder": (),
    "ternary_level": ("LEAVES=0", "SUM_BITS=0", "SUM_BITS=11"),
    "ternary_tree": ("LEAVES=0", "LEAVES=10"),
    "threshold": ("PE=3", "GROUPS=3", "PIXELS=0", "N=4"),
    "threshold_stage": ("PE=0", "STAGE=2"),
    "thresholds": ("PE=0", "NF=0", "A_BITS=9"),
    "upsample": ("SIMD=3", "HEIGHT=0", "WIDTH=0", "SCALE_H=0", "SCALE_W=0"),
    "vvtu": ("SIMD=2", "PE=3", "WINDOWS=0"),
    "weight_tables": ("PLANES=0", "COUNT=0", "GROUP=0", "MAGNITUDE=0", "BITS=0"),
    "widen": ("KIND=-1", "KIND=3", "TO_BITS=1"),
}
#: By module, sets of parameters that are the last ones that are right.
RIGHT: Mapping[str, tuple[str, ...]] = {
    "channel_map": ("FORM=2 SIMD=4 PE=4", "FORM=1 DEPTH=4"),
    "concat": ("INPUTS=8 C2=2 C3=2 C4=2 C5=2 C6=2 C7=2",),
    "dot_dsp": ("A_BITS=17 W_BITS=2",),
    "dot_halves": ("W_BITS=5",),
    "dot_mixed": ("DSP_ROWS=3", "DSP_ROWS=1 A_BITS=5", "W_BITS=2 A_BITS=3", "W_BITS=8", "A_BITS=2"),
    "dot_pairs": ("W_BITS=4",),
    "dot_plain": (f"W_KIND={BIPOLAR} W_BITS=1", f"A_KIND={BIPOLAR} A_BITS=1"),
    "dot_planes": ("W_BITS=4", "A_BITS=4"),
    "dot_tables": ("WORDS=32", "A_BITS=8"),
    "fork": ("OUTPUTS=8",),
    "label_select": ("K=6", "LABELS=8"),
    "max_pool": ("MODE=2", f"E_KIND={BIPOLAR} E_BITS=1"),
    "memory_port": ("INDEX=255",),
    "mvtu": ("EXTERNAL=1", f"EXTERNAL=1 CORE={PAIRS}"),
    "plane_sum": ("BIT_PLANES=4",),
    "pooling": ("KERNEL_H=4", "KERNEL_W=4"),
    "requant": ("LO=31", "SUM_BITS=63", "SHIFT=13", "SHIFT=0", "GROUPS=1"),
    "rows": ("WRITABLE=1", f"WRITABLE=1 CORE={PAIRS}"),
    "serial_receive": ("BUFFER=64", "BUFFER=65536"),
    "shell_gearbox": ("IN_BYTES=2", "OUT_BYTES=14", "IN_BYTES=14 OUT_BYTES=16"),
    "shell_registers": ("FIFOS=256",),
    "swu": ("DEPTHWISE=1", "OVERLAP=0"),
    "take": ("FIRST=2", "FIRST=0", "O_BITS=4"),
    "ternary_tree": ("LEAVES=9",),
    "widen": (f"KIND={BIPOLAR}", "TO_BITS=2"),
}


def stopped(module: str, choices: tuple[str, ...], work: Path) -> set[int]:
    """Which instances of a module, with these parameters, one of its own checks says something about."""
    lines = [f"  {module} #({', '.join(f'.{key}({value})' for key, value in map(_pair, choice.split()))}) u{k} ();"
             for k, choice in enumerate(choices)]
    source = work / "checks.sv"
    source.write_text("\n".join(["module checks;", *lines, "endmodule", ""]))
    folders = [option for folder in library_folders() for option in ("-y", folder)]
    done = subprocess.run([verilator(), "--lint-only", "-Wno-lint", "-Wno-fatal", "--top-module", "checks", *folders,
                           PACKAGE, source], capture_output=True, text=True, check=False)
    told = re.findall(rf"USERERROR: \S*{module}\.sv\S* .*\n.*In instance 'checks\.u(\d+)'", done.stderr)
    return {int(k) for k in told}


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key, value


def test_every_check_is_looked_at() -> None:
    assert sorted(f"headrace_{module}" for module in WRONG) == sorted(CHECKED)


@pytest.mark.slow
@pytest.mark.parametrize("module", CHECKED)
def test_every_condition_stops_the_elaboration(module: str, tmp_path: Path) -> None:
    choices = WRONG[module.removeprefix("headrace_")]
    told = stopped(module, choices, tmp_path)
    left = [choice for k, choice in enumerate(choices) if k not in told]  # one sentence is told once in a run
    assert [choice for choice in left if not stopped(module, (choice,), tmp_path)] == []


@pytest.mark.slow
@pytest.mark.parametrize("module", RIGHT, ids=lambda module: f"headrace_{module}")
def test_the_last_right_parameters_do_not_stop_it(module: str, tmp_path: Path) -> None:
    name = f"headrace_{module}"
    assert stopped(name, RIGHT[module], tmp_path) == set()
    assert stopped(name, (*RIGHT[module], WRONG[module][-1]), tmp_path) == {len(RIGHT[module])}
