"""What the second process has said, as the first one hears it."""

import json
import subprocess
import threading
from typing import NamedTuple

PATIENCE = 30.0
"""Seconds until the second process is called hung. It usually answers at once."""


class Seen(NamedTuple):
    """One state of the setting, as the second process saw it."""

    number: int
    stale: bool
    reads: int
    wrong: int


class Follower:
    """The second process. Lives as long as it does."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.last = Seen(0, False, 0, 0)

    def wait_for(self, number: int, *, stale: bool) -> bool:
        """Wait until it sees the setting so; false if it ends without."""
        with _Deadline(self._process):
            while (self.last.number, self.last.stale) != (number, stale):
                line = self._process.stdout.readline()
                if not line:
                    return False
                self.last = Seen(**json.loads(line))
        return True

    def end(self) -> Seen:
        """Ask it to end; what it said last."""
        rest, _ = self._process.communicate(timeout=PATIENCE)
        self.last = Seen(**json.loads(rest.splitlines()[-1]))
        return self.last


class _Deadline:
    """Ends a process that has said nothing for too long, and with it the waiting."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._timer = threading.Timer(PATIENCE, process.kill)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
