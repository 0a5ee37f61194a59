"""Where the weights of a layer lie, and what that takes."""

from __future__ import annotations

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import ram, rom, slices, write_port
from headrace.area.usage import Resources

#: Fixed, in memory that the processor can write, in such UltraRAM, which it must load first, or outside of the
#: accelerator, from where they come as a stream.
ROM, RAM, URAM, EXTERNAL = "rom", "ram", "uram", "external"
#: The command's options that ask for them.
OPTIONS = {RAM: "--writable", URAM: "--uram", EXTERNAL: "--external"}


def store_amounts(a: Amounts, storage: str, words: int, bits: int) -> None:
    """A weight memory with its read registers, or the slice of a stream of weights."""
    if storage == ROM:
        rom(a, words, bits, in_order=True)
    elif storage == EXTERNAL:
        slices(a, bits)
        a.add("read", ff=2 * bits)
    else:
        write_port(a, words, bits)
        a.add("read", ff=bits)
        if storage == RAM:
            ram(a, memory.ram(words, bits, a.prices), words, bits)
        else:
            a.take(Resources(uram=memory.uram(words, bits)))
