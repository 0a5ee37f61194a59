"""The command line: argument parsing, and nothing else than calls into the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console

from headrace.benches.network import Simulation, simulate_build
from headrace.board.board import DEFAULT_BOARD, board_names, load_board
from headrace.build_folder import RECORD, Build
from headrace.building import build
from headrace.cli import tables
from headrace.cli.quantize import add_quantize, run_quantize
from headrace.dataflow.choose_cores import parse_cores
from headrace.dataflow.make_writable import parse_writable
from headrace.errors import InputError
from headrace.folding.plan import load_folding
from headrace.layers.cores import AUTO, CORES
from headrace.lint.hls import inspect_hls
from headrace.model import load, read_samples
from headrace.render.hls_project import HlsProject
from headrace.reporting.page import PAGE
from headrace.request import Options
from headrace.simulation.cases import load_specs, run_specs
from headrace.simulation.frames import Stalls
from headrace.sources import save_qonnx
from headrace.synthesis.report import Request, synthesize_build, synthesize_specs
from headrace.synthesis.yosys import default_cache
from headrace.vivado.flow import HlsRun, make_bitstream


def run(arguments: Sequence[str]) -> int:
    """Parse the arguments, run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    code: int = options.command(options)
    return code


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """What goes on, on stderr."""
    console = Console(stderr=True)
    with console.status("starting") as status:
        yield lambda text: status.update(text)


def _check(options: argparse.Namespace) -> int:
    model = load(options.model)
    for note in model.notes:
        print(f"headrace: note: {note}", file=sys.stderr)
    tables.show(tables.layers_table(model.unfolded), options.json, lambda: tables.layers_json(model.unfolded))
    return 0


def _build(options: argparse.Namespace) -> int:
    chosen = Options(
        board=options.board,
        clock_mhz=options.clock_mhz,
        fps=options.fps,
        folding=load_folding(options.folding) if options.folding else None,
        cores=parse_cores(options.core),
        writable=parse_writable(options.writable, options.uram),
        external=options.external,
        weights=options.weights,
        backend=options.backend,
        verify=options.verify,
        verify_input=read_samples(options.verify_input) if options.verify_input else None,
    )
    with _progress() as progress:
        progress(f"loading {options.model}")
        made = build(load(options.model), options.out, chosen, progress)
    tables.show(tables.build_table(made), options.json, lambda: dict(made.record))
    return 0


def _predict(options: argparse.Namespace) -> int:
    samples = read_samples(options.input)
    folder = Path(options.model)
    source = Build.open(folder) if (folder / RECORD).is_file() else load(options.model)
    y = source.predict(samples, engine=options.engine, raw=options.raw)
    if not options.output.parent.is_dir():
        raise InputError(f"{options.output}: its folder does not exist; create it first")
    np.save(options.output, y)
    return 0


def _sim(options: argparse.Namespace) -> int:
    what = Simulation(options.frames, Stalls(options.stalls), options.seed, options.waves, options.verilog)
    made = Build.open(options.directory)
    with _progress() as progress:
        result = simulate_build(made, what, progress)
    tables.show(tables.sim_table(result), options.json, lambda: result)
    return 0


def _bitstream(options: argparse.Namespace) -> int:
    made = Build.open(options.directory)
    with _progress() as progress:
        result = make_bitstream(made, options.board, options.jobs, options.backend, options.ooc, progress,
                                _hls_run(options))
    for warning in result.get("hls", {}).get("warnings", ()):
        print(f"headrace: warning: {warning}", file=sys.stderr)
    tables.show(tables.bitstream_table(result), options.json, lambda: result)
    return 0


def _hls_run(options: argparse.Namespace) -> HlsRun | None:
    """How the HLS compiler runs, None where nothing is asked of it."""
    if options.clock_uncertainty is None and not options.cosim:
        return None
    return HlsRun(HlsProject(options.clock_uncertainty or HlsProject.uncertainty), options.cosim)


def _lint_hls(options: argparse.Namespace) -> int:
    with _progress() as progress:
        progress("reading the C++ with libclang")
        seen = inspect_hls(options.directory)
    if not options.json and seen.loops:
        tables.show(tables.loops_table(seen), False, dict)
    tables.show(tables.findings_table(seen.findings), options.json, lambda: tables.inspection_json(seen))
    return 1 if seen.findings else 0


def _layer(options: argparse.Namespace) -> int:
    specs = load_specs(options.spec)
    engines = ("rtl", "hls") if options.engine == "both" else (options.engine,)
    stalls = None if options.stalls is None else Stalls(options.stalls)
    with _progress() as progress:
        results = run_specs(specs, engines, stalls, options.seed, progress)
        if options.synth:
            synthesize_specs(results, not options.without_weights, _request(options), progress)
    tables.show(tables.cases_table(results), options.json, lambda: results)
    return 0 if all(result["bit_exact"] for result in results) else 1


def _request(options: argparse.Namespace, layers: tuple[str, ...] = (), per_layer: bool = False) -> Request:
    return Request(layers, per_layer, options.jobs, options.cache)


def _synth(options: argparse.Namespace) -> int:
    made = Build.open(options.directory)
    with _progress() as progress:
        result = synthesize_build(made, _request(options, tuple(options.layer), options.per_layer), progress)
    tables.show(tables.synth_table(result), options.json, lambda: result)
    return 0


def _report(options: argparse.Namespace) -> int:
    made = Build.open(options.directory)
    result = made.report()
    tables.show(str(made.folder / PAGE), options.json, lambda: result)
    return 0


def _boards(options: argparse.Namespace) -> int:
    boards = [load_board(name) for name in board_names()]
    tables.show(tables.boards_table(boards), options.json, lambda: tables.boards_json(boards))
    return 0


def _export(options: argparse.Namespace) -> int:
    save_qonnx(options.model, options.out)
    return 0


#: What makes the parser of a command from its name, its function and what it does.
Commands = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]
MODEL_HELP = "file.py:function that returns a module, or a saved network (.json, .npz)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace", description="A trained CNN as a streaming FPGA accelerator, "
                                     "proved bit-exact on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        return sub

    _add_model_commands(command)
    _add_build(command("build", _build, "generate the accelerator and verify it bit for bit"))
    _add_build_commands(command)
    _add_layer_commands(command)
    add_quantize(command("quantize", run_quantize, "quantize a float CNN with calibration data"))
    _add_json(command("boards", _boards, "list the boards that come with headrace and what they offer"))
    return parser


def _add_model_commands(command: Commands) -> None:
    check = command("check", _check, "say what of a model is supported, what is not, and why")
    check.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    _add_json(check)

    predict = command("predict", _predict, "compute outputs exactly")
    predict.add_argument("model", metavar="MODEL_OR_DIR", help=f"{MODEL_HELP}, or a build directory")
    predict.add_argument("--input", required=True, type=Path, metavar="X.npy")
    predict.add_argument("--output", required=True, type=Path, metavar="Y.npy")
    predict.add_argument("--engine", choices=("golden", "fast", "hls", "rtl"), default="fast")
    predict.add_argument("--raw", action="store_true", help="integers as they leave the accelerator")

    export = command("export", _export, "write a model as a QONNX file that gives the same integers")
    export.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    export.add_argument("--out", required=True, type=Path, metavar="M.onnx", help="file to write or replace")


def _add_build_commands(command: Commands) -> None:
    sim = command("sim", _sim, "simulate a build cycle by cycle; writes DIR/sim.json")
    sim.add_argument("directory", type=Path, metavar="DIR")
    sim.add_argument("--frames", type=int, default=Simulation.frames, metavar="N")
    sim.add_argument("--stalls", choices=[stalls.value for stalls in Stalls], default=Simulation.stalls.value)
    sim.add_argument("--seed", type=int, default=0, metavar="S")
    sim.add_argument("--waves", action="store_true", help="write DIR/sim/waves.vcd")
    sim.add_argument("--verilog", type=Path, metavar="PATH", help="simulate what an HLS compiler wrote for the build")
    _add_json(sim)

    report = command("report", _report, "draw a build and what was measured of it; writes DIR/report.html, .json")
    report.add_argument("directory", type=Path, metavar="DIR")
    _add_json(report)

    bits = command("bitstream", _bitstream, "run Vitis HLS and Vivado; writes DIR/vivado/accelerator.bit and .hwh")
    bits.add_argument("directory", type=Path, metavar="DIR")
    bits.add_argument("--board", required=True, metavar="B", help="board name or .toml file")
    bits.add_argument("--jobs", type=int, default=2, metavar="N", help="processes of Vivado (default %(default)s)")
    bits.add_argument("--backend", choices=("rtl", "hls"), help="default: rtl if it was built")
    bits.add_argument("--clock-uncertainty", metavar="U",
                      help=f"HLS: taken off the period, in ns or as a percentage (default {HlsProject.uncertainty})")
    bits.add_argument("--cosim", action="store_true", help="HLS: simulate its Verilog with random stalls too")
    bits.add_argument("--ooc", action="store_true", help="only synthesise the accelerator, out of context")
    _add_json(bits)

    lint = command("lint-hls", _lint_hls, "estimate the loops of the C++ and look for what an HLS compiler may refuse; "
                   "exit 1 where there is any")
    lint.add_argument("directory", type=Path, metavar="DIR", help="a build directory with hls/, or such a folder")
    _add_json(lint)


def _add_layer_commands(command: Commands) -> None:
    layer = command("layer", _layer, "build, simulate and compare single layers")
    layer.add_argument("spec", type=Path, metavar="SPEC.json", help="one layer or a list of layers")
    layer.add_argument("--engine", choices=("rtl", "hls", "both"), default="both")
    layer.add_argument("--stalls", choices=[stalls.value for stalls in Stalls],
                       help="only this pattern (default: all of them, and a reset in mid-frame)")
    layer.add_argument("--seed", type=int, default=0, metavar="S", help="of the stalls")
    layer.add_argument("--synth", action="store_true", help="also synthesize each layer with Yosys")
    layer.add_argument("--without-weights", action="store_true", help="with --synth: leave the weight memories out")
    _add_synthesis(layer)
    _add_json(layer)

    synth = command("synth", _synth, "synthesize a build with Yosys; writes DIR/synth.json")
    synth.add_argument("directory", type=Path, metavar="DIR")
    synth.add_argument("--per-layer", action="store_true", help="every layer by itself too")
    synth.add_argument("--layer", action="append", default=[], metavar="NAME", help="only this layer (may be repeated)")
    _add_synthesis(synth)
    _add_json(synth)


def _add_build(make: argparse.ArgumentParser) -> None:
    make.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    make.add_argument("--out", required=True, type=Path, metavar="DIR", help="build directory to write or replace")
    make.add_argument("--board", help="board name or .toml file, filled if neither a rate nor a folding is given "
                      f"(default {DEFAULT_BOARD}, not filled)")
    make.add_argument("--clock-mhz", type=float, default=Options.clock_mhz, help="default %(default)s")
    rate = make.add_mutually_exclusive_group()
    rate.add_argument("--fps", type=float, help="frames per second to reach with the least hardware")
    rate.add_argument("--folding", type=Path, metavar="FILE", help="JSON: {layer: {pe, simd, ...}, fifo: {depth}}")
    make.add_argument("--core", action="append", default=[], metavar="[LAYER=]NAME",
                      help=f"compute core of all layers or of one: {', '.join((AUTO, *CORES))} (default auto: by cost)")
    make.add_argument("--backend", choices=("rtl", "hls", "both"), default=Options.backend)
    make.add_argument("--verify", type=int, default=Options.verify, metavar="N", help="vectors (default %(default)s)")
    make.add_argument("--writable", action="append", default=[], metavar="LAYER",
                      help="the processor can write weights and thresholds of this layer (may be repeated)")
    make.add_argument("--uram", action="append", default=[], metavar="LAYER",
                      help="the same, with weights in UltraRAM, which the driver loads at its start")
    make.add_argument("--weights", choices=("on-chip", "external"), default=Options.weights,
                      help="external: the largest come from memory outside, until the rest fits the board")
    make.add_argument("--external", action="append", default=[], metavar="LAYER",
                      help="the weights of this layer come from memory outside, as a stream (may be repeated)")
    make.add_argument("--verify-input", type=Path, metavar="X.npy", help="samples to verify with, not random ones")
    _add_json(make)


def _add_synthesis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=Request.jobs, metavar="N",
                        help="runs of Yosys at a time (default %(default)s)")
    parser.add_argument("--cache", type=Path, default=default_cache(), metavar="DIR",
                        help="where Yosys' results are kept by content (default %(default)s)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print machine-readable results on stdout")


