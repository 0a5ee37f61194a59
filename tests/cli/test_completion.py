"""headrace completion: bash completes by the script; those of zsh and fish name the same commands and options."""

from __future__ import annotations

import subprocess

import pytest

from headrace.__main__ import main
from headrace.cli.completion import SHELLS
from headrace.cli.main import _COMMANDS


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    from headrace.cli.completion import completion_script
    from headrace.cli.parser import command_parser
    from headrace.cli.quantize import add_quantize

    return {shell: completion_script(shell, command_parser(_COMMANDS, add_quantize)) for shell in SHELLS}


@pytest.mark.parametrize(("words", "expected"), [
    (["che"], {"check"}),
    (["comp"], {"compare", "completion"}),
    (["build", "--back"], {"--backend"}),
    (["build", "m.onnx", "--backend", ""], {"rtl", "hls", "both"}),
    (["plan", "m.onnx", "--board", "pynq"], {"pynq-z1", "pynq-z2"}),
    (["completion", ""], {"bash", "zsh", "fish"}),
    (["build", "rtl_s"], {"rtl_sim"}),
])
def test_bash(scripts: dict[str, str], words: list[str], expected: set[str]) -> None:
    listed = " ".join(f"'{word}'" for word in ["headrace", *words])
    run = (f'{scripts["bash"]}\nCOMP_WORDS=({listed}); COMP_CWORD={len(words)}; _headrace; '
           'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", run], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == expected and done.stderr == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_others_name_all_commands_and_options(scripts: dict[str, str], shell: str) -> None:
    for name in _COMMANDS:
        assert name in scripts[shell]
    assert ("--minimal" not in scripts[shell]) and "verify-layers" in scripts[shell] and "pynq-z2" in scripts[shell]
    assert scripts[shell].count("'") % 2 == 0


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    assert capsys.readouterr().out.endswith("complete -o filenames -F _headrace headrace\n")
