"""The lint of HLS C++: silent on what headrace renders, and every rule finds exactly what breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.__main__ import main
from headrace.lint import clang
from headrace.lint.hls import RULES, lint_hls, precompile
from headrace.render.hls import render_hls
from headrace.staging import write_files
from tests.public_models import SHARED
from tests.small_dataflow import small_dataflow
from tests.small_dataflows import small_branches, small_cnn

GOOD = (Path(__file__).parent / "good.cpp").read_text()
CALLS = "  scale(s_axis, scaled);\n  finish(scaled, m_axis);\n"
SUM_LOOP = "for (int i = 0; i < N; ++i) {"

#: For every rule: what to replace in good.cpp, by what, and the text of the finding.
BAD = {
    "c++14": ("int total = 0;", "int total = 0;\n  if constexpr (N > 3) total = 0;",
              "constexpr if is a C++17 extension"),
    "max-width": ("#define AP_INT_MAX_W 4096\n", "", "ap_int.h is included before AP_INT_MAX_W is defined"),
    "weights": ("static const uint64_t weights", "static const unsigned short weights", "weights holds unsigned short"),
    "pragma": ("HLS PIPELINE II=1", "HLS PIPLINE II=1", "PIPLINE is no directive of Vitis HLS"),
    "interface": ("INTERFACE mode=axis port=s_axis", "INTERFACE axis port=s_axis",
                  "the interface of s_axis has no mode="),
    "free-running": ("mode=ap_ctrl_none port=return", "mode=ap_ctrl_hs port=return",
                     "the mode of return is ap_ctrl_hs"),
    "extern-c": ('extern "C" void', "void", "accelerator is mangled to "),
    "tlast": ("typedef ap_axiu<16, 0, 0, 0> Beat;", "struct Beat { ap_uint<16> data; ap_uint<1> last; };",
              "output m_axis has no TLAST"),
    "stream-name": ("hls::stream<Word> scaled;", 'hls::stream<Word> scaled("scaled");',
                    "scaled is constructed with a name"),
    "stream-width": ("hls::stream<Word> scaled;\n" + CALLS,
                     "hls::stream<ap_uint<4097> > wide;\n  hls::stream<Word> scaled;\n"
                     "  widen(s_axis, wide);\n  narrow(wide, scaled);\n  finish(scaled, m_axis);\n",
                     "wide has words of 4097 bits"),
    "partition": ("  ap_uint<16> last[4];\n", "  ap_uint<16> last[4];\n  ap_uint<16> all[1025];\n"
                  "#pragma HLS ARRAY_PARTITION variable=all complete dim=1\n", "all would become 1025 elements"),
    "range": ("ap_uint<8>(word.range(7, 0))", "word.range(7, 0)",
              "word.range(7, 0) + weights[i / 4][i % 4] computes on a range"),
    "recursion": ("return total;", "return total > 100 ? sum<N>(words) : total;", "sum calls itself"),
    "virtual": ("  int value() const {", "  virtual int value() const {", "Offset::value is virtual"),
    "dynamic-memory": ("  ap_uint<16> last[4];\n#pragma HLS ARRAY_PARTITION variable=last complete dim=1\n",
                       "  ap_uint<16>(&last)[4] = *(ap_uint<16>(*)[4])new ap_uint<16>[4];\n", "new or delete"),
    "stl": ("int total = 0;", "int total = 0;\n  std::vector<int> seen;", "seen is a std::vector"),
    "unbounded-loop": (SUM_LOOP, "int i = -1;\n  while (++i < N) {", "a loop without counter, bound and step"),
    "loop-exit": ("total += words[i];", "if (total > 9) break;\n    total += words[i];", "break in a loop"),
    "trip-count": (SUM_LOOP, "for (int i = 0; i < words[0]; ++i) {", "the bounds of `i < words[0]` are not constant"),
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
  for (int i = 0; i < 8; ++i) out.write(in.read());
}
static void narrow(hls::stream<ap_uint<4097> >& in, hls::stream<Word>& out) {
  for (int i = 0; i < 8; ++i) out.write(in.read());
}
""",
    "dataflow-conditional": "static void spare() {}\n",
    "stl": "#include <vector>\n",
}


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The headers of ap_int, parsed once: that takes seconds."""
    return precompile(tmp_path_factory.mktemp("headers"))


def found(folder: Path, text: str, headers: Path) -> list[tuple[str, str]]:
    (folder / "top.cpp").write_text(text)
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
    ("AP_INT_MAX_W 4096", "AP_INT_MAX_W 8192", ("max-width", "AP_INT_MAX_W is 8192")),
    ("variable=last", "variable=lost", ("pragma", "scale has no variable lost")),
    ("variable=last ", "", ("pragma", "ARRAY_PARTITION names no variable=")),
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
    findings = found(tmp_path, GOOD.replace(old, new), headers)
    assert finding[0] in {rule for rule, _ in findings}
    assert any(rule == finding[0] and text.startswith(finding[1]) for rule, text in findings)


@pytest.mark.parametrize("dataflow", [small_dataflow, small_cnn, small_branches])
def test_rendered_networks_are_silent(tmp_path: Path, headers: Path, dataflow) -> None:
    write_files(tmp_path / "hls", render_hls(dataflow(), 5.0, "xc7z020clg400-1", "test"))
    assert lint_hls(tmp_path, headers) == []


def test_command(tmp_path: Path, capsys) -> None:
    write_files(tmp_path, {"hls/top.cpp": broken("range")})
    assert main(["lint-hls", str(tmp_path), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert [(item["file"], item["rule"]) for item in result["findings"]] == [("top.cpp", "range")]
    assert main(["lint-hls", str(tmp_path / "hls")]) == 1
    assert "1 findings" in capsys.readouterr().out
    assert main(["lint-hls", str(tmp_path / "nothing")]) == 1
    assert "holds no HLS sources (no hls/top.cpp); build with --backend hls or both" in capsys.readouterr().err


def test_missing_libclang_is_one_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    (tmp_path / "top.cpp").write_text(GOOD)
    monkeypatch.setattr(clang.importlib.util, "find_spec", lambda name: None)
    assert main(["lint-hls", str(tmp_path)]) == 1
    assert "needs libclang, which is not installed; pip install 'headrace[hls]'" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="the public models are not in ../shared/models")
def test_public_networks_are_silent(tmp_path: Path, headers: Path) -> None:
    import headrace as hr
    from headrace.design import elaborate
    from headrace.request import Options, choose_folding

    models = sorted((SHARED / "models").glob("*.onnx"))
    assert len(models) >= 8
    for path in models:
        model = hr.load(path)
        dataflow = elaborate(model.integer, choose_folding(model, Options()).folding, {}).dataflow
        write_files(tmp_path / path.stem / "hls", render_hls(dataflow, 5.0, "xc7z020clg400-1", "test"))
        assert lint_hls(tmp_path / path.stem, headers) == [], path.stem
