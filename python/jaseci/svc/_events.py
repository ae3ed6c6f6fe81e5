"""Observers of the life-cycle events."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from jaseci.svc._core import Event, EventReader
from jaseci.svc._log import describe, report

CLOSE_TIMEOUT = 5.0
"""How long the end of an observer is waited for, in seconds."""

_open: set["Subscription"] = set()


class Subscription:
    """A callback that gets every event, in order, on a thread of its own. Lives until ``close()`` or the exit."""

    def __init__(self, callback: Callable[[Event], object], replay: bool) -> None:
        if not callable(callback):
            raise TypeError(f"an observer is called with each event; {type(callback).__name__} is not callable")
        self._callback = callback
        self._reader = EventReader(replay)
        self._thread = threading.Thread(target=self._deliver, name="jaseci.svc/events", daemon=True)
        _open.add(self)
        self._thread.start()

    def close(self, timeout: float = CLOSE_TIMEOUT) -> None:
        """Delivers what has happened so far and ends. An observer may close itself.

        Waits at most ``timeout`` seconds for the observer; one that does not return is logged and left behind.
        """
        _open.discard(self)
        self._reader.close()
        if self._thread is threading.current_thread():
            return
        self._thread.join(timeout)
        if self._thread.is_alive():
            report(
                logging.ERROR, f"An observer of life-cycle events did not return within {timeout} s and is left behind"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _deliver(self) -> None:
        for event in self._reader:
            try:
                self._callback(event)
            except Exception as error:
                report(logging.ERROR, f"An observer of life-cycle events raised {describe(error)}", error)


def end_all_subscriptions(timeout: float = CLOSE_TIMEOUT) -> None:
    """At the exit: lets every observer see the end, within ``timeout`` seconds together."""
    deadline = time.monotonic() + timeout
    for subscription in tuple(_open):
        subscription.close(max(deadline - time.monotonic(), 0))
