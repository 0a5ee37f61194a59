"""A headless Chromium, driven by its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from tornado.websocket import WebSocketClientConnection, websocket_connect


class Event(TypedDict, total=False):
    """A message of the protocol: the answer to the command `id`, or what happened."""

    id: int
    error: object
    result: dict[str, object]
    method: str
    params: Facts


class Facts(TypedDict, total=False):
    """What an event is about."""

    exceptionDetails: object
    entry: dict[str, str]
    type: str
    args: object
    request: dict[str, str]


class Page:
    """A page of so many CSS pixels; errors: what its console and its scripts complained of."""

    def __init__(self, loop: asyncio.AbstractEventLoop, socket: WebSocketClientConnection) -> None:
        self.loop, self.socket, self.number = loop, socket, 0
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setFocusEmulationEnabled", enabled=True)

    def ask(self, method: str, **parameters: object) -> dict[str, object]:
        """The answer to a command of the protocol."""
        return self.loop.run_until_complete(self._ask(method, parameters))

    async def _ask(self, method: str, parameters: dict[str, object]) -> dict[str, object]:
        self.number += 1
        await self.socket.write_message(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            told: Event = json.loads(str(await asyncio.wait_for(self.socket.read_message(), 30)))
            self._note(told)
            if told.get("id") == self.number:
                assert "error" not in told, told
                return told["result"]

    def _note(self, told: Event) -> None:
        what, facts = told.get("method"), told.get("params", Facts())
        if what == "Runtime.exceptionThrown":
            self.errors.append(str(facts["exceptionDetails"]))
        elif what == "Log.entryAdded" and facts["entry"]["level"] == "error":
            self.errors.append(str(facts["entry"]))
        elif what == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning"):
            self.errors.append(str(facts["args"]))
        elif what == "Network.requestWillBeSent" and not facts["request"]["url"].startswith(("file:", "data:")):
            self.errors.append(f"asks the network for {facts['request']['url']}")

    def open(self, path: Path, width: int, height: int = 900, dark: bool = False) -> None:
        """Show a file."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Page.navigate", url=path.as_uri())
        self.wait("document.readyState === 'complete' && location.href.startsWith('file:')")

    def run(self, script: str) -> object:
        """The value of a JavaScript expression."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found and isinstance(found["result"], dict), found
        return found["result"].get("value")

    def count(self, script: str) -> int:
        """The value of an expression that is a whole number."""
        found = self.run(script)
        assert isinstance(found, int), (script, found)
        return found

    def numbers(self, script: str) -> list[float]:
        """The value of an expression that is a list of numbers."""
        found = self.run(script)
        assert isinstance(found, list), (script, found)
        return [float(value) for value in found]

    def text(self, script: str) -> str:
        """The value of an expression that is a string."""
        found = self.run(script)
        assert isinstance(found, str), (script, found)
        return found

    def wait(self, script: str) -> None:
        """Until an expression is true."""
        for _ in range(100):
            if self.run(script):
                return
            time.sleep(0.1)
        raise AssertionError(f"never came true: {script}")

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name: str) -> None:
        """Press and release a key, such as Tab, Enter or ArrowRight."""
        codes = {"Tab": 9, "Enter": 13, "ArrowRight": 39, "ArrowLeft": 37}
        text = {"text": "\r"} if name == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name],
                     **(text if kind == "keyDown" else {}))

    def picture(self, path: Path) -> None:
        """The whole page as a .png file."""
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(str(shot["data"])))


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser with its profile in a folder. Fails with one sentence where none is installed."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "the test of pages needs chromium, which is not installed; install the package chromium"
    process = subprocess.Popen([
        program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0",
        f"--user-data-dir={folder}", "--remote-allow-origins=*", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    loop = asyncio.new_event_loop()
    try:
        socket = loop.run_until_complete(_connect(_target(folder / "DevToolsActivePort")))
        yield Page(loop, socket)
        socket.close()
    finally:
        process.terminate()
        process.wait(20)
        loop.close()


async def _connect(address: str) -> WebSocketClientConnection:
    return await websocket_connect(address, max_message_size=1 << 28)


def _target(port: Path) -> str:
    for _ in range(300):
        if port.is_file() and (lines := port.read_text().splitlines()):
            with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
                pages = [target for target in json.load(answer) if target["type"] == "page"]
            if pages:
                return str(pages[0]["webSocketDebuggerUrl"])
        time.sleep(0.1)
    raise AssertionError("chromium does not answer")
