"""Stopping everything: in reverse order of start, within a deadline, whatever single services do."""

import atexit
import gc
import logging
import os
import sys
import threading
import time
from typing import Any

from jaseci.svc._core import after_fork_in_child, pop_last_started
from jaseci.svc._log import describe, report

# Set when the interpreter is on its way out: nothing is populated or started any more.
_exiting = threading.Event()

EXIT_TIMEOUT = 30.0
"""How long the interpreter's exit may be held up, in seconds."""


def is_exiting() -> bool:
    """Whether the interpreter is exiting."""
    return _exiting.is_set()


def stop_everything(timeout: float) -> None:
    """Calls ``stop()`` of each started service once, the last started first.

    A stop that fails is logged. One that hangs is left behind on its thread when its share of the time is over, so
    that the rest is stopped as well; all are waited for until the deadline.
    """
    deadline = time.monotonic() + timeout
    hanging: list[tuple[Any, threading.Thread]] = []
    while (service := pop_last_started()) is not None:
        thread = _stop_on_thread(service)
        if thread is None:
            continue
        # Half of what is left each time: no single service can use it up, and the first ones can take long.
        thread.join(max((deadline - time.monotonic()) / 2, 0.05))
        if thread.is_alive():
            hanging.append((service, thread))
    for service, thread in hanging:
        thread.join(max(deadline - time.monotonic(), 0))
        if thread.is_alive():
            report(logging.ERROR, f"Service {service._name!r} did not stop within {timeout} s and is left as it is")


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
    os.register_at_fork(after_in_child=after_fork_in_child)
