"""``run_forever()``: supervision until a signal comes, then the end of everything.

The main thread does nothing but wait, and call handlers of the program's own. A thread decides what follows on which signal, and
has further ones start and stop the services. So neither a start nor a stop that hangs, nor such a handler, can keep the second
signal from being heard.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from jaseci.svc import _supervisor, _systemd
from jaseci.svc._log import report
from jaseci.svc._signals import Heard, Signals, is_on_main_thread, name_of
from jaseci.svc.errors import RuntimeClosed

if TYPE_CHECKING:
    from jaseci.svc.meta import MetaService

AFTER_THE_DEADLINE = 2.0
"""How long a shutdown may take beyond its own deadline before it is left alone, in seconds."""

LONGEST_WAIT = 3600.0
"""How long one wait of the thread that counts the time may be, in seconds: a queue does not take any number."""

LAST_WORDS = 1.0
"""How long the log and the standard streams may hold up a forced exit, in seconds."""


class Raised(NamedTuple):
    """A handler of another signal has raised, on the main thread."""

    error: BaseException


class Settled(NamedTuple):
    """Every service is RUNNING or has failed."""


class Over(NamedTuple):
    """Supervision has ended, or could not begin because of an error."""

    error: BaseException | None


class Stopped(NamedTuple):
    """The shutdown has ended."""

    error: BaseException | None


class Outcome(NamedTuple):
    """What the main thread waits for."""

    error: BaseException | None


class Left(NamedTuple):
    """The main thread is about to return."""


News = Heard | Raised | Settled | Over | Stopped | Left


class Forever:
    """One call of ``run_forever()``."""

    def __init__(self, meta: "MetaService", timeout: float) -> None:
        self._meta = meta
        self._timeout = timeout
        # Of all queues this kind may be used by a signal handler, whatever it interrupts.
        self._news: SimpleQueue[News] = SimpleQueue()
        # None: there may be a handler to call, which the interpreter does when the main thread comes out of its wait.
        self._for_main: SimpleQueue[Outcome | None] = SimpleQueue()
        self._heard = 0
        self._heart = _systemd.wanted_heart()

    def run(self) -> None:
        """Returns when everything is stopped. Raises what supervision could not begin for, and what handlers have raised."""
        with Signals(self._news.put, lambda: self._for_main.put(None)) as signals:
            _start_thread("jaseci.svc/forever", self._lead)
            error = self._wait_for_outcome()
        error = error or signals.raised
        if error is not None:
            raise error

    def _wait_for_outcome(self) -> BaseException | None:
        while True:
            try:
                outcome = self._for_main.get()
                if outcome is not None:
                    self._news.put(Left())
                    return outcome.error
            except BaseException as error:
                # The end is orderly all the same.
                self._news.put(Raised(error))

    # ------------------------------------------------------------------ on the thread that decides

    def _lead(self) -> None:
        error: BaseException | None = None
        try:
            error = self._until_the_end_begins()
            error = self._until_stopped() or error
        except BaseException as unforeseen:
            error = unforeseen
        finally:
            _supervisor.beat_for(None)
            self._for_main.put(Outcome(error))
        self._until_the_main_thread_leaves()

    def _until_the_end_begins(self) -> BaseException | None:
        _supervisor.beat_for(self._heart)
        _start_thread("jaseci.svc/start", self._supervise)
        while True:
            news = self._news.get()
            if isinstance(news, Settled):
                _systemd.notify(_systemd.READY)
            elif isinstance(news, Heard):
                self._count(news)
                report(logging.INFO, f"{name_of(news.signum)}: everything is stopped, within {self._timeout} s")
                return None
            elif not isinstance(news, Left):
                return news.error

    def _until_stopped(self) -> BaseException | None:
        _systemd.notify(_systemd.STOPPING)
        _start_thread("jaseci.svc/stop", self._shut_down)
        deadline = time.monotonic() + self._timeout + AFTER_THE_DEADLINE
        raised: BaseException | None = None
        while (left := deadline - time.monotonic()) > 0:
            news = self._next_while_stopping(left)
            if isinstance(news, Stopped):
                return raised or news.error
            if isinstance(news, Raised):
                raised = raised or news.error
            elif isinstance(news, Heard):
                self._count(news)
        report(logging.ERROR, f"The shutdown did not end within {self._timeout} s and is left as it is")
        return raised

    def _until_the_main_thread_leaves(self) -> None:
        # A handler of the program's own may hold it.
        while not isinstance(news := self._news.get(), Left):
            if isinstance(news, Heard):
                self._count(news)

    def _count(self, news: Heard) -> None:
        self._heard += 1
        if self._heard > 1:
            force_exit(news.signum)

    def _next_while_stopping(self, left: float) -> News | None:
        # The timekeeper is gone. While this thread counts the time, the end cannot hang.
        left = min(left, LONGEST_WAIT)
        if self._heart is not None:
            self._heart.beat(None)
            left = min(left, self._heart.pause)
        try:
            return self._news.get(timeout=left)
        except Empty:
            return None

    # ------------------------------------------------------------------ on threads that may have to wait

    def _supervise(self) -> None:
        error: BaseException | None = None
        try:
            self._meta.supervise()
            self._news.put(Settled())
            _supervisor.wait_until_over()
        except RuntimeClosed:
            pass  # shut down meanwhile, here or by somebody else
        except BaseException as failure:
            error = failure
        self._news.put(Over(error))

    def _shut_down(self) -> None:
        error: BaseException | None = None
        try:
            self._meta.shutdown(self._timeout)
        except BaseException as failure:
            error = failure
        self._news.put(Stopped(error))


def run_forever(meta: "MetaService", timeout: float) -> None:
    """See ``MetaService.run_forever``."""
    if not is_on_main_thread():
        raise RuntimeError("run_forever() is for the main thread, which signals come to; elsewhere call supervise()")
    if not 0 <= timeout <= threading.TIMEOUT_MAX:
        raise ValueError(
            f"run_forever(timeout=...) takes the seconds that stopping everything may take, not {timeout!r}"
        )
    meta._registry()
    Forever(meta, timeout).run()


def force_exit(signum: int) -> None:
    """Ends the process now, with 128 + ``signum``. What its log and its streams still say is waited for, but not for long."""
    try:
        _start_thread("jaseci.svc/last words", lambda: _say_last_words(signum)).join(LAST_WORDS)
    finally:
        os._exit(128 + signum)


def _say_last_words(signum: int) -> None:
    report(logging.WARNING, f"{name_of(signum)}, the second signal: the process ends at once, whatever still runs")
    for stream in (*logging.getLogger().handlers, sys.stdout, sys.stderr):
        with suppress(Exception):  # closed, or None where the program has none
            stream.flush()


def _start_thread(name: str, work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
