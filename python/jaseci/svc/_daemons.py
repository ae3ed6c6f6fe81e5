"""Daemon threads: what runs in them, and how they end."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jaseci.svc._calling import refuse_coroutine
from jaseci.svc._core import Daemon
from jaseci.svc._log import describe, report
from jaseci.svc._policy import promised_interval

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService

# How long a thread may take between the end of its target and its own, in seconds. It has next to nothing to do.
_LAST_STEPS = 1.0

# How long those who were asked to stop, all together, may take to do so at once, in seconds.
_AT_ONCE = 0.1


def spawn(service: "CommonService[Any]", name: str, target: Callable[[], Any]) -> None:
    """Runs ``target`` on a thread named after service and daemon, unless the service has a living one of the name."""
    if not callable(target):
        raise TypeError(f"daemon {name!r} of service {service._name!r}: {type(target).__name__} is not callable")
    daemon = service._enter_daemon(name)
    if daemon is None:
        return
    # Few have a watchdog, and the others do not pay for it.
    promised = promised_interval(service, name) if service.watchdog else None
    if promised is not None:
        daemon.promise(promised)
    targets_of(service)[name] = target
    named = f"{service._name}/{name}"
    thread = threading.Thread(target=_execute, args=(service, daemon, target), name=named, daemon=True)
    threads_of(service)[name] = thread
    try:
        thread.start()
    except BaseException:
        daemon.withdraw()
        raise


def threads_of(service: "CommonService[Any]") -> dict[str, threading.Thread]:
    """The threads of a service's daemons, by daemon."""
    threads: dict[str, threading.Thread] = service.__dict__.setdefault("_daemon_threads", {})
    return threads


def targets_of(service: "CommonService[Any]") -> dict[str, Callable[[], Any]]:
    """What a service's daemons run, by daemon: for running it again."""
    targets: dict[str, Callable[[], Any]] = service.__dict__.setdefault("_daemon_targets", {})
    return targets


def respawn(service: "CommonService[Any]", name: str) -> str | None:
    """Runs a daemon again that has ended or is silent, after ending it if need be. Why it does not run, or None."""
    target = targets_of(service).get(name)
    if target is None:
        return f"daemon {name!r} cannot be run again: what it ran is not known any more"
    terminate(service, [name])
    if any(daemon.alive for daemon in service.daemons() if daemon.name == name):
        return f"daemon {name!r} is silent and does not stop"
    spawn(service, name, target)
    return None


def _execute(service: "CommonService[Any]", daemon: Daemon, target: Callable[[], Any]) -> None:
    # The thread keeps its service alive: what runs can be found and stopped.
    failure = None
    try:
        try:
            if daemon.begin():
                result = target()
                if result is not None:
                    refuse_coroutine(result, f"the target of daemon {daemon.name!r}")
        except SystemExit:
            pass
        except BaseException as error:
            failure = describe(error)
            report(logging.ERROR, f"Daemon {service._name}/{daemon.name} ended with {failure}", error)
    finally:
        # SystemExit strikes at most once, so the second call is not interrupted.
        try:
            daemon.finish(failure)
        except SystemExit:
            daemon.finish(failure)


def terminate(service: "CommonService[Any]", names: list[str]) -> None:
    """Stops daemons by name."""
    service._ask_to_stop(names)
    # Most go at once. Waiting for the end of their threads, rather than for a word from them shortly before, wakes the
    # caller once instead of twice.
    threads = threads_of(service)
    begin = time.monotonic()
    late = [name for name in names if not _ends_at_once(threads, name, begin)]
    if late:
        settle(service, *service._terminate(late, service.daemon_grace))


def _ends_at_once(threads: dict[str, threading.Thread], name: str, begin: float) -> bool:
    """Whether the thread of a daemon that was asked at ``begin`` is gone, or goes while it is waited for."""
    thread = threads.get(name)
    patience = begin + _AT_ONCE - time.monotonic()
    if thread is None or patience <= 0 or thread is threading.current_thread() or not thread.is_alive():
        return False
    thread.join(patience)
    if thread.is_alive():
        return False
    if threads.get(name) is thread:
        del threads[name]
    return True


def settle(service: "CommonService[Any]", ended: list[Daemon], stuck: list[Daemon]) -> None:
    """After a termination: sees the threads of the ended ones off, logs those that are still alive."""
    for daemon in ended:
        thread = threads_of(service).pop(daemon.name, None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(_LAST_STEPS)
    for daemon in stuck:
        report(
            logging.ERROR,
            f"Daemon {service._name}/{daemon.name} did not stop within {2 * service.daemon_grace} s and is given up; "
            "its target neither waits on stop_requested nor returns to Python",
        )
