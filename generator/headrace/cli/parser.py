"""The arguments of every command but quantize, in the order in which one uses them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from headrace.benches.network import Simulation
from headrace.board.board import DEFAULT_BOARD
from headrace.cli.bitstream import add_bitstream
from headrace.cli.compare import add_compare
from headrace.cli.completion import add_completion
from headrace.cli.explore import add_explore
from headrace.cli.plan import add_plan
from headrace.cli.precision import add_precision
from headrace.cli.report import add_report
from headrace.cli.verbosity import add_voice
from headrace.frontend.tflite.kernels import KERNEL_SETS
from headrace.layers.cores import CORES
from headrace.layers.cores.choice import AUTO
from headrace.request import Options
from headrace.simulation.frames import Stalls
from headrace.suggest import did_you_mean
from headrace.synthesis.report import Request
from headrace.synthesis.yosys import default_cache
from headrace.version import headrace_version

MODEL_HELP = "an .onnx or .tflite file, file.py:function that returns a module, or a saved network (.json, .npz)"
_DIRECTORY_HELP = "a directory that `headrace build` wrote"
_STALLS = [stalls.value for stalls in Stalls]
_FIRST_STEPS = """first steps:
  headrace check model.onnx
  headrace build model.onnx --out build/mine --backend both
  headrace sim build/mine --frames 4 --stalls random
`headrace COMMAND --help` explains a command and its arguments."""

Command = Callable[[argparse.Namespace], int]
#: What makes the parser of a command from its name, what it does and examples.
Commands = Callable[[str, str, Sequence[str]], argparse.ArgumentParser]


class Parser(argparse.ArgumentParser):
    """A parser whose errors say what may have been meant."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message, and leave with exit code 2."""
        if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            known = re.findall(r"[\w-]+", found[2])
            message = f"{message}; {did_you_mean(found[1], known)}".rstrip("; ")
        super().error(message)

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Leave with exit code 2 because of arguments that are not known."""
        known = [option for action in self._actions for option in action.option_strings]
        hint = did_you_mean(unknown[0].partition("=")[0], known)
        self.error(f"unrecognized arguments: {' '.join(unknown)}; {hint}".rstrip("; "))


def parse(arguments: Sequence[str], commands: Mapping[str, Command], add_quantize: Callable[[Parser], None]
          ) -> argparse.Namespace | None:
    """The arguments of one command, with its function as `command`; None, and the help on stderr, where there are none.

    Leaves with exit code 2 for wrong usage, 0 for --help and --version.
    """
    parser = command_parser(commands, add_quantize)
    options, unknown = parser.parse_known_args(arguments)
    if "command" not in options:
        if unknown:
            parser.refuse(unknown)
        parser.print_help(sys.stderr)
        return None
    if unknown:
        options.parser.refuse(unknown)
    return options


def command_parser(commands: Mapping[str, Command], add_quantize: Callable[[Parser], None]) -> Parser:
    """The parser of all commands."""
    parser = Parser(prog="headrace", epilog=_FIRST_STEPS, formatter_class=argparse.RawDescriptionHelpFormatter,
                    description="A trained CNN as a streaming FPGA accelerator, proved bit-exact on this machine.")
    parser.add_argument("-V", "--version", action="version", version=f"headrace {headrace_version()}")
    add_voice(parser)
    subparsers = parser.add_subparsers(title="commands, in the order of the work", metavar="COMMAND")

    def command(name: str, text: str, examples: Sequence[str]) -> Parser:
        epilog = "\n".join(["examples:" if len(examples) > 1 else "example:", *(f"  headrace {e}" for e in examples)])
        sub = subparsers.add_parser(name, help=text, description=text, epilog=epilog,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
        sub.set_defaults(command=commands[name], parser=sub)
        add_voice(sub)
        return sub

    add_quantize(command("quantize", "quantize a float CNN with calibration data", [
        "quantize cnn.py:model --data cnn.py:batches --weight-bits 4 --act-bits 4 --out mine.npz"]))
    _add_check(command)
    _add_plan(command)
    _add_explore(command)
    _add_precision(command)
    _add_build(command("build", "generate the accelerator and verify it bit for bit", [
        "build model.onnx --out build/mine", "build model.onnx --out build/mine --backend both --fps 30000",
        "build model.onnx --out build/mine --board zcu104          # the fastest that fits"]))
    _add_sim(command)
    _add_predict(command)
    add_compare(command("compare", "a framework's own float32 forward against the exact integers, code by code", [
        "compare mine.py:model --input x.npy --labels y.npy"]))
    _add_after_build(command)
    _add_export(command)
    _add_layer(command)
    _add_json(command("boards", "list the boards that come with headrace and what they offer", ["boards"]))
    _add_json(command("doctor", "say what is installed, what each missing part would enable, and test the rest",
                      ["doctor"]))
    add_completion(command("completion", "print the script by which a shell completes commands and options",
                           ["completion bash > ~/.local/share/bash-completion/completions/headrace"]))
    return parser


def _add_check(command: Commands) -> None:
    check = command("check", "say what of a model is supported, what is not, and why", [
        "check model.onnx", "check model.tflite"])
    check.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    _add_kernels(check)
    _add_json(check)


def _add_plan(command: Commands) -> None:
    plan = command("plan", "say what boards, clocks and rates would take, without building anything", [
        "plan model.onnx --board zcu104 --board kv260                # the fastest that fits each",
        "plan model.onnx --board kv260 --fps 1000 --fps 10000 --clock-mhz 200 --clock-mhz 300"])
    plan.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    _add_kernels(plan)
    add_plan(plan)
    _add_json(plan)


def _add_explore(command: Commands) -> None:
    explore = command("explore", "plan many points and take the best through build, simulation and synthesis", [
        "explore model.onnx --boards zcu104,kv260 --fps 1000,10000 --stages plan,build,sim",
        "explore cnn.py:model --weight-bits 4,8 --act-bits 4,8 --data xy.npz --fps 1000 --scheduler tcp://host:8786"])
    explore.add_argument("model", metavar="MODEL", help=f"{MODEL_HELP}; with --weight-bits a float network")
    add_explore(explore)
    _add_json(explore)


def _add_precision(command: Commands) -> None:
    precision = command("precision", "find the widths of all layers with which hardware is cheapest at a rate", [
        "precision cnn.py:model --data xy.npz --board pynq-z2 --fps 10000 --accuracy-drop 1 --out cnn.npz"])
    precision.add_argument("model", metavar="MODEL", help="file.py:function that returns a float network, or a float "
                           ".onnx file")
    add_precision(precision)
    _add_json(precision)


def _add_build(make: argparse.ArgumentParser) -> None:
    make.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    _add_kernels(make)
    make.add_argument("--out", required=True, type=Path, metavar="DIR", help="build directory to write or replace; "
                      "its parents are made")
    make.add_argument("--board", metavar="B", help="board name or .toml file, filled if neither a rate nor a folding "
                      f"is given (default {DEFAULT_BOARD}, not filled)")
    make.add_argument("--clock-mhz", type=float, default=Options.clock_mhz, metavar="F", help="default %(default)s")
    rate = make.add_mutually_exclusive_group()
    rate.add_argument("--fps", type=float, metavar="F", help="frames per second to reach with the least hardware")
    rate.add_argument("--folding", type=Path, metavar="FILE", help="JSON: {layer: {pe, simd, channels, "
                      "parallel_window, minimal_buffer}, fifo: {depth}}; what is left out follows")
    make.add_argument("--core", action="append", default=[], metavar="[LAYER=]NAME",
                      help=f"compute core of all layers or of one: {', '.join((AUTO, *CORES))}[:ROWS] (default auto)")
    make.add_argument("--backend", choices=("rtl", "hls", "both"), default=Options.backend,
                      help="SystemVerilog, C++ for HLS, or both (default %(default)s)")
    make.add_argument("--verify", type=int, default=Options.verify, metavar="N", help="vectors that every back end "
                      "must give bit for bit (default %(default)s)")
    make.add_argument("--verify-layers", action="store_true", help="compare every layer by itself, in parallel, for "
                      "networks that take long as a whole; the build is not verified as a whole then")
    make.add_argument("--scheduler", default="", metavar="ADDRESS", help="with --verify-layers: the workers of a Dask "
                      "scheduler compare the layers; they have headrace installed and share no disk")
    make.add_argument("--verify-input", type=Path, metavar="X.npy",
                      help="samples to verify with, not random ones; .npz by name where there are several inputs")
    make.add_argument("--writable", action="append", default=[], metavar="LAYER",
                      help="the processor can write weights and thresholds of this layer (may be repeated)")
    make.add_argument("--uram", action="append", default=[], metavar="LAYER",
                      help="the same, with weights in UltraRAM, which the driver loads at its start")
    make.add_argument("--weights", choices=("on-chip", "external"), default=Options.weights,
                      help="external: the largest come from memory outside, until the rest fits the board")
    make.add_argument("--external", action="append", default=[], metavar="LAYER",
                      help="the weights of this layer come from memory outside, as a stream (may be repeated)")
    make.add_argument("--fifos", choices=("exact", "safe"), default=Options.fifos,
                      help="exact: the smallest that keep the pace; safe: large ones that are known at once (default "
                           "%(default)s)")
    make.add_argument("--share", type=float, default=Options.share, metavar="PERCENT",
                      help="of the LUTs of a board that is to be filled, with what stands around the network; of block "
                      "RAMs and DSPs 10 more (default %(default)s)")
    make.add_argument("--overfull", action="store_true", help="build it even if it does not fit the board")
    _add_json(make)


def _add_sim(command: Commands) -> None:
    sim = command("sim", "simulate a build cycle by cycle; writes DIR/sim.json", [
        "sim build/mine", "sim build/mine --frames 4 --stalls random --seed 7"])
    sim.add_argument("directory", type=Path, metavar="DIR", help=_DIRECTORY_HELP)
    sim.add_argument("--frames", type=int, default=Simulation.frames, metavar="N",
                     help="random frames to stream (default %(default)s)")
    sim.add_argument("--stalls", choices=_STALLS, default=Simulation.stalls.value,
                     help="who hesitates: nobody, the source, the sink or both at random (default %(default)s)")
    sim.add_argument("--seed", type=int, default=0, metavar="S", help="of the frames and the stalls (default 0)")
    sim.add_argument("--waves", action="store_true", help="write DIR/sim/waves.vcd")
    sim.add_argument("--verilog", type=Path, metavar="PATH", help="simulate what an HLS compiler wrote for the build")
    sim.add_argument("--routed", action="store_true", help="simulate the netlist that `headrace bitstream --ooc` "
                     "routed for an ECP5, with all verified vectors and every pattern of stalls")
    _add_json(sim)


def _add_predict(command: Commands) -> None:
    predict = command("predict", "compute outputs exactly", [
        "predict model.onnx --input x.npy --output y.npy",
        "predict build/mine --input x.npy --output y.npy --engine rtl"])
    predict.add_argument("model", metavar="MODEL_OR_DIR", help=f"{MODEL_HELP}, or a build directory")
    predict.add_argument("--input", required=True, type=Path, metavar="X.npy", help="samples (N, ...) as the model "
                         "takes them; .npz by name where it has several inputs")
    predict.add_argument("--output", required=True, type=Path, metavar="Y.npy",
                         help="file to write or replace; .npz by name for several outputs")
    predict.add_argument("--engine", choices=("golden", "fast", "hls", "rtl"), default="fast",
                         help="the naive integer model, the same with BLAS, or the hardware of a build: its C++ under "
                         "g++ or its SystemVerilog under Verilator (default %(default)s)")
    predict.add_argument("--labels", type=Path, metavar="L.npy", help="classes (N,): print the accuracy; a build keeps "
                         "it for its report")
    predict.add_argument("--raw", action="store_true", help="integers as they leave the accelerator: the codes "
                         "of the file's own output tensor where it holds codes")
    _add_kernels(predict)


def _add_after_build(command: Commands) -> None:
    add_report(command("report", "draw a build and what was measured of it, or several side by side",
                       ["report build/mine", "report build/fast build/small --out side-by-side.html"]))

    synth = command("synth", "synthesize a build with Yosys; writes DIR/synth.json",
                    ["synth build/mine --per-layer", "synth build/mine --layer conv0 --layer fc1"])
    synth.add_argument("directory", type=Path, metavar="DIR", help=_DIRECTORY_HELP)
    synth.add_argument("--per-layer", action="store_true", help="every layer by itself too")
    synth.add_argument("--layer", action="append", default=[], metavar="NAME", help="only this layer (may be repeated)")
    _add_synthesis(synth)
    _add_json(synth)

    lint = command("lint-hls", "estimate the loops of the C++ and look for what an HLS compiler may refuse; "
                   "exit 1 where there is any",
                   ["lint-hls build/mine"])
    lint.add_argument("directory", type=Path, metavar="DIR", help="a build directory with hls/, or such a folder")
    _add_json(lint)

    add_bitstream(command("bitstream", "make a bitstream: DIR/vivado/accelerator.bit by Vivado (and Vitis HLS), or on "
                          "an ECP5 DIR/ecp5/accelerator.bit by Yosys and nextpnr",
                          ["bitstream build/mine --board zcu104", "bitstream build/mine --board ulx3s-85f --seeds 4"]))


def _add_export(command: Commands) -> None:
    export = command("export", "write a model as a QONNX file that gives the same integers",
                     ["export cnn.py:trained --out cnn.onnx"])
    export.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    export.add_argument("--out", required=True, type=Path, metavar="M.onnx", help="file to write or replace")


def _add_layer(command: Commands) -> None:
    layer = command("layer", "build, simulate and compare single layers", [
        "layer spec.json --engine both", "layer spec.json --synth --json"])
    layer.add_argument("spec", type=Path, metavar="SPEC.json", help="one layer or a list of layers")
    layer.add_argument("--engine", choices=("rtl", "hls", "both"), default="both",
                       help="what is compared with the golden model (default %(default)s)")
    layer.add_argument("--stalls", choices=_STALLS,
                       help="only this pattern (default: all of them, and a reset in mid-frame)")
    layer.add_argument("--seed", type=int, default=0, metavar="S", help="of the stalls (default 0)")
    layer.add_argument("--synth", action="store_true", help="also synthesize each layer with Yosys")
    layer.add_argument("--without-weights", action="store_true", help="with --synth: leave the weight memories out")
    _add_synthesis(layer)
    _add_json(layer)


def _add_synthesis(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=Request.jobs, metavar="N",
                        help="runs of Yosys at a time (default %(default)s)")
    parser.add_argument("--cache", type=Path, default=default_cache(), metavar="DIR",
                        help="where Yosys' results are kept by content (default %(default)s)")


def _add_kernels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernels", choices=KERNEL_SETS, help="whose arithmetic a .tflite file means (default "
                        f"{KERNEL_SETS[0]})")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print machine-readable results on stdout")
