"""The test's end of a keeper: a server in a process of its own, and a breakable way to it."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import jaseci.svc.testing._keeper as program

ANSWER_TIMEOUT = 30.0
"""Seconds that the keeper may take for an order. Its own waits end earlier."""


class KeptServer:
    """A server that a keeper process runs for this process. Lives from its construction to ``close()``, and never longer
    than the process that made it, however that ends. Any thread may use it; a forked child may not.

    Raises ``RuntimeError`` with the reason for whatever an order could not do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._control, theirs = socket.socketpair()
        self._control.settimeout(ANSWER_TIMEOUT)
        command = [sys.executable, "-I", "-S", program.__file__, str(self._owner)]
        with theirs:
            # A session of its own: Ctrl-C is the test's business, and the test ends the keeper.
            self._keeper = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
            )
        self._answers = self._control.makefile("rb")
        try:
            hello = self._next_answer()
        except BaseException:
            self.close()
            raise
        self.port: int = hello["port"]
        self.direct_port: int = hello["direct_port"]
        self.folder = Path(hello["folder"])

    def launch(self, command: list[str], ready: str) -> int:
        """Starts the server, in its folder, and waits until a line of its log matches the pattern. Its process id."""
        process_id: int = self._order("launch", command=command, ready=ready)
        return process_id

    def signal(self, number: int) -> None:
        """Sends the server a signal."""
        self._order("signal", number=number)

    def wait(self, timeout: float) -> None:
        """Waits for the server's end, up to ``timeout`` seconds."""
        self._order("wait", timeout=timeout)

    def kill(self) -> None:
        """Kills the server if there is one, and waits until it is gone."""
        self._order("kill")

    def link(self, state: str, delay: float = 0.0) -> None:
        """Makes the way to the server "open", "cut" or a "hole", each piece of an answer ``delay`` seconds late."""
        self._order("link", state=state, delay=delay)

    def log(self) -> list[str]:
        """The last lines that the server wrote since it was launched."""
        lines: list[str] = self._order("log")
        return lines

    def close(self) -> None:
        """Ends the server and the keeper, and removes the server's folder. A second time, and in a child: nothing."""
        if os.getpid() != self._owner or self._control.fileno() < 0:
            return
        answers = getattr(self, "_answers", None)
        if answers is not None:
            answers.close()
        self._control.close()
        try:
            self._keeper.wait(ANSWER_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # its server dies with it
            self._keeper.wait()

    def _order(self, do: str, **arguments: Any) -> Any:
        if os.getpid() != self._owner:
            raise RuntimeError("a forked child has no say over the server of its parent")
        with self._lock:
            if self._control.fileno() < 0:
                raise RuntimeError("the server is closed")
            # If the keeper is dead, the answer that does not come says so.
            with contextlib.suppress(ConnectionError):
                self._control.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
            answer = self._next_answer()
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["done"]

    def _next_answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise RuntimeError("the keeper of the server has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
