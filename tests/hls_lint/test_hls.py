"""The lint of HLS C++: silent on what headrace renders, and every rule finds exactly what breaks it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.__main__ import main
from headrace.atomic_files import write_files
from headrace.dataflow.graph import Dataflow
from headrace.hls_lint.hls import RULES, lint_hls, precompile
from headrace.render.hls import render_hls
from tests.public_models import MODELS
from tests.small_dataflow import small_dataflow
from tests.small_dataflows import small_branches, small_cnn

GOOD = (Path(__file__).parent / "good.cpp").read_text()
CALLS = "  scale(s_axis, scaled);\n  finish(scaled, m_axis);\n"
FINISH = "  for (int i = 0; i < 8; ++i) {\n#pragma HLS PIPELINE II=1\n    Beat beat;\n"
SUM_LOOP = "for (int i = 0; i < N; ++i) {"

#: For every rule: what to replace in good.cpp, by what, and the text of the finding.
BAD = {
    "c++14": ("int total = 0;", "int total = 0;\n  if constexpr (N > 3) total = 0;",
              "constexpr if is a C++17 extension"),
    "max-width": ("#define AP_INT_MAX_W 4096\n", "", "ap_int.h is included before AP_INT_MAX_W is defined"),
    "weights": ("static const uint64_t weights", "static const short weights", "weights holds short"),
    "pragma": ("HLS STREAM variable", "HLS STRAEM variable", "STRAEM is not a directive of Vitis HLS"),
    "interface": ("INTERFACE mode=axis port=s_axis", "INTERFACE axis port=s_axis",
                  "the interface of s_axis has no mode="),
    "free-running": ("mode=ap_ctrl_none port=return", "mode=ap_ctrl_hs port=return",
                     "the mode of return is ap_ctrl_hs"),
    "extern-c": ('extern "C" void', "void", "accelerator is mangled to "),
    "tlast": ("typedef ap_axiu<16, 0, 0, 0> Beat;", "struct Beat { ap_uint<16> data; ap_uint<1> last; };",
              "output m_axis has no TLAST"),
    "stream-name": ("hls::stream<Word> scaled;", 'hls::stream<Word> scaled("scaled");',
                    "scaled is constructed with a name"),
    "stream-width": (CALLS, "  hls::stream<ap_uint<4097> > wide;\n"
                     "  widen(s_axis, wide);\n  narrow(wide, scaled);\n  finish(scaled, m_axis);\n",
                     "wide has words of 4097 bits"),
    "partition": ("  ap_uint<16> last[4];\n", "  ap_uint<16> last[4];\n  ap_uint<16> all[1025];\n"
                  "#pragma HLS ARRAY_PARTITION variable=all complete dim=1\n", "all would become 1025 elements"),
    "range": ("ap_uint<8>(word.range(7, 0))", "word.range(7, 0)",
              "word.range(7, 0) + weights[i / 4][i % 4] computes on a range"),
    "recursion": ("return total;", "return total > 100 ? sum<N>(words) : total;", "sum calls itself"),
    "virtual": ("  int value() const {", "  virtual int value() const {", "Offset::value is virtual"),
    "stream-depth": ("depth=4", "depth=1", "the depth of scaled is 1; write a number of 2 or more"),
    "static-state": ("int total = 0;", "static int total = 0;", "total keeps its value between frames"),
    "stream-scope": ("struct Offset {", "static hls::stream<Word> outside;\n\nstruct Offset {",
                     "outside is declared outside of the top"),
    "polling": ("    Beat beat;\n", "    if (in.empty()) continue;\n    Beat beat;\n",
                "in.empty() asks what a stream holds"),
    "floating-point": ("int total = 0;", "int total = 2 > 1.5f ? 0 : 1;", "a number of type float"),
    "int128": ("int total = 0;", "int total = int(__int128(N) >> 9);", "a number of type __int128"),
    "function-pointer": ("int total = 0;", "int total = 0;\n  int (*const chosen)(int) = &twice;",
                         "chosen points to a function"),
    "pointer-cast": ("int total = 0;", "int total = 0;\n  total += *reinterpret_cast<const unsigned*>(&total);",
                     "a cast to const unsigned int *"),
    "dynamic-memory": ("int total = 0;", "int total = *new int(0);", "new or delete"),
    "dataflow": ("#pragma HLS DATAFLOW\n", "", "accelerator has no #pragma HLS DATAFLOW"),
    "process": ("out) {\n#pragma HLS INLINE off\n  ap_uint<16> last", "out) {\n#pragma HLS INLINE\n  ap_uint<16> last",
                "scale is inlined"),
    "pipeline": ("#pragma HLS PIPELINE II=1\n    Beat beat;\n", "    Beat beat;\n",
                 "a loop of finish touches a stream and is not pipelined"),
    "stl": ("int total = 0;", "int total = 0;\n  std::vector<int> seen;", "seen is a std::vector"),
    "unbounded-loop": (SUM_LOOP, "int i = -1;\n  while (++i < N) {", "a loop without counter, bound and step"),
    "loop-exit": ("total += words[i];", "if (total > 9) break;\n    total += words[i];", "break in a loop"),
    "trip-count": (SUM_LOOP, "for (int i = 0; i < words[0]; ++i) {", "the bounds of `i < words[0]` are not constant"),
    "stream-access": ("    out.write(beat);\n", "    out.write(beat);\n    if (i == 9) out.write(beat);\n",
                      "an iteration writes m_axis a second time"),
    "division": ("last[i % 4]", "last[i % 3]", "a division in a pipelined loop"),
    "carried-operation": (FINISH, "  ap_uint<16> power = 1;\n" + FINISH + "    power *= 3;\n",
                          "a multiplication between an iteration of finish and the next"),
    "memory-dependence": (FINISH, "  ap_uint<16> counts[64];\n" + FINISH + "    counts[i * i % 64] += 1;\n",
                          "an iteration of finish loads and stores counts"),
    "ports": ("weights[i / 4][i % 4]", "weights[i / 4][i % 4] + weights[1 - i / 4][i % 4] + weights[i / 4][3 - i % 4]",
              "an iteration of scale: weights is used at 3 addresses, and a memory has 2 ports"),
    "recurrence": (FINISH, "  ap_uint<16> phase = 1;\n" + FINISH + "    for (int k = 0; k < 5; ++k) {\n"
                   "      phase = phase > 9 ? phase - 9 : phase + 1;\n    }\n",
                   "finish: the recurrence through phase takes 4.35 ns and the clock of 5 ns leaves 3.65 ns"),
    "dataflow-body": (CALLS, CALLS + "  int unused = 0;\n  ++unused;\n", "++unused"),
    "dataflow-conditional": ("  finish(scaled, m_axis);", "  finish(scaled, m_axis);\n  if (weights[0][0]) spare();",
                             "if in the body"),
    "dataflow-streams": (CALLS, "  hls::stream<Word> unread;\n" + CALLS, "unread has 0 producers and 0 consumers"),
    "dataflow-order": (CALLS, "  finish(scaled, m_axis);\n  scale(s_axis, scaled);\n",
                       "scaled is read before it is written"),
}
#: What an example needs besides.
HELPERS = {
    "stream-width": """static void widen(hls::stream<Word>& in, hls::stream<ap_uint<4097> >& out) {
#pragma HLS INLINE off
  for (int i = 0; i < 8; ++i) {
#pragma HLS PIPELINE II=1
    out.write(in.read());
  }
}
static void narrow(hls::stream<ap_uint<4097> >& in, hls::stream<Word>& out) {
#pragma HLS INLINE off
  for (int i = 0; i < 8; ++i) {
#pragma HLS PIPELINE II=1
    out.write(in.read());
  }
}
""",
    "function-pointer": "int twice(int x) { return 2 * x; }\n",
    "dataflow-conditional": "static void spare() {\n#pragma HLS INLINE off\n}\n",
    "stl": "#include <vector>\n",
}


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The headers of ap_int, parsed once: that takes seconds."""
    return precompile(tmp_path_factory.mktemp("headers"))


def found(folder: Path, text: str, headers: Path) -> list[tuple[str, str]]:
    (folder / "top.cpp").write_text(text)
    (folder / "csynth.tcl").write_text("set period 5.000\n")
    return [(finding.rule, finding.text) for finding in lint_hls(folder, headers)]


def broken(rule: str) -> str:
    old, new, _ = BAD[rule]
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    return text.replace("struct Offset {", HELPERS.get(rule, "") + "struct Offset {")


def test_the_good_example_is_silent(tmp_path: Path, headers: Path) -> None:
    assert found(tmp_path, GOOD, headers) == []


def test_every_rule_has_a_bad_example() -> None:
    assert set(BAD) | {"one-unit"} == set(RULES)


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_example_yields_exactly_its_finding(tmp_path: Path, headers: Path, rule: str) -> None:
    findings = found(tmp_path, broken(rule), headers)
    assert [name for name, _ in findings] == [rule]
    assert findings[0][1].startswith(BAD[rule][2])


def test_a_second_translation_unit_is_found(tmp_path: Path, headers: Path) -> None:
    (tmp_path / "more.cpp").write_text("int more() { return 1; }\n")
    assert found(tmp_path, GOOD, headers) == [("one-unit", "another translation unit")]


@pytest.mark.parametrize(("old", "new", "finding"), [
    ("PIPELINE II=1\n    const", "PIPELINE I=1\n    const",
     ("pragma", "PIPELINE has no option i=; it has II, style, off")),
    ("#pragma HLS ARRAY_PARTITION variable=last complete dim=1\n", "",
     ("ports", "an iteration of scale: last is used at 4 places of dimension 1, which is not partitioned")),
    (FINISH, "  ap_uint<16> counts[64];\n" + FINISH +
     "#pragma HLS DEPENDENCE variable=counts type=inter dependent=false\n    counts[i * i % 64] += 1;\n",
     ("memory-dependence", "counts is stored as computed from its own loads, so that the claim of no dependence is ")),
    (FINISH, "  ap_uint<16> counts[64];\n" + FINISH + "#pragma HLS DEPENDENCE variable=counts type=inter "
     "direction=RAW distance=1 dependent=true\n    counts[i * i % 64] += 1;\n",
     ("recurrence", "finish: load, 0.65 ns of logic and store of counts take 2 cycles, and it comes back after 1")),
    ("complete dim=1", "complet dim=1", ("pragma", "ARRAY_PARTITION does not know the word complet")),
    ("complete dim=1", "type=complet dim=1", ("pragma", "ARRAY_PARTITION type=complet is not one of cyclic, block, ")),
    ("complete dim=1", "complete dim=one+1", ("pragma", "ARRAY_PARTITION dim=one+1 is not a value of this option")),
    ("depth=4", "dept=4", ("pragma", "STREAM has no option dept=; it has variable, depth, type, off")),
    ("depth=4", "dept=4", ("stream-depth", "the depth of scaled is not given")),
    ("depth=4", "depth=WORDS", ("stream-depth", "the depth of scaled is WORDS; write a number of 2 or more")),
    ("STREAM variable=scaled", "STREAM variable=s_axis",
     ("pragma", "STREAM does not stand right behind the declaration of s_axis")),
    ("variable=last complete dim=1\n", "variable=last complete dim=1\n#pragma HLS STREAM variable=last depth=4\n",
     ("pragma", "last is not a stream")),
    ("mode=axis port=s_axis", "mode=axi port=s_axis", ("pragma", "INTERFACE mode=axi is not one of axis, s_axilite")),
    ("mode=axis port=s_axis", "mode=s_axilite port=s_axis",
     ("interface", "the mode of the stream s_axis is s_axilite")),
    ("port=s_axis", "port=saxis", ("interface", "accelerator has no argument saxis")),
    ("PIPELINE II=1\n    const", "PIPELINE II=2\n    const",
     ("pipeline", "this loop of scale is not asked for II=1")),
    ("  for (int i = 0; i < 8; ++i) {\n#pragma HLS PIPELINE II=1\n    Beat",
     "#pragma HLS PIPELINE II=1\n  for (int i = 0; i < 8; ++i) {\n    Beat",
     ("pipeline", "PIPELINE is not the first statement of a loop")),
    ("#pragma HLS PIPELINE II=1\n    Beat beat;\n", "    Beat beat;\n#pragma HLS PIPELINE II=1\n",
     ("pipeline", "PIPELINE is not the first statement of a loop")),
    ("out) {\n#pragma HLS INLINE off\n  for", "out) {\n  for", ("process", "finish has no #pragma HLS INLINE off")),
    ("static void finish", "static int finish", ("process", "finish returns int")),
    ("struct Offset {", "static int seen = 0;\n\nstruct Offset {", ("static-state", "seen keeps its value between ")),
    ("  ap_uint<16> last[4];", "  static ap_uint<16> last[4];", ("static-state", "last keeps its value")),
    ("AP_INT_MAX_W 4096", "AP_INT_MAX_W 8192", ("max-width", "AP_INT_MAX_W is 8192")),
    ("variable=last", "variable=lost", ("pragma", "scale has no variable lost")),
    ("variable=last ", "", ("pragma", "ARRAY_PARTITION has no variable=")),
    ("#pragma HLS INTERFACE mode=axis port=m_axis\n", "", ("interface", "argument m_axis has no interface")),
    ("#pragma HLS INTERFACE mode=ap_ctrl_none port=return\n", "",
     ("free-running", "accelerator has no interface for its return")),
    ("total += words[i];", "total += words[i];\n    ++i;", ("trip-count", "the body changes the counter i")),
    ("total += words[i];", "if (i == 3) return total;\n    total += words[i];", ("loop-exit", "return in a loop")),
    ("finish(scaled, m_axis);", "finish(scaled, m_axis);\n  finish(scaled, m_axis);",
     ("dataflow-streams", "m_axis has 2 producers and 0 consumers")),
    ("  scale(s_axis, scaled);\n", "  scale(scaled, scaled);\n", ("dataflow-order", "scaled is read by its own")),
    ('extern "C" void accelerator', 'extern "C" void acelerator', ("extern-c", "there is no function accelerator")),
])
def test_other_forms_of_the_same_mistakes(tmp_path: Path, headers: Path, old: str, new: str,
                                          finding: tuple[str, str]) -> None:
    assert GOOD.count(old) == 1
    findings = found(tmp_path, GOOD.replace(old, new), headers)
    assert finding[0] in {rule for rule, _ in findings}
    assert any(rule == finding[0] and text.startswith(finding[1]) for rule, text in findings)


@pytest.mark.parametrize(("claim", "rules"), [
    ("distance=8 dependent=true", set()), ("distance=EIGHT dependent=true", set()),
    ("distance=1 dependent=true", {"recurrence"}), ("dependent=false", {"memory-dependence"}),
])
def test_what_a_dependence_claims(tmp_path: Path, headers: Path, claim: str, rules: set[str]) -> None:
    text = GOOD.replace(FINISH, f"  const int EIGHT = 8;\n  ap_uint<16> counts[64];\n{FINISH}#pragma HLS DEPENDENCE "
                        f"variable=counts type=inter direction=RAW {claim}\n    counts[i * i % 64] += 1;\n")
    assert {rule for rule, _ in found(tmp_path, text, headers)} == rules


@pytest.mark.parametrize("dataflow", [small_dataflow, small_cnn, small_branches])
def test_rendered_networks_are_silent(tmp_path: Path, headers: Path, dataflow: Callable[[], Dataflow]) -> None:
    write_files(tmp_path / "hls", render_hls(dataflow(), 5.0, "xc7z020clg400-1", "test"))
    assert lint_hls(tmp_path, headers) == []


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_files(tmp_path, {"hls/top.cpp": broken("range")})
    assert main(["lint-hls", str(tmp_path), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert [(item["file"], item["rule"]) for item in result["findings"]] == [("top.cpp", "range")]
    assert result["clock"] is None
    assert [(loop["process"], loop["recurrence_ns"], loop["through"]) for loop in result["loops"]] == [
        ("scale", 0.8, ["i"]), ("finish", 0.8, ["i"])]
    assert main(["lint-hls", str(tmp_path / "hls")]) == 1
    shown = capsys.readouterr().out
    assert "1 findings" in shown and "recurrences of 2 loops" in shown and "0.80 ns" in shown
    assert main(["lint-hls", str(tmp_path / "nothing")]) == 1
    assert "holds no HLS sources (no hls/top.cpp); build with --backend hls or both" in capsys.readouterr().err


def test_missing_libclang_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "top.cpp").write_text(GOOD)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["lint-hls", str(tmp_path)]) == 1
    assert "needs libclang, which is not installed; pip install 'headrace[hls]'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(MODELS.glob("*.onnx")), ids=lambda path: path.stem)
def test_public_networks_are_silent(tmp_path: Path, headers: Path, path: Path) -> None:
    import headrace as hr
    from headrace.planning import plan_design
    from headrace.request import Options, resolve

    # The depths of streams, which take long to find, are numbers whatever they are.
    dataflow = plan_design(hr.load(path), resolve(Options(backend="rtl"))).dataflow
    write_files(tmp_path / "hls", render_hls(dataflow, 5.0, "xc7z020clg400-1", "test", depths={}))
    assert lint_hls(tmp_path, headers) == []


@pytest.mark.slow
@pytest.mark.skipif(not MODELS.is_dir(), reason="the public models are not in ../shared/models")
def test_the_public_networks_are_there() -> None:
    assert len(list(MODELS.glob("*.onnx"))) >= 8
