"""The commands: calls into the package, and nothing else."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from headrace.atomic_files import require_writable_file
from headrace.benches.network import Simulation, simulate_build
from headrace.board.board import board_names, load_board
from headrace.board.family import RoutedFamily, find_family
from headrace.build_folder import Build
from headrace.building import build, require_possible
from headrace.cli import tables
from headrace.cli.bitstream import JOBS, require_vivado, run_routed
from headrace.cli.compare import run_compare
from headrace.cli.completion import completion_script
from headrace.cli.doctor import run_doctor
from headrace.cli.explore import run_explore
from headrace.cli.parser import command_parser, parse
from headrace.cli.plan import run_plan
from headrace.cli.precision import run_precision
from headrace.cli.predict import run_predict
from headrace.cli.progress_bar import progress
from headrace.cli.quantize import add_quantize, run_quantize
from headrace.cli.report import run_report
from headrace.cli.verbosity import current_voice, note, speaking, warn
from headrace.dataflow.choose_cores import parse_cores
from headrace.dataflow.make_writable import parse_writable
from headrace.ecp5.simulation import simulate_routed
from headrace.errors import InputError
from headrace.exploring.layers import layers_spread
from headrace.folding.given import load_folding
from headrace.hls_lint.hls import inspect_hls, lint_seconds
from headrace.model import load
from headrace.progress import Step
from headrace.render.hls_project import HlsProject
from headrace.reporting.quantized import quantized_beside
from headrace.reporting.views import boards_view, layers_view, sim_view, synth_view
from headrace.request import Options, resolve
from headrace.samples import read_samples
from headrace.simulation.cases import load_specs, run_specs
from headrace.simulation.frames import Stalls
from headrace.sources import save_qonnx
from headrace.synthesis.report import Request, synthesize_build, synthesize_specs
from headrace.vivado.flow import HlsRun, make_bitstream

#: Exit code of wrong usage.
_USAGE = 2


def run(arguments: Sequence[str]) -> int:
    """Parse the arguments, run the command and return its exit code."""
    for text in arguments:
        if "\0" in text:
            raise InputError(f"{text!r}: an argument cannot hold a NUL character; remove it")
    options = parse(arguments, _COMMANDS, add_quantize)
    if options is None:
        return _USAGE
    with speaking(options, arguments):
        code: int = options.command(options)
    return code


def _check(options: argparse.Namespace) -> int:
    model = load(options.model, kernels=options.kernels)
    for text in model.notes:
        note(text)
    tables.show(layers_view(model.unfolded), options.json, lambda: tables.layers_json(model.unfolded))
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
        overfull=options.overfull,
        verify_layers=options.verify_layers,
        fifos=options.fifos,
        share=options.share,
    )
    require_possible(resolve(chosen), options.out, not options.scheduler)
    with progress() as tell, layers_spread(options.scheduler, chosen) as spread:
        tell(f"loading {options.model}")
        made = build(load(options.model, kernels=options.kernels), options.out, chosen, tell, spread)
        if said := quantized_beside(options.model, made.record["source_sha256"]):
            made.report(said)
    tables.show(made.view, options.json, lambda: dict(made.record))
    if not (options.json or current_voice().quiet):
        tables.say(tables.next_steps(made))
    if not made.record["fits"]:
        warn(tables.does_not_fit(made))
    return 0


def _sim(options: argparse.Namespace) -> int:
    what = Simulation(options.frames, Stalls(options.stalls), options.seed, options.waves, options.verilog)
    made = Build.open(options.directory)
    if options.routed:
        with progress() as tell:
            result = simulate_routed(made, options.seed, tell)
        tables.show(sim_view(result), options.json, lambda: result)
        return 0
    with progress() as tell:
        result = simulate_build(made, what, tell)
    tables.show(sim_view(result), options.json, lambda: result)
    return 0


def _bitstream(options: argparse.Namespace) -> int:
    made = Build.open(options.directory)
    if isinstance(find_family(load_board(options.board)), RoutedFamily):
        return run_routed(made, options)
    require_vivado(options)
    jobs = JOBS if options.jobs is None else options.jobs
    with progress() as tell:
        result = make_bitstream(made, options.board, jobs, options.backend, options.ooc, tell, _hls_run(options),
                                options.observe)
    for warning in result.get("hls", {}).get("warnings", ()):
        warn(warning)
    tables.show(tables.bitstream_table(result), options.json, lambda: result)
    return 0


def _hls_run(options: argparse.Namespace) -> HlsRun | None:
    """How the HLS compiler runs, None where nothing is asked of it."""
    if options.clock_uncertainty is None and not options.cosim:
        return None
    return HlsRun(HlsProject(options.clock_uncertainty or HlsProject.uncertainty), options.cosim)


def _lint_hls(options: argparse.Namespace) -> int:
    with progress() as tell:
        tell(Step("reading the C++ with libclang", seconds=lint_seconds(options.directory)))
        seen = inspect_hls(options.directory)
    if not options.json and seen.loops:
        tables.show(tables.loops_table(seen), False, dict)
    tables.show(tables.findings_table(seen.findings), options.json, lambda: tables.inspection_json(seen))
    return 1 if seen.findings else 0


def _layer(options: argparse.Namespace) -> int:
    if options.seed < 0:
        raise InputError(f"seed={options.seed}: give a seed of 0 or more")
    specs = load_specs(options.spec)
    engines = ("rtl", "hls") if options.engine == "both" else (options.engine,)
    stalls = None if options.stalls is None else Stalls(options.stalls)
    with progress() as tell:
        results = run_specs(specs, engines, stalls, options.seed, tell)
        if options.synth:
            synthesize_specs(results, not options.without_weights, _request(options), tell)
    tables.show(tables.cases_table(results), options.json, lambda: results)
    for result in results:
        if result["error"]:
            print(f"headrace: {result['error']}", file=sys.stderr)
    return 0 if all(result["bit_exact"] for result in results) else 1


def _request(options: argparse.Namespace, layers: tuple[str, ...] = (), per_layer: bool = False) -> Request:
    return Request(layers, per_layer, options.jobs, options.cache)


def _synth(options: argparse.Namespace) -> int:
    made = Build.open(options.directory)
    with progress() as tell:
        result = synthesize_build(made, _request(options, tuple(options.layer), options.per_layer), tell)
    tables.show(synth_view(result), options.json, lambda: result)
    return 0


def _boards(options: argparse.Namespace) -> int:
    boards = [load_board(name) for name in board_names()]
    tables.show(boards_view(boards), options.json, lambda: tables.boards_json(boards))
    return 0


def _export(options: argparse.Namespace) -> int:
    require_writable_file(options.out)
    save_qonnx(options.model, options.out)
    return 0


def _completion(options: argparse.Namespace) -> int:
    tables.say(completion_script(options.shell, command_parser(_COMMANDS, add_quantize)).rstrip("\n"))
    return 0


_COMMANDS = {"quantize": run_quantize, "check": _check, "plan": run_plan,
             "explore": run_explore, "precision": run_precision, "build": _build, "sim": _sim,
             "predict": run_predict, "compare": run_compare, "report": run_report, "synth": _synth,
             "lint-hls": _lint_hls,
             "bitstream": _bitstream, "export": _export, "layer": _layer, "boards": _boards,
             "doctor": run_doctor, "completion": _completion}
