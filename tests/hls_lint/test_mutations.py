"""Thirty plausible mistakes in the C++ of a network, one at a time: the lint finds them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headrace.hls_lint.hls import lint_hls, precompile
from tests.hls_networks import residual
from tests.unverified_build import write_unverified

PIPELINE = "#pragma HLS PIPELINE II=1 style=flp\n"
ADD_LOOP = "  for (loop_count i = 0; i < frames() * C::WORDS; ++i) {\n"
WRITE = "    out.write(join_word<C::PE * C::O_BITS>(y));"
ROUNDED = "const int64_t rounded    = requant_round<C::SHIFT, C::HALF_EVEN>(bent.to_int64()) + C::ZERO;"
SHORTCUT = "STREAM variable=conv0_act_fork_1_words"

#: File, what stands there, what takes its place, the rule that finds it.
MUTATIONS = {
    "pipeline missing": ("include/swu.hpp", PIPELINE, "", "pipeline"),
    "pipeline in front of the loop": ("include/add.hpp", ADD_LOOP + PIPELINE, PIPELINE + ADD_LOOP, "pipeline"),
    "pipeline at half the rate": ("include/add.hpp", "PIPELINE II=1", "PIPELINE II=2", "pipeline"),
    "pipeline option misspelt": ("include/add.hpp", "PIPELINE II=1", "PIPELINE I=1", "pragma"),
    "partition word misspelt": ("include/vvtu.hpp", "acc complete dim=1", "acc complet dim=1", "pragma"),
    "partition missing": ("include/mvtu.hpp", "#pragma HLS ARRAY_PARTITION variable=weights complete dim=1\n", "",
                          "ports"),
    "partition of another dimension": ("include/mvtu.hpp", "variable=weights complete dim=1",
                                       "variable=weights complete dim=2", "ports"),
    "depth misspelt": ("top.cpp", f"{SHORTCUT} depth=", f"{SHORTCUT} dept=", "pragma"),
    "depth is a name": ("top.cpp", f"{SHORTCUT} depth=", f"{SHORTCUT} depth=FIFO", "stream-depth"),
    "depth of another stream": ("top.cpp", SHORTCUT, "STREAM variable=conv0_act_fork_words", "pragma"),
    "depth of 1": ("top.cpp", f"{SHORTCUT} depth=", f"{SHORTCUT} depth=1 //", "stream-depth"),
    "mode misspelt": ("top.cpp", "mode=axis port=s_axis", "mode=axi port=s_axis", "pragma"),
    "mode of registers": ("top.cpp", "mode=axis port=s_axis", "mode=s_axilite port=s_axis", "interface"),
    "dataflow missing": ("top.cpp", "#pragma HLS DATAFLOW\n", "", "dataflow"),
    "process inlined": ("top.cpp", "INLINE off\n  headrace::add", "INLINE\n  headrace::add", "process"),
    "process with a result": ("top.cpp", "void sum(", "int sum(", "process"),
    "false claim of no dependence": ("include/pooling.hpp", "variable=down type=inter direction=RAW "
                                     "distance=ROW_DISTANCE dependent=true", "variable=down type=inter dependent=false",
                                     "memory-dependence"),
    "dependence misspelt": ("include/pooling.hpp", "DEPENDENCE variable=across", "DEPENDENCE variable=acros", "pragma"),
    "static counter": ("include/swu.hpp", "  index_t<FOLDS> fold       = 0;", "  static index_t<FOLDS> fold = 0;",
                       "static-state"),
    "static buffer": ("include/pooling.hpp", "  Word across[", "  static Word across[", "static-state"),
    "two writes": ("include/add.hpp", WRITE,
                   f"    if (i % 2 == 0) {WRITE.strip()}\n    if (i % 2 != 0) {WRITE.strip()}", "stream-access"),
    "double": ("include/requant.hpp", ROUNDED, "const int64_t rounded = int64_t(double(bent.to_int64()) / 2);",
               "floating-point"),
    "modulo": ("include/swu.hpp", "  if (REUSED > 0 && fresh) {",
               "  if (REUSED > 0 && fresh && address % (int(fold) + 1) == 0) {", "division"),
    "poll": ("include/add.hpp", "    split_word<C::PE * C::L_BITS>(left",
             "    if (left.empty()) continue;\n    split_word<C::PE * C::L_BITS>(left", "polling"),
    "int128": ("include/requant.hpp", ROUNDED, ROUNDED.replace("bent.to", "__int128(1) * bent.to"), "int128"),
    "function pointer": ("include/requant.hpp", ROUNDED, "int64_t (*const chosen)(int64_t) = "
                         "&requant_round<C::SHIFT, C::HALF_EVEN>;\n      const int64_t rounded = "
                         "chosen(bent.to_int64());", "function-pointer"),
    "pointer cast": ("include/requant.hpp", ROUNDED,
                     "const int64_t rounded = *reinterpret_cast<const int64_t*>(&value);", "pointer-cast"),
    "stream outside": ("top.cpp", 'extern "C" void accelerator', "static hls::stream<ap_uint<5> > spare;\n"
                       'extern "C" void accelerator', "stream-scope"),
    "unused stream": ("top.cpp", "#pragma HLS DATAFLOW\n", "#pragma HLS DATAFLOW\n"
                      "  hls::stream<ap_axiu<16, 0, 0, 0> > spare;\n", "dataflow-streams"),
    "goto": ("include/add.hpp", WRITE, f"    if (y[0] == 0) goto done;\n    y[0] |= 0;\n  done:\n{WRITE}", "loop-exit"),
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_unverified(tmp_path_factory.mktemp("mutations") / "b", residual(8), cycles=1300).folder / "hls"


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return precompile(tmp_path_factory.mktemp("headers"))


def test_the_network_itself_is_silent(rendered: Path, headers: Path) -> None:
    assert len(MUTATIONS) == 30
    assert lint_hls(rendered, headers) == []


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mistake_is_found(rendered: Path, headers: Path, tmp_path: Path, mutation: str) -> None:
    file, old, new, rule = MUTATIONS[mutation]
    shutil.copytree(rendered, tmp_path / "hls")
    text = (tmp_path / "hls" / file).read_text()
    assert old in text
    (tmp_path / "hls" / file).write_text(text.replace(old, new, 1))
    assert rule in {finding.rule for finding in lint_hls(tmp_path / "hls", headers)}
