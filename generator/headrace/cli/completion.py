"""The command `headrace completion`: scripts by which shells complete commands, options and words."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from headrace.board.board import board_names

Shell = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = ("bash", "zsh", "fish")


@dataclass(frozen=True)
class Option:
    """An option of a command. words: what may follow, empty where a file or any text does."""

    flags: tuple[str, ...]
    help: str
    takes_value: bool
    words: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command with its options. words: what its first argument may be, empty where that is a file."""

    name: str
    help: str
    options: tuple[Option, ...]
    words: tuple[str, ...]


def add_completion(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("shell", choices=SHELLS, help="whose script to print")


def completion_script(shell: Shell, parser: argparse.ArgumentParser) -> str:
    """The script of a shell for all commands of a parser."""
    commands = list(_commands(parser))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


def _commands(parser: argparse.ArgumentParser) -> Iterator[Command]:
    found = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {choice.dest: choice.help or "" for choice in found._choices_actions}
    for name, sub in found.choices.items():
        options = tuple(_option(action) for action in sub._actions if action.option_strings)
        first = next((action for action in sub._actions if not action.option_strings), None)
        yield Command(name, helps[name], options, tuple(map(str, first.choices or ())) if first else ())


def _option(action: argparse.Action) -> Option:
    words = tuple(map(str, action.choices or (board_names() if action.dest == "board" else ())))
    help_text = " ".join((action.help or "").split()).partition(";")[0].partition(" (")[0]
    return Option(tuple(action.option_strings), help_text, action.nargs != 0, words)


def _bash(commands: Sequence[Command]) -> str:
    names = " ".join(command.name for command in commands)
    values = [f"        {command.name}:{flag}) words={shlex.quote(' '.join(option.words))}; value=1;;\n"
              if option.words else f"        {command.name}:{flag}) value=1;;\n"
              for command in commands for option in command.options if option.takes_value for flag in option.flags]
    options = [f"        {command.name}) options={shlex.quote(' '.join(_flags(command)))} "
               f"words={shlex.quote(' '.join(command.words))};;\n" for command in commands]
    return f"""# headrace completion bash > ~/.local/share/bash-completion/completions/headrace
_headrace() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    local command= options= words= value= word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in {"|".join(command.name for command in commands)}) command=$word; break;; esac
    done
    case $command in
        "") options='--help --version --quiet --verbose --log' words={shlex.quote(names)};;
{"".join(options)}    esac
    case $command:$before in
{"".join(values)}    esac
    if [[ $current == -* && -z $value ]]; then COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [[ -n $words ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
    else COMPREPLY=($(compgen -f -- "$current")); fi
}}
complete -o filenames -F _headrace headrace
"""


def _flags(command: Command) -> list[str]:
    """The long options, for the short ones are as quickly typed."""
    return [flag for option in command.options for flag in option.flags if flag.startswith("--")]


def _zsh(commands: Sequence[Command]) -> str:
    listed = "\n".join(f"        {_quoted(f'{command.name}:{command.help}')}" for command in commands)
    cases = "\n".join(f"        {command.name}) _arguments {' '.join(_zsh_arguments(command))};;"
                      for command in commands)
    return f"""#compdef headrace
# headrace completion zsh > a folder of $fpath, as _headrace
_headrace() {{
    local -a commands=(
{listed}
    )
    if (( CURRENT == 2 )); then _describe command commands; return; fi
    local command=$words[2]
    shift words; (( CURRENT-- ))
    case $command in
{cases}
    esac
}}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _headrace "$@"; else compdef _headrace headrace; fi
"""


def _zsh_arguments(command: Command) -> Iterator[str]:
    for option in command.options:
        text = option.help.replace("[", "(").replace("]", ")").replace(":", ",")
        value = (f":value:({' '.join(option.words)})" if option.words else ":file:_files") if option.takes_value else ""
        yield from (_quoted(f"*{flag}[{text}]{value}") for flag in option.flags)
    yield _quoted(f"*:word:({' '.join(command.words)})" if command.words else "*:file:_files")


def _fish(commands: Sequence[Command]) -> str:
    lines = ["# headrace completion fish > ~/.config/fish/completions/headrace.fish"]
    for command in commands:
        lines.append(f"complete -c headrace -n __fish_use_subcommand -f -a {command.name} -d {_quoted(command.help)}")
        seen = f"complete -c headrace -n '__fish_seen_subcommand_from {command.name}'"
        if command.words:
            lines.append(f"{seen} -f -a {_quoted(' '.join(command.words))}")
        lines += [f"{seen} {_fish_option(option)} -d {_quoted(option.help)}" for option in command.options]
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    names = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    if option.words:
        return f"{names} -x -a {_quoted(' '.join(option.words))}"
    return f"{names} -r -F" if option.takes_value else names


def _quoted(text: str) -> str:
    """A text in single quotes; those inside would end it in some shells."""
    return "'" + text.replace("\\", "").replace("'", "") + "'"
