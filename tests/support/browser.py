"""Drives headless Chromium by its DevTools protocol: opens a page, runs expressions in it, collects what the console said. Standard library only."""
import base64
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request


def find_browser():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class WebSocket:
    """Just enough of RFC 6455: text frames of one client."""

    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        self.buffer = self.buffer.split(b"\r\n\r\n", 1)[1]

    def take(self, n):
        while len(self.buffer) < n:
            more = self.socket.recv(1 << 20)
            if not more:
                raise EOFError("the browser closed the connection")
            self.buffer += more
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def send(self, text):
        payload, mask = text.encode(), os.urandom(4)
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0x80 | 126]) + struct.pack(">H", size)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self):
        text = b""
        while True:
            first, second = self.take(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.take(8))[0]
            text += self.take(size)
            if first & 0x80:
                return text.decode()


class Page:
    """One tab. `console` holds warnings, errors and exceptions."""

    def __init__(self, url):
        self.folder = tempfile.TemporaryDirectory(prefix="hg-chromium-")
        self.process = subprocess.Popen(
            [find_browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
             "--remote-allow-origins=*", f"--user-data-dir={self.folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": self.folder.name},
            start_new_session=True)
        port_file = pathlib.Path(self.folder.name) / "DevToolsActivePort"
        self.wait(lambda: port_file.exists() and port_file.read_text().count("\n") >= 1, "the browser to start")
        port = int(port_file.read_text().split()[0])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
            target = next(t for t in json.load(answer) if t["type"] == "page")
        self.socket = WebSocket(port, target["webSocketDebuggerUrl"].split(str(port), 1)[1])
        self.number = 0
        self.console = []
        for domain in ("Runtime", "Log", "Page"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=url)

    @staticmethod
    def wait(holds, what, seconds=60):
        until = time.time() + seconds
        while time.time() < until:
            if holds():
                return
            time.sleep(0.05)
        raise TimeoutError(f"waited {seconds} s for {what}")

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.console.append(message["params"])
            if message.get("id") == self.number:
                return message["result"]

    def value(self, expression):
        """Of a JavaScript expression in the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def until(self, expression, seconds=60):
        """Waits until the expression is true, and says whether it came to that."""
        try:
            self.wait(lambda: self.value(expression), expression, seconds)
        except TimeoutError:
            return False
        return True

    def close(self):
        # With its helpers, which write to the profile until they end.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)
        self.wait(self.is_gone, "the browser's helpers to end", 30)
        self.folder.cleanup()

    def is_gone(self):
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False
