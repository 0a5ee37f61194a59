"""Parts of the Python driver on their own: the DMA's side with a pynq that is written here, heads, sizes, names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headrace.network.activation import Activation
from headrace.network.tensor_ops import LogSoftmax

REGISTERS = {"control": 0, "status": 4, "reset": 4, "halted": 1, "errors": 0x70, "receive": 0x30, "length": 0x28}


class Buffer(np.ndarray):
    """Memory that notes what is done to it."""

    calls: list[str]

    def flush(self) -> None:
        self.calls.append("flush")

    def invalidate(self) -> None:
        self.calls.append("invalidate")

    def freebuffer(self) -> None:
        self.calls.append(f"free {self.nbytes}")


class Channel:
    """A direction of a DMA, which is idle when it was asked so many times."""

    def __init__(self, calls: list[str], name: str, asked: int = 0, running: bool = True) -> None:
        self.calls, self.name, self.asked, self.running = calls, name, asked, running

    @property
    def idle(self) -> bool:
        self.asked -= 1
        return self.asked < 0

    def start(self) -> None:
        self.calls.append(f"start {self.name}")

    def transfer(self, image: np.ndarray, nbytes: int) -> None:
        self.calls.append(f"{self.name} {nbytes} of {image.nbytes}")


class Dma:
    """status: of both directions; resets: how often its reset is seen to last."""

    def __init__(self, calls: list[str], name: str, status: tuple[int, int] = (2, 2), resets: int = 3) -> None:
        self.calls, self.status, self.resets, self.length = calls, status, resets, 0
        self.sendchannel, self.recvchannel = Channel(calls, f"{name} send"), Channel(calls, f"{name} receive")

    def write(self, offset: int, value: int) -> None:
        self.calls.append(f"write {offset} {value}")

    def read(self, offset: int) -> int:
        if offset == 0x58:
            return self.length
        if offset in (4, 0x34):
            return self.status[offset == 0x34]
        self.calls.append("look")
        self.resets -= 1
        return 3 + 4 * (self.resets >= 0)  # a DMA that runs keeps its other bits


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def device(driver: ModuleType, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    from headrace_driver.device import PynqDevice

    def allocate(shape: tuple[int, ...], dtype: type[np.generic]) -> Buffer:
        made = np.zeros(shape, dtype).view(Buffer)
        made.calls = calls
        return made

    overlay = SimpleNamespace(accelerator=None, dma=Dma(calls, "dma"), weights0=Dma(calls, "w0"),
                              weights1=Dma(calls, "w1"))
    monkeypatch.setitem(sys.modules, "pynq", SimpleNamespace(allocate=allocate, Overlay=lambda _: overlay))
    made = PynqDevice(Path("x.bit"), REGISTERS)
    made.patience_s = 0.05
    return made


def test_a_reset_is_waited_for_before_the_channels_start(device: Any, calls: list[str]) -> None:
    device.reset()
    assert calls == ["write 0 4", *["look"] * 4, "start dma send", "start dma receive"]


def test_weights_are_reset_too(device: Any, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    device.replay(1, np.zeros(12, np.uint8), 1)
    device.reset()
    assert calls[-2:] == ["look", "start w1 send"]
    device._replays = [Future()]
    monkeypatch.setattr("headrace_driver.device._DMA_RESET_S", 0.05)
    with pytest.raises(Exception, match=r"^the weights under way do not stop within 0\.05 seconds; "):
        device.reset()


@pytest.mark.parametrize(("asked", "stopped", "running", "sent"), [
    (3, False, True, 4), (0, False, True, 4), (3, True, True, 1), (0, True, True, 1), (3, False, False, 1)])
def test_transfers_of_weights_follow_each_other_until_they_are_stopped(
        driver: ModuleType, calls: list[str], asked: int, stopped: bool, running: bool, sent: int) -> None:
    from headrace_driver.device import _send

    event = Event()
    if stopped:
        event.set()
    channel = Channel(calls, "w", asked, running)
    _send(channel, np.zeros(12, np.uint8), 4, event)
    assert calls == ["w 12 of 12"] * sent
    assert not running or stopped or channel.asked < 0


def test_buffers_are_kept_while_they_are_large_enough(device: Any, calls: list[str]) -> None:
    first = device.buffer(0, 8)
    assert device.buffer(0, 8) is first and device.buffer(0, 5) is first and device.buffer(1, 5) is not first
    assert device.buffer(0, 9).nbytes == 9 and calls == ["free 8"]


@pytest.mark.parametrize(("came", "given"), [(3, 3), (20, 6)])
def test_what_came_is_given(device: Any, calls: list[str], came: int, given: int) -> None:
    device.start(1, 4, 6)
    assert calls == ["flush", "dma receive 6 of 6", "dma send 4 of 4"]
    device._dma.length = came
    assert device.finish(1).tolist() == [0] * given and calls[-1] == "invalidate"


@pytest.mark.parametrize(("place", "side", "status", "sentence"), [
    ("dma", 0, 0x10, "the DMA to the accelerator stopped with status 0x00000010"),
    ("dma", 1, 0x42, "the DMA from the accelerator stopped with status 0x00000042"),
    ("dma", 1, 1, "the DMA from the accelerator stopped with status 0x00000001"),
    ("weights1", 0, 0x20, "the DMA of weights to the accelerator stopped with status 0x00000020")])
def test_a_dma_that_stopped_is_told(device: Any, place: str, side: int, status: int, sentence: str) -> None:
    device.replay(1, np.zeros(12, np.uint8), 1)
    device.start(0, 4, 4)
    getattr(device.overlay, place).status = (2, status) if side else (status, 2)
    with pytest.raises(Exception, match=f"^{sentence}$"):
        device.finish(0)


@pytest.mark.parametrize(("side", "sentence"), [
    ("sendchannel", "a transfer to the accelerator does not end"),
    ("recvchannel", "a transfer from the accelerator does not end")])
def test_a_transfer_without_an_end_is_told(device: Any, side: str, sentence: str) -> None:
    getattr(device._dma, side).asked = 1 << 60
    device.start(0, 4, 4)
    with pytest.raises(Exception, match=sentence):
        device.finish(0)


class Endless:
    """A device whose accelerator always has something more."""

    def __init__(self) -> None:
        self.collected = 0

    def reset(self) -> None:
        pass

    def collect(self) -> bool:
        self.collected += 1
        return True


@pytest.fixture
def accelerator(driver: ModuleType) -> Callable[..., Any]:
    """An accelerator with these attributes and no board."""
    def made(**attributes: Any) -> Any:
        found = object.__new__(driver.Accelerator)
        for name, value in attributes.items():
            setattr(found, name, value)
        return found

    return made


def test_what_is_left_behind_an_accelerator_must_end(accelerator: Callable[..., Any]) -> None:
    """One transfer more than can have their ends in a clock crossing is a fault."""
    device = Endless()
    made = accelerator(device=device, model={"bits": {"control": {"hold": 4}, "status": {"quiet": 1}}},
                       write=lambda *_: None, read=lambda _: 1)
    with pytest.raises(Exception, match="words come from an accelerator that is held"):
        made.reset()
    assert device.collected == 256


@pytest.mark.parametrize(("given", "taken", "most", "wanted"), [
    (100, 30, 1 << 26, 41943), (30, 100, 1 << 26, 41943), (100, 30, 1000, 10), (100, 30, 99, 1),
    (1 << 23, 1, 1 << 26, 1)])
def test_a_transfer_holds_four_mebibytes_or_a_frame(accelerator: Callable[..., Any], given: int, taken: int, most: int,
                                                    wanted: int) -> None:
    made = accelerator(source={"frame_bytes": given}, sink={"frame_bytes": taken}, model={"max_transfer_bytes": most})
    assert made.frames_per_transfer == wanted


def test_batches_are_cut_to_what_a_transfer_holds(accelerator: Callable[..., Any]) -> None:
    made = accelerator(source={"frame_bytes": 1}, sink={"frame_bytes": 1}, model={"max_transfer_bytes": 3},
                       host=SimpleNamespace(samples=lambda x: x))
    pieces = [(piece.tolist(), last) for piece, last in made._pieces([np.arange(6), np.arange(4), np.arange(1)])]
    assert pieces == [([0, 1, 2], False), ([3, 4, 5], True), ([0, 1, 2], False), ([3], True), ([0], True)]


@pytest.mark.parametrize("head", ["softmax", "logsoftmax"])
def test_heads_do_not_overflow(driver: ModuleType, head: str) -> None:
    from headrace_driver.host import HEADS

    x = np.asarray([[0.5, -1.0, 2.0], [3.0, 3.0, -4.0]])
    powers = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    wanted = powers if head == "softmax" else np.log(powers)
    for far in (0.0, 5000.0, -5000.0):
        np.testing.assert_allclose(HEADS[head](x + far), wanted, rtol=1e-9)


def test_heads_keep_the_digits_of_what_is_small(driver: ModuleType) -> None:
    """Those of the driver and of predict; 1 + e^-49 is 1 in float64."""
    from headrace_driver.host import HEADS

    predicted = {"sigmoid": Activation("sigmoid").forward, "logsoftmax": LogSoftmax().forward}
    for heads in (HEADS, predicted):
        far = np.asarray([[-49.0, -700.0]])
        np.testing.assert_allclose(heads["sigmoid"](far), np.exp(far), rtol=1e-12)
        np.testing.assert_allclose(heads["logsoftmax"](np.asarray([[2.0, -62.0]])), [[-np.exp(-64.0), -64]], rtol=1e-12)


def test_heads_look_at_channels(driver: ModuleType) -> None:
    from headrace_driver.host import HEADS

    y = np.asarray([[[1.0, 5.0], [3.0, 2.0], [3.0, 4.0]]])
    assert HEADS["argmax"](y).tolist() == [[1.0, 0.0]] and HEADS["max"](y).tolist() == [[[3.0, 5.0]]]
    assert HEADS["none"](y) is y
    np.testing.assert_allclose(HEADS["sigmoid"](y), 1 / (1 + np.exp(-y)))
    np.testing.assert_allclose(HEADS["tanh"](y), np.tanh(y))
    np.testing.assert_allclose(HEADS["softmax"](y).sum(axis=1), 1)


@pytest.mark.parametrize(("sink", "wanted"), [
    ({"bipolar": True, "signed": False, "bits": 1}, [-1, 1, 1]),
    ({"bipolar": False, "signed": True, "bits": 3}, [0, 1, -4]),
    ({"bipolar": False, "signed": False, "bits": 3}, [0, 1, 4])])
def test_codes_of_the_output_are_integers(driver: ModuleType, sink: dict[str, Any], wanted: list[int]) -> None:
    from headrace_driver.host import integers_of

    codes = [0, 1, 1] if sink["bipolar"] else [0, 1, 4]
    assert integers_of(sink, np.asarray([codes], np.uint8)).tolist() == [wanted]


def test_random_samples_are_zeros_and_ones(driver: ModuleType) -> None:
    from headrace_driver.habits import _random_samples

    ends = [{"name": "a", "shape": [3, 4]}, {"name": "b", "shape": [5]}]
    both = _random_samples({"input": {"parts": ends}}, 6)
    assert {name: values.shape for name, values in both.items()} == {"a": (6, 3, 4), "b": (6, 5)}
    assert all(set(np.unique(values)) == {0, 1} and values.dtype == np.float32 for values in both.values())
    assert _random_samples({"input": ends[1]}, 2).shape == (2, 5)


def test_an_element_of_several_outputs_has_its_place(driver: ModuleType) -> None:
    from headrace_driver.several import Hosts

    made: Any = object.__new__(Hosts)
    made.sink = {"parts": [{"name": "a", "first": 0}, {"name": "b", "first": 4}]}
    made.outputs = {"a": SimpleNamespace(scale=[1.0, 1.0]), "b": SimpleNamespace(scale=[1.0])}
    assert [made.place(element) for element in (0, 3, 4, 5)] == [
        "output a, pixel 0, channel 0", "output a, pixel 1, channel 1", "output b, pixel 0, channel 0",
        "output b, pixel 1, channel 0"]


def test_counters_have_the_marks_of_fifos(accelerator: Callable[..., Any]) -> None:
    """Those that the bitstream has, in registers of four bytes one after the other."""
    values = {"observed": 1, "cycles": 7, "frames_out": 8, "in_stalls": 1, "in_waits": 2, "out_stalls": 3, "fifos": 2}
    made = accelerator(device=SimpleNamespace(read=lambda offset: offset), read=values.__getitem__,
                       model={"fifo_marks": 0x100, "fifos": ["a", "b", "c"]})
    assert made.counters() == {"cycles": 7, "frames_out": 8, "in_stalls": 1, "in_waits": 2, "out_stalls": 3,
                               "fifo_a": 0x100, "fifo_b": 0x104}
    values["observed"] = values["fifos"] = 0
    assert made.counters() == {"cycles": 7, "frames_out": 8}
