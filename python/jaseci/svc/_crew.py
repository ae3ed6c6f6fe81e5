"""Threads that pull work: as many as there is work for, within a limit, and none for long when there is none."""

import logging
import threading
import time
from collections.abc import Callable

from jaseci.svc._log import describe, report

IDLE = 10.0
"""How long a thread without work stays, in seconds."""


class Crew:
    """Threads that call ``work`` as long as it returns true, then wait to be summoned.

    Lives until ``close()``. ``work`` raises nothing.
    """

    def __init__(self, name: str, most: int, work: Callable[[], bool]) -> None:
        self._name = name
        self._most = most
        self._work = work
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        # How many of the idle ones have been called and do not know it yet.
        self._called = 0
        self._lost = 0
        self._is_closed = False

    def summon(self, count: int, lost: int = 0) -> None:
        """Has so many threads look for work. ``lost`` of the crew are stuck in theirs, and do not count."""
        with self._changed:
            self._lost = lost
            if self._is_closed:
                return
            woken = min(count, self._idle - self._called)
            self._called += woken
            self._changed.notify(woken)
            hired = min(count - woken, self._most + lost - len(self._threads))
            threads = [threading.Thread(target=self._serve, name=self._name, daemon=True) for _ in range(hired)]
            self._threads.update(threads)
        for thread in threads:
            self._begin(thread)

    def _begin(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError as error:
            # No more threads are to be had. Those that there are take the work, or the next summons tries again.
            with self._changed:
                self._threads.discard(thread)
            report(logging.WARNING, f"A thread for {self._name} cannot be had: {describe(error)}")

    def _serve(self) -> None:
        try:
            while True:
                while self._work():
                    pass
                if not self._is_wanted():
                    return
        finally:
            with self._changed:
                self._threads.discard(threading.current_thread())

    def _is_wanted(self) -> bool:
        with self._changed:
            if self._is_closed or len(self._threads) > self._most + self._lost:
                return False
            self._idle += 1
            try:
                is_called = self._changed.wait_for(lambda: self._called > 0 or self._is_closed, IDLE)
            finally:
                self._idle -= 1
            if is_called:
                self._called -= 1
            return is_called

    def close(self) -> None:
        """Lets every thread go that is done with its work; waits for none."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def join(self, timeout: float) -> None:
        """Waits for the threads, at most ``timeout`` seconds for all of them; the caller's own is not waited for."""
        deadline = time.monotonic() + timeout
        with self._changed:
            threads = [thread for thread in self._threads if thread is not threading.current_thread()]
        for thread in threads:
            if thread.ident is not None:
                thread.join(max(deadline - time.monotonic(), 0))
