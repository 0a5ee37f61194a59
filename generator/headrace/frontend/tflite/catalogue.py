"""The list of operators that are read, as docs/tflite.md has it.

`python3 -m headrace.frontend.tflite.catalogue` prints it.
"""

from __future__ import annotations

from headrace.frontend.tflite.operators import OPERATIONS

#: Lines of docs/tflite.md between which the list stands.
BEGIN, END = "<!-- what is read: begin -->\n", "<!-- what is read: end -->\n"


def catalogue() -> str:
    """A table in Markdown."""
    rows = [("operator", "what of it"), ("---", "---"),
            *((f"`{name}`", operation.says) for name, operation in sorted(OPERATIONS.items()))]
    return "".join(f"| {name} | {says} |\n" for name, says in rows)


if __name__ == "__main__":
    print(catalogue(), end="")
