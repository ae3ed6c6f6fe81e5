"""What does a daemon cost that is spawned, waits, and is asked to stop, against a thread with an event?"""

import threading
from collections.abc import Iterator
from typing import Any

from jaseci.svc import CommonService

from bench.harness import Answer, Snippet, compare, one_core


class Native(CommonService):
    """A service with one daemon that waits to be stopped."""

    def wait(self) -> None:
        self.stop_requested.wait()

    def cycle(self) -> None:
        self.spawn_daemon(worker=self.wait)
        self.terminate_daemon("worker")


class Plain:
    """The same with the standard library, as one writes it: nothing raises, nothing is stuck."""

    def __init__(self) -> None:
        self.stop_requested = threading.Event()
        self.threads: dict[str, threading.Thread] = {}

    def wait(self) -> None:
        self.stop_requested.wait()

    def cycle(self) -> None:
        self.stop_requested = threading.Event()
        thread = self.threads["worker"] = threading.Thread(target=self.wait, name="Plain/worker", daemon=True)
        thread.start()
        self.stop_requested.set()
        self.threads.pop("worker").join()


def answers() -> Iterator[Answer]:
    names: dict[str, Any] = {"service": Native()}
    with one_core():
        yield compare(
            "spawn and terminate a waiting daemon",
            Snippet("service.cycle()", names),
            Snippet("service.cycle()", {"service": Plain()}),
            1.0,
        )
