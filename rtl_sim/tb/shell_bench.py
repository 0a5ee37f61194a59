"""cocotb bench of the shell around an accelerator, driven as the processor would: registers, and a DMA to memory.

It reads job.json in the folder where it runs: what the registers must say, the bytes of verified frames, the weights
that come from memory, and weights to write between frames. Tests of what an accelerator does not have are left out.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import cocotb
from axi_stream import Domain, set_stalls, sink_pauses, source_pauses
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

JOB: dict[str, Any] = json.loads(Path("job.json").read_text())
Frames = list[tuple[bytes, bytes]]


def frames_of(item: dict[str, Any]) -> Frames:
    return [(bytes.fromhex(given), bytes.fromhex(wanted)) for given, wanted in item["frames"]]


FRAMES = frames_of(JOB)
#: Bytes of a matrix and how often it passes in a frame, by port.
WEIGHTS = {port: (bytes.fromhex(item["image"]), item["times"]) for port, item in JOB["weights"].items()}
OFFSET: dict[str, int] = JOB["registers"]
RESET, CLEAR, HOLD = 1, 2, 4
_WINDOW_BYTES = 0x1000


class Processor:
    """Memory, a DMA and the control port."""

    def __init__(self, dut: Any) -> None:
        self.dut, self.domain = dut, Domain(dut)
        self.domain.start_clock()
        self.memory = bytearray(random.Random(1).randbytes(1 << 16))
        clock, reset = dut.ap_clk, dut.ap_rst_n
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), clock, reset, reset_active_level=False)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), clock, reset, reset_active_level=False)
        self.weights = {port: AxiStreamSource(AxiStreamBus.from_prefix(dut, port), clock, reset,
                                              reset_active_level=False) for port in WEIGHTS}
        for driver in (self.source, self.sink, *self.weights.values()):
            driver.log.setLevel("ERROR")
        control = AxiLiteBus.from_prefix(dut, "s_axi_control")
        self.control = AxiLiteMaster(control, clock, reset, reset_active_level=False)
        for channel in (self.control.read_if, self.control.write_if):
            channel.log.setLevel("ERROR")

    async def start(self, stalls: str = "none") -> None:
        """Reset, then let the ends of the DMA hesitate as asked."""
        await self.domain.reset(self.source, self.sink, *self.weights.values())
        await ClockCycles(self.dut.ap_clk, 40)  # the accelerator's own reset lasts longer
        for k, source in enumerate(self.weights.values()):
            set_stalls(source, source_pauses(stalls, 4 + k))
        set_stalls(self.source, source_pauses(stalls, 3))
        set_stalls(self.sink, sink_pauses(stalls, 3, self.sink))

    async def read(self, register: str | int) -> int:
        return await self.control.read_dword(OFFSET[register] if isinstance(register, str) else register)

    async def write(self, register: str, value: int) -> None:
        await self.control.write_dword(OFFSET[register], value)

    async def send(self, address: int, size: int) -> None:
        """The DMA reads memory; a transfer's last beat may be partial."""
        await self.source.send(AxiStreamFrame(bytes(self.memory[address : address + size])))
        await self.source.wait()

    async def receive(self, address: int, size: int) -> None:
        """The DMA writes memory until TLAST, which must come with the last byte."""
        data = bytes((await self.sink.recv()).tdata)
        assert len(data) == size, f"TLAST after {len(data)} of {size} bytes"
        self.memory[address : address + size] = data

    def replay(self, frames: int) -> None:
        """The DMAs of the weights read theirs for so many frames, a matrix in each transfer."""
        for port, (image, times) in WEIGHTS.items():
            for _ in range(frames * times):
                self.weights[port].send_nowait(AxiStreamFrame(image))

    def stop_weights(self) -> None:
        """The DMAs of the weights are reset, in the middle of a transfer."""
        for source in self.weights.values():
            source.assert_reset(True)
            source.clear()
            source.assert_reset(False)

    async def write_memory(self, memory: int, words: list[list[int]]) -> None:
        """All words of a memory, parts of 32 bits behind each other."""
        await self.write("memory", memory)
        await self.write("word", 0)
        data = b"".join(part.to_bytes(4, "little") for word in words for part in word)
        for start in range(0, len(data), _WINDOW_BYTES):
            await self.control.write(JOB["memory_data"], data[start : start + _WINDOW_BYTES])

    async def infer(self, numbers: list[int], frames: Frames = FRAMES, source: int = 0x101,
                    target: int = 0x8003) -> None:
        """Frames in one transfer from and one to odd addresses: the golden bytes, and nothing around them changes."""
        given, wanted = (b"".join(frames[n % len(frames)][side] for n in numbers) for side in (0, 1))
        self.replay(len(numbers))
        self.memory[source : source + len(given)] = given
        before = bytes(self.memory)
        await self.write("frames", len(numbers))
        receiving = cocotb.start_soon(self.receive(target, len(wanted)))
        await self.send(source, len(given))
        await receiving
        after = before[:target] + wanted + before[target + len(wanted) :]
        assert self.memory == after, f"frames {numbers}: the memory differs from the golden bytes"


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def registers_say_what_it_is(dut: Any) -> None:
    processor = Processor(dut)
    await processor.start()
    for name, value in JOB["expected"].items():
        assert await processor.read(name) == value, name
    assert await processor.read("frames") == 1 and await processor.read("status") == 0
    for offset in (0x3FC, 0x8000, 0xFFFC):  # no register: reads 0, ignores writes
        await processor.control.write_dword(offset, 0xFFFFFFFF)
        assert await processor.read(offset) == 0
    await processor.control.write(OFFSET["frames"] + 1, b"\xff")  # a part of a register is none
    assert await processor.read("frames") == 1


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def memory_to_memory(dut: Any) -> None:
    processor = Processor(dut)
    await processor.start()
    for numbers in ([0], [1, 2], [0, 1, 2], [2], [3, 2, 1, 0, 1]):
        await processor.infer(numbers)
    assert await processor.read("frames_out") == 12
    assert await processor.read("status") == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def hesitating_dma(dut: Any) -> None:
    for stalls in ("source", "sink", "random"):
        processor = Processor(dut)
        await processor.start(stalls)
        await processor.infer([0, 1, 2])
        await processor.infer([3])


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def stalled_reader(dut: Any) -> None:
    processor = Processor(dut)
    await processor.start()
    processor.sink.pause = True
    # The shell holds some frames in registers of its own.
    held = 4 * len(dut.m_axis_TKEEP) // JOB["expected"]["out_bytes"]
    running = cocotb.start_soon(processor.infer(list(range(6 + held))))
    await ClockCycles(dut.ap_clk, (4 + held) * JOB["cycles_per_frame"] + 200)
    assert await processor.read("frames_out") < 6 + held
    stalls = await processor.read("out_stalls")
    assert stalls > JOB["cycles_per_frame"]
    processor.sink.pause = False
    await running
    assert await processor.read("out_stalls") >= stalls
    marks = [await processor.read(0x400 + 4 * k) for k in range(JOB["expected"]["fifos"])]
    # Blocked from behind they fill up: their memory and, behind it, up to three words in registers.
    assert all(0 < mark <= most + 3 for mark, most in zip(marks, JOB["depths"], strict=True)), marks
    assert await processor.read(0x400 + 4 * len(marks)) == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def registers_while_streaming(dut: Any) -> None:
    processor = Processor(dut)
    await processor.start("random")
    running = cocotb.start_soon(processor.infer([0, 1, 2, 3]))
    cycles = frames = 0
    while not running.done():
        cycles, before = await processor.read("cycles"), cycles
        frames, frames_before = await processor.read("frames_out"), frames
        assert cycles > before and frames >= frames_before
        assert await processor.read("magic") == JOB["expected"]["magic"]
    await running
    assert await processor.read("frames_out") == 4
    await processor.write("control", CLEAR)
    assert await processor.read("frames_out") == 0 and await processor.read("cycles") < cycles
    await processor.infer([2])  # clearing counters is not a reset


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def reset_in_mid_frame(dut: Any) -> None:
    processor = Processor(dut)
    await processor.start()
    await processor.write("frames", 3)
    given = FRAMES[0][0]
    processor.replay(2)
    processor.source.send_nowait(AxiStreamFrame(given + given[: len(given) // 2 + 1]))
    await ClockCycles(dut.ap_clk, JOB["cycles_per_frame"])
    await processor.write("control", RESET)
    assert await processor.read("status") & 1 or await processor.read("status") == 0
    while await processor.read("status") & 1:
        pass
    processor.source.clear()
    processor.sink.clear()
    processor.stop_weights()
    await ClockCycles(dut.ap_clk, 64)
    await processor.write("control", RESET)  # what the source still offered went into the fresh accelerator
    await ClockCycles(dut.ap_clk, 64)
    processor.sink.clear()
    await processor.infer([1, 3])
    assert await processor.read("status") == 0


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def held(dut: Any) -> None:
    """What comes is dropped, of weights too, until the accelerator begins anew."""
    processor = Processor(dut)
    await processor.start()
    assert await processor.read("status") == 0
    processor.replay(2)
    processor.source.send_nowait(AxiStreamFrame(FRAMES[0][0] * 2))
    await ClockCycles(dut.ap_clk, 8)
    await processor.write("control", HOLD)
    while not await processor.read("status") & 16:
        assert await processor.read("status") & 1
    assert processor.source.idle() and all(source.idle() for source in processor.weights.values())
    await ClockCycles(dut.ap_clk, 2 * JOB["cycles_per_frame"])
    assert dut.m_axis_TVALID.value == 0
    await processor.write("control", RESET)
    while await processor.read("status") & 1:
        pass
    processor.sink.clear()
    await processor.infer([1, 3])
    assert await processor.read("status") == 0
    assert await processor.read("frames_in") == await processor.read("frames_out") == 2


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def cut_transfers_show(dut: Any) -> None:
    word_bytes = JOB["word_bytes"]
    for extra, status in ((word_bytes, 4), (1, 2)):
        if extra % word_bytes == 0 and status == 2:
            continue  # words of one byte cannot be cut
        processor = Processor(dut)
        await processor.start()
        processor.replay(2)
        sending = cocotb.start_soon(processor.send(0, len(FRAMES[0][0]) + extra))
        await ClockCycles(dut.ap_clk, 4 * JOB["cycles_per_frame"] + 200)
        assert sending.done()
        assert await processor.read("status") & status, f"{extra} bytes too many"


if JOB["rewrites"]:

    @cocotb.test(timeout_time=5, timeout_unit="ms")
    async def weights_rewritten_between_frames(dut: Any) -> None:
        processor = Processor(dut)
        await processor.start("random")
        await processor.infer([0, 1])
        for rewrite in JOB["rewrites"]:
            for memory, words in rewrite["memories"].items():
                await processor.write_memory(int(memory), words)
            await processor.infer([0, 1, 2, 3], frames_of(rewrite))
            await processor.infer([2], frames_of(rewrite))


if WEIGHTS:

    @cocotb.test(timeout_time=5, timeout_unit="ms")
    async def late_weights(dut: Any) -> None:
        processor = Processor(dut)
        await processor.start()
        for source in processor.weights.values():
            source.pause = True
        running = cocotb.start_soon(processor.infer([0, 1]))
        await ClockCycles(dut.ap_clk, 2 * JOB["cycles_per_frame"])
        assert await processor.read("frames_out") == 0
        assert await processor.read("weight_waits") > JOB["cycles_per_frame"]
        for source in processor.weights.values():
            source.pause = False
        await running

    @cocotb.test(timeout_time=5, timeout_unit="ms")
    async def cut_weights_show(dut: Any) -> None:
        for port, (image, _) in WEIGHTS.items():
            processor = Processor(dut)
            await processor.start()
            processor.weights[port].send_nowait(AxiStreamFrame(image[:-1]))
            processor.replay(1)
            processor.source.send_nowait(AxiStreamFrame(FRAMES[0][0]))
            await ClockCycles(dut.ap_clk, 2 * JOB["cycles_per_frame"] + 200)
            assert await processor.read("status") == 8, port
