"""The process-wide state of the runtime, as in a process that has just begun."""

from collections.abc import Iterator
from contextlib import contextmanager

from jaseci.svc._core import forget_layers, forget_secrets, open_roster, settings_clear
from jaseci.svc._events import end_all_subscriptions
from jaseci.svc.meta import shut_down_process

STOP_TIMEOUT = 5.0
"""How long the services of a test may take to stop, together, in seconds."""


@contextmanager
def isolated(timeout: float = STOP_TIMEOUT) -> Iterator[None]:
    """Inside the ``with``, the runtime is as in a process that has just begun; afterwards it is so again.

    Whatever was started before or inside is stopped, the last one first, within ``timeout`` seconds; what does not
    stop in time is logged and left behind. Observers get the events so far and end. The registry is empty until the next
    ``MetaService()``, the settings that the process keeps are gone, and so are the secrets that it knew. Nothing that
    was there before comes back. A service that a test has built is still an object afterwards, stopped.

    Raises nothing of its own; what stopping raises is logged.
    """
    _begin_afresh(timeout)
    try:
        yield
    finally:
        _begin_afresh(timeout)


def _begin_afresh(timeout: float) -> None:
    shut_down_process(timeout)
    end_all_subscriptions(timeout)
    forget_layers()
    settings_clear()
    forget_secrets()
    # A shutdown refuses starts from then on; a process that has just begun does not.
    open_roster()
