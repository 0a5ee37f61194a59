"""The address map of the shell's registers: the contract between headrace_shell_registers.sv and the drivers."""

from __future__ import annotations

from dataclasses import dataclass

#: Value of the register `magic`: "HDRC".
MAGIC = 0x48445243
#: Bytes of the window in which the registers lie.
WINDOW_BYTES = 0x1_0000
#: Where the FIFOs' high-water marks begin, one register each.
FIFO_MARKS = 0x400
#: Where a memory's words are written, 32 bits at a time, low ones first; so are the addresses up to 0x1ffc.
MEMORY_DATA = 0x1000


@dataclass(frozen=True)
class Register:
    """A register of 32 bits; access is "r", "w" or "rw"."""

    offset: int
    name: str
    access: str
    text: str


@dataclass(frozen=True)
class Bit:
    """A bit of the register `control` or `status`."""

    register: str
    number: int
    name: str
    text: str


BITS = (
    Bit("control", 0, "reset", "reset the accelerator, clear counters and status"),
    Bit("control", 1, "clear", "clear counters and status"),
    Bit("control", 2, "hold", "keep the accelerator in reset until a write without this bit; what comes meanwhile is "
        "taken and dropped"),
    Bit("status", 0, "in_reset", "the accelerator is in reset"),
    Bit("status", 1, "cut_word", "a transfer ended inside a word"),
    Bit("status", 2, "cut_frame", "a transfer ended inside a frame"),
    Bit("status", 3, "cut_weights", "a transfer of weights ended inside a matrix"),
    Bit("status", 4, "quiet", "it is held, and no word came for 256 cycles"),
)


def bit_masks() -> dict[str, dict[str, int]]:
    """Names and masks of the bits of `control` and of `status`."""
    return {register: {bit.name: 1 << bit.number for bit in BITS if bit.register == register}
            for register in ("control", "status")}


def _bits(register: str) -> str:
    return "; ".join(f"bit {bit.number}: {bit.text}" for bit in BITS if bit.register == register)


REGISTERS = (
    Register(0x00, "magic", "r", "0x48445243, the letters HDRC"),
    Register(0x04, "version", "r", "version of headrace: major, minor and patch in the low three bytes"),
    Register(0x08, "status", "r", _bits("status")),
    Register(0x0C, "control", "w", _bits("control")),
    Register(0x10, "frames", "rw", "frames per transfer to the memory, fewer than 2^26, 1 after reset; read when a "
             "transfer begins"),
    Register(0x14, "in_bytes", "r", "bytes of a frame on its way in"),
    Register(0x18, "out_bytes", "r", "bytes of a frame on its way out"),
    Register(0x1C, "fifos", "r", "how many FIFOs have a high-water mark; 0 where none is observed"),
    *(Register(0x20 + 4 * k, f"hash{k}", "r", f"SHA-256 of the model, bytes {4 * k} to {4 * k + 3}") for k in range(8)),
    Register(0x40, "cycles", "r", "cycles since the counters were cleared"),
    Register(0x44, "frames_out", "r", "frames that left"),
    Register(0x48, "in_stalls", "r", "cycles in which the accelerator did not take the word at its input"),
    Register(0x4C, "in_waits", "r", "cycles in which the accelerator waited for a word"),
    Register(0x50, "out_stalls", "r", "cycles in which nobody took the word at the accelerator's output"),
    Register(0x54, "weight_waits", "r", "cycles in which the accelerator waited for weights from outside"),
    Register(0x58, "frames_in", "r", "frames that entered whole"),
    Register(0x5C, "observed", "r", "1 if stalls and waits are counted and FIFOs observed, as after "
             "`headrace bitstream --observe` and on an ECP5; 0 if those registers are 0"),
    Register(0x60, "memory", "rw", "number of the writable memory that `word` and the data that follow concern"),
    Register(0x64, "word", "w", "address of the word of that memory at which writing begins"),
)
