"""Stopping everything: in reverse order of start, within a deadline, whatever single services do."""

import atexit
import gc
import logging
import os
import sys
import threading
import time
from typing import Any

from jaseci.svc._core import after_fork_in_child, pop_last_started, prepare_for_forks
from jaseci.svc._log import describe, report

# Set when the interpreter is on its way out: nothing is populated or started any more.
_exiting = threading.Event()

EXIT_TIMEOUT = 30.0
"""How long the interpreter's exit may be held up, in seconds."""


def is_exiting() -> bool:
    """Whether the interpreter is exiting."""
    return _exiting.is_set()


# What a service gets at least, as long as there is time, in seconds.
_SHARE = 0.05


class Deadline:
    """A span of time that begins with this object."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """What is left of it, in seconds."""
        return max(self._end - time.monotonic(), 0.0)

    def share(self) -> float:
        """Half of what is left: so no single one can use it up, and the first ones can take long."""
        left = self.left()
        return min(max(left / 2, _SHARE), left)


def stop_everything(deadline: Deadline) -> None:
    """Calls ``stop()`` of each started service once, the last started first.

    A stop that fails is logged. One that hangs is left behind on its thread when its share of the time is over, so
    that the rest is stopped as well; all are waited for until the deadline. When that is over the others are asked to
    stop as well, all at once, and not waited for.
    """
    hanging: list[tuple[Any, threading.Thread]] = []
    while (service := pop_last_started()) is not None:
        thread = _stop_on_thread(service)
        if thread is None:
            continue
        thread.join(deadline.share())
        if thread.is_alive():
            hanging.append((service, thread))
    for service, thread in hanging:
        thread.join(deadline.left())
        if thread.is_alive():
            report(
                logging.ERROR,
                f"Service {service._name!r} did not stop within {deadline.seconds} s and is left as it is",
            )


def _stop_on_thread(service: Any) -> threading.Thread | None:
    # A daemon that shuts everything down must not wait for itself on another thread. And a loop that builds failing
    # services leaves thousands that nobody has collected: these are not worth a thread each.
    if not (service._runs_on_this_thread or _has_only_failed(service)):
        thread = threading.Thread(target=_stop, args=(service,), name=f"stop {service._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            pass  # no more threads are to be had: then here
        else:
            return thread
    _stop(service)
    return None


def _has_only_failed(service: Any) -> bool:
    """Whether stopping it runs nobody's code and waits for nothing."""
    from jaseci.svc.common import CommonService

    return bool(service.has_failed() and type(service).stop is CommonService.stop and not service.daemons())


def _stop(service: Any) -> None:
    try:
        service.stop()
    except BaseException as error:
        report(logging.ERROR, f"{type(service).__name__}.stop() raised {describe(error)}", error)


def _at_exit() -> None:
    _exiting.set()
    if sys.version_info < (3, 12):
        # There an allocation may collect, wherever it happens: also beneath a native frame, where a finalizer that is
        # at work when the interpreter ends would abort the process.
        gc.disable()
    from jaseci.svc._events import end_all_subscriptions
    from jaseci.svc.meta import shut_down_process

    shut_down_process(EXIT_TIMEOUT)
    end_all_subscriptions()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    prepare_for_forks()
    os.register_at_fork(after_in_child=after_fork_in_child)
