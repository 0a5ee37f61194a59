"""The projects of an HLS compiler: what a user chooses of them, and versions that know less."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.errors import InputError
from headrace.render.hls_project import HlsProject, render_project
from tests.tcl import run_tcl

COMMANDS = ("open_project", "set_top", "add_files", "open_solution", "set_part", "create_clock", "config_rtl",
            "csynth_design", "cosim_design", "export_design", "set_clock_uncertainty", "config_compile", "set_param")
#: A version that hides or does not have the settings that are only wanted.
OLD = {"config_compile": "error {unknown option}", "set_param": "error {no such parameter}"}


def rendered(project: HlsProject | None = None) -> dict[str, str]:
    return render_project(5.0, "xczu7ev-ffvc1156-2-e", "headrace 1.2.3\nsource 0123", 2, 1024, project)


def calls(script: str, folder: Path, **stubs: str) -> list[str]:
    """What a script calls, a command and its words on a line."""
    return [" ".join((call.command, *call.arguments))
            for call in run_tcl(script, dict.fromkeys(COMMANDS, "") | stubs, folder)]


def config(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and line[0] != "#")


def test_what_the_compiler_is_asked_for(tmp_path: Path) -> None:
    lines = calls(rendered()["csynth.tcl"], tmp_path)
    assert {"set_clock_uncertainty 27% ap_clk", "config_compile -pipeline_style flp",
            "set_param hls.enable_hidden_option_error false",
            "config_compile -disable_unroll_code_size_check"} <= set(lines)
    assert lines.index("create_clock -period 5.000 -name ap_clk") < lines.index("set_clock_uncertainty 27% ap_clk")
    assert max(i for i, line in enumerate(lines) if line.startswith("config_")) < lines.index("csynth_design")


def test_a_version_without_the_wanted_settings_goes_on(tmp_path: Path) -> None:
    lines = calls(rendered()["csynth.tcl"], tmp_path, **OLD)
    assert lines.index("config_compile -pipeline_style flp") < lines.index("csynth_design")
    assert not any("HEADRACE_FRAMES" in line for line in lines)


def test_loops_run_on_where_pipelines_flush(tmp_path: Path) -> None:
    files = rendered()
    lines = calls(files["csynth.tcl"], tmp_path)
    assert "add_files top.cpp -cflags -std=c++14 -I. -Iinclude -DHEADRACE_FRAMES=1024" in lines
    assert config(files["hls.cfg"])["syn.cflags"].endswith(" -DHEADRACE_FRAMES=1024")


@pytest.mark.parametrize(("uncertainty", "tcl", "cfg"), [("12.5%", "12.5%", "12.5%"), ("0.8", "0.8", "0.8ns")])
def test_both_projects_have_the_uncertainty(tmp_path: Path, uncertainty: str, tcl: str, cfg: str) -> None:
    files = rendered(HlsProject(uncertainty))
    assert f"set_clock_uncertainty {tcl} ap_clk" in calls(files["csynth.tcl"], tmp_path)
    assert config(files["hls.cfg"])["clock_uncertainty"] == cfg


@pytest.mark.parametrize(("stalls", "profiling", "options"), [
    (True, True, "-random_stall -enable_dataflow_profiling "), (True, False, "-random_stall "),
    (False, True, "-enable_dataflow_profiling "), (False, False, ""),
])
def test_cosimulation(tmp_path: Path, stalls: bool, profiling: bool, options: str) -> None:
    files = rendered(HlsProject(random_stall=stalls, profiling=profiling))
    assert calls(files["cosim.tcl"], tmp_path)[-1] == (
        f"cosim_design -rtl verilog {options}-argv 2 input.bin output.bin golden.bin")
    values = config(files["hls.cfg"])
    assert values["cosim.random_stall"] == str(stalls).lower()
    assert values["cosim.enable_dataflow_profiling"] == str(profiling).lower()
    assert values["syn.compile.pipeline_style"] == "flp"


@pytest.mark.parametrize("text", ["", "27 %", "-1", "100%", "much"])
def test_what_is_not_an_uncertainty(text: str) -> None:
    with pytest.raises(InputError) as error:
        HlsProject(text)
    assert str(error.value) == (f"clock uncertainty {text!r} is neither a number of ns nor a percentage below 100; "
                                "write 1.35 or 27%")


def test_an_uncertainty_of_the_whole_period() -> None:
    with pytest.raises(InputError) as error:
        rendered(HlsProject("5"))
    assert str(error.value) == ("clock uncertainty of 5 ns leaves nothing of the clock period of 5 ns; use less, or a "
                                "percentage such as 27%")
