"""csynth.xml as Vitis HLS writes it: loops in loops, loops in modules of their own, numbers that it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.errors import ToolError
from headrace.vivado.hls_reports import HlsSynthesis, Process, find_report, read_reasons, read_synthesis

REPORT = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<profile>
  <ReportVersion><Version>2022.2</Version></ReportVersion>
  <UserAssignments><unit>ns</unit><TopModelName>accelerator</TopModelName></UserAssignments>
  <PerformanceEstimates>
    <PipelineType>dataflow</PipelineType>
    <SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>3.412</EstimatedClockPeriod></SummaryOfTimingAnalysis>
    <SummaryOfOverallLatency>
      <Best-caseLatency>900</Best-caseLatency><Worst-caseLatency>1000</Worst-caseLatency>
      <Interval-min>500</Interval-min><Interval-max>601</Interval-max>
    </SummaryOfOverallLatency>
  </PerformanceEstimates>
  <RTLDesignHierarchy><TopModule><ModuleName>accelerator</ModuleName><InstancesList>
    <Instance><InstName>axis_in_8_9_U0</InstName><ModuleName>axis_in_8_9_s</ModuleName><ID>20</ID></Instance>
    <Instance><InstName>conv0_U0</InstName><ModuleName>conv0</ModuleName><ID>21</ID><InstancesList>
      <Instance><InstName>grp_a</InstName><ModuleName>conv0_Pipeline_1</ModuleName><ID>22</ID><InstancesList>
        <Instance><InstName>mul</InstName><ModuleName>mul_8s_8s</ModuleName><ID>24</ID></Instance>
      </InstancesList></Instance>
      <Instance><InstName>grp_b</InstName><ModuleName>conv0_Pipeline_2</ModuleName><ID>23</ID></Instance>
    </InstancesList></Instance>
    <Instance><InstName>fc0_U0</InstName><ModuleName>fc0</ModuleName><ID>25</ID></Instance>
  </InstancesList></TopModule></RTLDesignHierarchy>
  <ModuleInformation>
    <Module><Name>axis_in_8_9_s</Name><PerformanceEstimates>
      <SummaryOfOverallLatency><Worst-caseLatency>12</Worst-caseLatency><Interval-max>12</Interval-max>
      </SummaryOfOverallLatency>
      <SummaryOfLoopLatency><L1><Name>L1</Name><TripCount>9</TripCount><PipelineII>1</PipelineII></L1>
      </SummaryOfLoopLatency>
    </PerformanceEstimates></Module>
    <Module><Name>conv0_Pipeline_1</Name><PerformanceEstimates><SummaryOfLoopLatency>
      <OUTER><Name>OUTER</Name><PipelineII>no</PipelineII>
      <INNER><Name>INNER</Name><PipelineII>2</PipelineII><PipelineDepth>7</PipelineDepth></INNER></OUTER>
    </SummaryOfLoopLatency><SummaryOfViolations><SummaryOfLoopViolations>
      <INNER><Name>INNER</Name><SourceLocation>include/mvtu.hpp:84</SourceLocation></INNER>
    </SummaryOfLoopViolations></SummaryOfViolations></PerformanceEstimates></Module>
    <Module><Name>conv0_Pipeline_2</Name><PerformanceEstimates><SummaryOfLoopLatency>
      <L2><Name>L2</Name><PipelineII>1</PipelineII></L2></SummaryOfLoopLatency></PerformanceEstimates></Module>
    <Module><Name>conv0</Name><PerformanceEstimates>
      <SummaryOfOverallLatency><Worst-caseLatency>?</Worst-caseLatency><Interval-max>601</Interval-max>
      </SummaryOfOverallLatency></PerformanceEstimates></Module>
    <Module><Name>fc0</Name><PerformanceEstimates>
      <SummaryOfOverallLatency><Worst-caseLatency>77</Worst-caseLatency><Interval-max>77</Interval-max>
      </SummaryOfOverallLatency></PerformanceEstimates></Module>
  </ModuleInformation>
</profile>
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "csynth.xml"
    path.write_text(text)
    return path


def test_processes_with_all_that_is_in_them(tmp_path: Path) -> None:
    synthesis = read_synthesis(written(tmp_path, REPORT))
    assert synthesis == HlsSynthesis(3.412, 1000, 601, (
        Process("axis_in_8_9_s", 1, None, None, 12, 12, ("axis_in_8_9_s",)),
        Process("conv0", 2, 7, "include/mvtu.hpp:84", None, 601,
                ("conv0", "conv0_Pipeline_1", "mul_8s_8s", "conv0_Pipeline_2")),
        Process("fc0", None, None, None, 77, 77, ("fc0",))))
    assert synthesis.record()["processes"][1] == {
        "name": "conv0", "ii": 2, "depth": 7, "source": "include/mvtu.hpp:84", "latency_cycles": None,
        "interval_cycles": 601}


def test_warnings_name_layers(tmp_path: Path) -> None:
    synthesis = read_synthesis(written(tmp_path, REPORT))
    slow = "layer.0/conv: Vitis HLS made its loop at include/mvtu.hpp:84 with II=2 instead of 1; "
    assert synthesis.warnings({"conv0": "layer.0/conv", "fc0": "fc0", "fc1": "fc1"}, {}) == [
        "fc1: csynth.xml has no process fc1, its II is not known",
        f"{slow}look for its name in hls/vitis_hls.log or hls/v++.log"]
    assert synthesis.warnings({"conv0": "layer.0/conv"}, {"conv0_Pipeline_1": "a.hpp:9 and a.hpp:3"}) == [
        f"{slow}its log names a.hpp:9 and a.hpp:3"]
    assert synthesis.warnings({"fc0": "fc0"}, {}) == []


def test_reasons_are_the_places_that_a_log_names(tmp_path: Path) -> None:
    assert read_reasons(tmp_path) == {}
    (tmp_path / "vitis_hls.log").write_text(
        "WARNING: [HLS 200-880] The II Violation in module 'conv0_Pipeline_1' (loop 'INNER'): Unable to enforce a "
        "carried dependence constraint (II = 1, distance = 1, offset = 1) between 'store' operation "
        "('down_addr_write_ln91', include/pooling.hpp:91) of variable 'result', include/pooling.hpp:90 on array 'down' "
        "and 'load' operation ('down_load', include/pooling.hpp:90) on array 'down'.\n"
        "WARNING: [HLS 200-880] The II Violation in module 'conv0_Pipeline_1' (loop 'INNER'): Unable to enforce a "
        "carried dependence constraint (II = 2, distance = 1, offset = 1) between other.hpp:1 and other.hpp:2.\n"
        "WARNING: [HLS 200-885] The II Violation in module 'fc0' (loop 'L'): Unable to schedule 'load' operation "
        "('w_load', include/mvtu.hpp:17) on array 'w' due to limited memory ports (II = 1).\n")
    assert read_reasons(tmp_path) == {"conv0_Pipeline_1": "include/pooling.hpp:91 and include/pooling.hpp:90",
                                      "fc0": "include/mvtu.hpp:17"}


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("</profile>", "", "cannot be read"), ("ModuleInformation", "Others", "holds no performance of modules"),
    ("RTLDesignHierarchy", "Others", "holds no performance of modules"),
])
def test_what_is_no_report(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(ToolError, match=rf"csynth.xml: {sentence}"):
        read_synthesis(written(tmp_path, REPORT.replace(old, new)))


def test_the_report_of_either_tool_is_found(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"project/solution/syn/report/csynth.xml: was not written; look into the log"):
        find_report(tmp_path)
    for tool in ("solution", "hls"):
        path = tmp_path / "project" / tool / "syn" / "report" / "csynth.xml"
        path.parent.mkdir(parents=True)
        path.write_text(REPORT)
        assert find_report(tmp_path) == path
        path.unlink()
