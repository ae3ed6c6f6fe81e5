"""Runs `localstripe` as a process of its own, for as long as a `with` block lasts."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

HOST = "127.0.0.1"
SERVER = Path(__file__).with_name("server.py")
START_DEADLINE = 20.0
"""Seconds until the first answer. It usually takes a fraction of one; a busy machine may need more."""
STOP_DEADLINE = 5.0
"""Seconds between asking the process to end and ending it by force."""


class LocalStripeError(Exception):
    """The server did not come up; the message holds what it wrote before it gave up."""


class LocalStripe:
    """A Stripe API that lives exactly as long as the `with` block: no port, process or file outlasts it.

        with LocalStripe() as server:
            stripe.api_base = server.url

    The process ends when the block is left, also by an exception or Ctrl-C, and by itself should this program be
    killed outright.
    """

    def __enter__(self) -> Self:
        # A free port is chosen by opening it here and handing the open socket down: nobody can take it in between.
        with socket.create_server((HOST, 0)) as listener:
            self.port: int = listener.getsockname()[1]
            self._complaints: IO[bytes] = tempfile.TemporaryFile()
            self._process = self._launch(listener.fileno())
        try:
            self._await_first_answer()
            _spare_loopback_the_proxy()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def url(self) -> str:
        """What the `stripe` client takes as its `api_base`."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the server's process."""
        return self._process.pid

    def _launch(self, listener: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, str(SERVER), str(listener)],
            pass_fds=[listener],
            stdin=subprocess.PIPE,  # the lifeline: it closes when this program dies, however it dies
            stdout=subprocess.DEVNULL,
            stderr=self._complaints,
            start_new_session=True,  # Ctrl-C is for this program, which then ends the server in its turn
        )

    def _await_first_answer(self) -> None:
        # The socket listens already, so one request with a deadline is enough: it is answered as soon as the server
        # accepts, and refused at once if the process ends instead.
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_DEADLINE)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            self._process.terminate()
            raise LocalStripeError(f"localstripe did not start: {self._last_words() or error}") from error
        finally:
            connection.close()

    def _last_words(self) -> str:
        self._wait_for_end()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _end(self) -> None:
        self._process.terminate()
        self._wait_for_end()
        self._complaints.close()

    def _wait_for_end(self) -> None:
        try:
            # Not communicate(): that would close the lifeline first and the exit code would tell nothing.
            self._process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()


def _spare_loopback_the_proxy() -> None:
    """Where a proxy is configured, requests to this machine must not go through it."""
    spared = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if HOST not in spared.split(","):
        os.environ["no_proxy"] = ",".join(filter(None, [spared, HOST]))
