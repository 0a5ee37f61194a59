"""The registers of an AXI DMA in simple mode (PG021) that the drivers use."""

from __future__ import annotations

#: Where the registers of the direction that receives begin; those of the one that sends begin at 0.
RECEIVE = 0x30
#: Offsets in a direction.
CONTROL, STATUS, ADDRESS, ADDRESS_HIGH, LENGTH = 0x00, 0x04, 0x18, 0x1C, 0x28
#: Bits of the control register; the reset is that of both directions.
RUN, RESET = 0x1, 0x4
#: Bits of the status register.
HALTED, IDLE, ERRORS = 0x1, 0x2, 0x70
#: Bits of the length register: a transfer has fewer bytes than 2 to their power.
LENGTH_BITS = 26

#: What C++ calls them.
NAMES = {"RECEIVE": RECEIVE, "CONTROL": CONTROL, "STATUS": STATUS, "ADDRESS": ADDRESS, "ADDRESS_HIGH": ADDRESS_HIGH,
         "LENGTH": LENGTH, "RUN": RUN, "RESET": RESET, "HALTED": HALTED, "IDLE": IDLE, "ERRORS": ERRORS}
