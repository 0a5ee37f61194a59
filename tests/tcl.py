"""Tcl for vendor tools, run under tclsh: every command that is not on a whitelist fails, every call is recorded."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_SEPARATOR = "\x1f"
# A stub writes its name and arguments on a line and gives what its body gives; the script runs in an interpreter whose
# own commands cannot reach outside.
_RUNNER = """
set record [open [lindex $argv 1] w]
fconfigure $record -encoding utf-8
proc note {args} {
  puts $::record [join [lmap word $args {string map {"\\n" " "} $word}] "\x1f"]
}
set tool [interp create]
foreach name {exec open socket file glob cd load source} {
  if {$name ni [list %(allowed)s]} {interp hide $tool $name}
}
$tool alias exit apply {{{code 0}} {close $::record; ::exit $code}}
%(stubs)s
$tool eval {set argv {}}
if {[catch {$tool eval [read [set script [open [lindex $argv 0]]]]} message]} {
  puts stderr $message
  close $record
  ::exit 1
}
close $record
"""


class TclError(Exception):
    """What Tcl says of a script that fails."""


@dataclass(frozen=True)
class Call:
    """One call of a whitelisted command."""

    command: str
    arguments: tuple[str, ...]

    def option(self, name: str) -> str:
        """The word behind an option, "" if it is not given."""
        return self.arguments[self.arguments.index(name) + 1] if name in self.arguments else ""


def _stub(name: str, body: str) -> str:
    procedure, namespace = name.replace("::", "__"), name.rpartition("::")[0]
    lines = [f"proc stub_{procedure} {{args}} {{ note {name} {{*}}$args\n{body} }}"]
    lines += [f"$tool eval {{namespace eval {namespace} {{}}}}"] if namespace else []
    return "\n".join([*lines, f"$tool alias {name} stub_{procedure}"])


def run_tcl(script: str, stubs: Mapping[str, str], folder: Path, allowed: Sequence[str] = ()) -> list[Call]:
    """Run a script; stubs: the Tcl body of every whitelisted command, its words in `args`.

    allowed: commands of Tcl itself that reach outside and that the script may use. Raises TclError.
    """
    tclsh = shutil.which("tclsh")
    if tclsh is None:
        pytest.skip("tclsh is not installed")
    folder = folder.resolve()
    procedures = "\n".join(_stub(name, body) for name, body in stubs.items())
    (folder / "runner.tcl").write_text(_RUNNER % {"stubs": procedures, "allowed": " ".join(allowed)})
    (folder / "script.tcl").write_text(script)
    record = folder / "record.txt"
    done = subprocess.run([tclsh, folder / "runner.tcl", folder / "script.tcl", record], cwd=folder,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise TclError(done.stderr.strip())
    words = [line.split(_SEPARATOR) for line in record.read_text().splitlines()]
    return [Call(line[0], tuple(line[1:])) for line in words]
