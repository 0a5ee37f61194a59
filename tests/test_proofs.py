"""make prove: a layer is proved, and one that does anything else is not."""

from __future__ import annotations

import re

import pytest

from benchmarks import proofs
from benchmarks.prove import CASES, MODULES
from headrace.layers.spec import layer_from_spec
from headrace.paths import data_folder
from headrace.synthesis.designs import library

CASE = "dwc 1:3"


def proved() -> proofs.Proof:
    spec, steps, limit = CASES[CASE]
    return proofs.prove(CASE, layer_from_spec(spec, 0).layer, steps, limit)


def test_a_property_of_a_module_is_found_broken() -> None:
    """Within fewer cycles than `make prove` takes: the first bytes of a packet."""
    text = MODULES["serial commands"].text
    spoiled = text.replace("a_one: assert (!(read && write));", "a_one: assert (place < 3);")
    assert spoiled != text
    proof = proofs.prove_module("serial commands", spoiled, 9)
    assert not proof.holds and "a_one" in proof.text


@pytest.mark.parametrize(("name", "right", "wrong", "failed"), [
    ("slices", "level == 0 || word == first", "word == first", "a_skid_word"),
    ("memory port", "next <= next + 1", "next <= next + 2", "a_address"),
])
def test_an_induction_that_fails_is_named(name: str, right: str, wrong: str, failed: str) -> None:
    module = MODULES[name]
    assert proofs.prove_module(name, module.text, module.steps, induction=True).holds
    spoiled = module.text.replace(right, wrong)
    assert spoiled != module.text
    proof = proofs.prove_module(name, spoiled, module.steps, induction=True)
    assert not proof.holds and failed in proof.text


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_modules_are_proved(name: str) -> None:
    module = MODULES[name]
    proof = proofs.prove_module(name, module.text, module.steps, module.induction, module.reach)
    assert proof.holds and proof.reached, proof.text


def test_a_layer_is_proved() -> None:
    proof = proved()
    assert proof.holds and proof.reached, proof.text


@pytest.mark.parametrize(("right", "wrong", "failed"), [
    (r"assert \(x1_n < 2\)", "assert (x1_n < 1)", "a_x1_count"),
    (r"\(x1_port == 0 \? 0 : x1_tag\)", "!x1_tag", "a_x1_word"),
    (r"waited <= 8", "waited <= 0", "a_progress"),
    (r"x1_late <= 8", "!x1_due", "a_x1_leaves"),
    (r"x0_refused <= 8", "x0_refused <= 0", "a_x0_taken"),
])
def test_a_property_that_does_not_hold_is_named(right: str, wrong: str, failed: str,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    written = proofs.proof_module

    def spoiled(*arguments: object) -> str:
        text, count = re.subn(right, wrong, written(*arguments))  # type: ignore[arg-type]
        assert count == 1
        return text

    monkeypatch.setattr(proofs, "proof_module", spoiled)
    proof = proved()
    assert not proof.holds and failed in proof.text


def test_a_fault_of_the_layer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "headrace_dwc.sv"
    sources = library()
    assert (data_folder("rtl_sim") / "rtl" / "layers" / name).read_text() == sources[name]
    spoiled = re.sub(r"(assign \w*m_axis_TVALID\s*=\s*)([^;]+);", r"\1!(\2);", sources[name])
    assert spoiled != sources[name]
    monkeypatch.setattr(proofs, "library", lambda **_: {**sources, name: spoiled})
    assert not proved().holds
