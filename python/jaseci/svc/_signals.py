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

END = 0
"""What ends the listening; no signal has this number."""

JOIN_TIMEOUT = 1.0
"""How long the end of the listening is waited for, in seconds."""


class Heard(NamedTuple):
    """A signal has come."""

    signum: int


class Signals:
    """Inside the ``with``, each signal is told to ``tell``; afterwards the handlers are again what they were.

    A thread listens to the descriptor that the interpreter writes the number of every signal to, at once, whatever the main
    thread is at. A handler would not do: it runs when the main thread comes back from native code, and a signal that comes
    just before it goes there waits with it. ``nudge`` is called after each signal, to have the main thread come back.

    A callable that was installed before is still called, on the main thread; what it raises is kept in ``raised``. Only the
    main thread can enter. A forked child has the old handlers.
    """

    def __init__(self, tell: Callable[[Heard], None], nudge: Callable[[], None]) -> None:
        self._tell = tell
        self._nudge = nudge
        self._previous: dict[int, Any] = {}
        self._previous_fd = -1
        self.raised: BaseException | None = None

    def __enter__(self) -> Self:
        self._bell, self._ringer = socket.socketpair()
        self._ringer.setblocking(False)
        self._listener = threading.Thread(target=self._listen, name="jaseci.svc/signals", daemon=True)
        self._listener.start()
        self._previous_fd = signal.set_wakeup_fd(self._ringer.fileno(), warn_on_full_buffer=False)
        for signum in HEARD:
            if signal.getsignal(signum) is None:
                # It could be neither called nor put back.
                report(logging.WARNING, f"{name_of(signum)} is not heard: its handler is not one of Python's")
            else:
                self._previous[signum] = signal.signal(signum, self._chain)
        _process.entered.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _process.entered.remove(self)
        self.put_back()
        with suppress(BlockingIOError):  # it has more to read than it can, and is given up
            self._ringer.send(bytes([END]))
        self._listener.join(JOIN_TIMEOUT)
        self._bell.close()
        self._ringer.close()

    def put_back(self) -> None:
        """Installs what was there before, unless somebody has installed something else meanwhile."""
        for signum, previous in self._previous.items():
            if self._has(signum):
                signal.signal(signum, previous)
        current = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._previous_fd if current == self._ringer.fileno() else current)

    def _has(self, signum: int) -> bool:
        return signum in self._previous and signal.getsignal(signum) == self._chain

    def _listen(self) -> None:
        while END not in (numbers := self._bell.recv(4096)):
            for signum in filter(self._has, numbers):
                self._tell(Heard(signum))
            self._nudge()
            if self._previous_fd >= 0:
                # Somebody else listens in the same way. What takes no more, or is closed, does without.
                with suppress(OSError):
                    os.write(self._previous_fd, numbers)

    def _chain(self, signum: int, frame: FrameType | None) -> None:
        previous = self._previous.get(signum)
        # Python's own one for SIGINT is what it does where nobody has installed any.
        if callable(previous) and previous is not signal.default_int_handler:
            try:
                previous(signum, frame)
            except BaseException as error:
                self.raised = self.raised or error


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
