"""The same program, started a second time beside the same Redis: settings changed here are in force there."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scene import Scene
from transcript import fact, promise, say

from .reconfiguring import NEXT_KEY, stored

PROGRAM = Path(__file__).resolve().parents[1] / "main.py"
PATIENCE = 30.0
"""Seconds that the second process may take for all of it. It usually needs one, most of it to start."""


def tell(scene: Scene) -> None:
    """Change the currency here, and wait until the other process shows it."""
    if not scene.shared.redis.is_running():
        say("Without a Redis these settings are this process's own. Start one, and run this again.")
        return
    admin = scene.meta.build_super_master()
    before = stored(admin)
    with second_process() as second:
        found = second.shows("currency", before["currency"])
        promise("a second process has the settings, without having set any", found)

        admin.config_set("STRIPE_CONFIG", before | {"currency": "gbp"})
        changed = time.monotonic()
        found = second.shows("currency", "gbp")
        fact("seen there after", f"{(time.monotonic() - changed) * 1000:.0f} ms")
        promise("it sees what is changed here", found)

        admin.config_set("STRIPE_CONFIG", before)
        promise("and that it is changed back", second.shows("currency", before["currency"]))
        promise("it shows no key", NEXT_KEY not in second.shown)


class SecondProcess:
    """What the second process has shown so far."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.shown = ""

    def shows(self, label: str, value: str) -> bool:
        """Wait for the next line that shows a fact; false if the process ends without."""
        for line in self._lines:
            self.shown += line
            if line.split() == [label, value]:
                return True
        return False


@contextmanager
def second_process() -> Iterator[SecondProcess]:
    """This program once more; it ends with the `with`, or when its time is over."""
    with subprocess.Popen([sys.executable, str(PROGRAM)], stdout=subprocess.PIPE, text=True) as running:
        fact("second process", running.pid)
        impatient = threading.Timer(PATIENCE, running.kill)
        impatient.start()
        try:
            yield SecondProcess(iter(running.stdout or ()))
        finally:
            impatient.cancel()
            impatient.join()
            running.terminate()
