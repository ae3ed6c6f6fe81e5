"""Hearing SIGTERM and SIGINT: for a while, without taking them from those who heard them before."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NamedTuple, Self

from jaseci.svc._log import report

HEARD = (signal.SIGTERM, signal.SIGINT)

WAKE = b"\0"
"""What is no signal's number."""


class Heard(NamedTuple):
    """A signal has come."""

    signum: int


class Raised(NamedTuple):
    """Somebody's code on the main thread has raised."""

    error: BaseException


class Signals:
    """Inside the ``with``, each signal is told to ``tell``; afterwards the handlers are again what they were.

    A callable that was installed before is called too, after that, and what it raises is told as well. ``tell`` runs in
    the middle of anything that the main thread does: it takes no lock that is not made for that. Only the main thread can
    enter and wait. A forked child has the old handlers.
    """

    def __init__(self, tell: Callable[[Heard | Raised], None]) -> None:
        self._tell = tell
        self._previous: dict[int, Any] = {}
        # The interpreter writes a byte into it for each signal that comes. A wait for anything else can miss one: Python
        # code runs for it only when the main thread comes back from native code, which it may just be about to enter.
        self._bell, self._ringer = socket.socketpair()
        self._previous_fd = -1

    def __enter__(self) -> Self:
        self._ringer.setblocking(False)
        self._previous_fd = signal.set_wakeup_fd(self._ringer.fileno(), warn_on_full_buffer=False)
        for signum in HEARD:
            if signal.getsignal(signum) is None:
                # It could be neither called nor put back.
                report(logging.WARNING, f"{name_of(signum)} is not heard: its handler is not one of Python's")
            else:
                self._previous[signum] = signal.signal(signum, self._hear)
        _process.entered.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _process.entered.remove(self)
        self.put_back()

    def put_back(self) -> None:
        """Installs what was there before, unless somebody has installed something else meanwhile."""
        for signum, previous in self._previous.items():
            if signal.getsignal(signum) == self._hear:
                signal.signal(signum, previous)
        current = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._previous_fd if current == self._ringer.fileno() else current)
        self._bell.close()
        self._ringer.close()

    def wait(self) -> None:
        """Waits until a signal has come, for which its handler then runs, or somebody has called ``wake``."""
        rung = self._bell.recv(4096)
        numbers = rung.replace(WAKE, b"")
        if numbers and self._previous_fd >= 0:
            # Somebody else waits in the same way. What does not take it, or is closed, does without.
            with suppress(OSError):
                os.write(self._previous_fd, numbers)

    def wake(self) -> None:
        """Ends a wait, or the next one. For any thread."""
        with suppress(BlockingIOError):  # full of what ends it just as well
            self._ringer.send(WAKE)

    def _hear(self, signum: int, frame: FrameType | None) -> None:
        self._tell(Heard(signum))
        previous = self._previous.get(signum)
        # Python's own one for SIGINT is what it does where nobody has installed any.
        if callable(previous) and previous is not signal.default_int_handler:
            try:
                previous(signum, frame)
            except BaseException as error:
                self._tell(Raised(error))


def is_on_main_thread() -> bool:
    """Whether this is the thread that signals come to."""
    return threading.current_thread() is threading.main_thread()


def name_of(signum: int) -> str:
    """``SIGTERM`` and the like."""
    return signal.Signals(signum).name


class _Process:
    """What there is one of in a process."""

    def __init__(self) -> None:
        self.entered: list[Signals] = []


_process = _Process()


def _put_back_in_child() -> None:
    # Nobody in the child looks at what its handlers would tell: it could not even be terminated.
    while _process.entered:
        _process.entered.pop().put_back()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_put_back_in_child)
