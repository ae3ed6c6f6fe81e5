"""A clock that a test moves: restarts, health checks and watchdogs happen when it says so, and nobody sleeps."""

from typing import Self

from jaseci.svc import _supervisor
from jaseci.svc._core import set_clock
from jaseci.svc._health import NoAnswer

__all__ = ["ManualClock", "NoAnswer"]

BEGIN = 1000.0
"""What the clock shows first, in seconds."""


class ManualClock:
    """Inside the ``with``, supervision goes by this clock and has no threads: all that it does, ``supervise()``,
    ``advance()`` and ``settle()`` do before they return, in an order that is always the same.

    Delays are exact, unless ``jitter`` is a seed: then they are as random as outside, and the same for the same seed.
    Starts, resets, stops and checks take no time, and one comes after the other; a check that raises ``NoAnswer`` hangs.
    Waits of services themselves, and their daemons, go by the real time. Supervision that was begun inside ends with it.

    >>> from jaseci.svc import CommonService, MetaService
    >>> class Flaky(CommonService):
    ...     def build_config(self, hook):
    ...         return {"enabled": True, "quiet": True}
    ...
    ...     def run(self):
    ...         raise OSError("not yet")
    >>> with ManualClock() as clock:
    ...     MetaService().add_service_builder("flaky", Flaky)
    ...     _ = MetaService().supervise()
    ...     clock.advance(60.0)
    ...     MetaService().get_service("flaky").error.history[-1]
    (0.0, 'OSError: not yet')
    """

    def __init__(self, jitter: int | None = None) -> None:
        self._jitter = jitter
        self._now = BEGIN

    @property
    def now(self) -> float:
        """What the clock shows, in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Lets so many seconds pass: what falls due in them is done, each at its time."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back: {seconds} s")
        end = self._now + seconds
        while (wake := self.settle()) is not None and wake <= end:
            self._set(wake)
        self._set(end)
        self.settle()

    def settle(self) -> float | None:
        """Lets no time pass, and has done what is due. Returns when the next thing is, by ``now``; None: there is none."""
        supervision = _supervisor.process.supervision
        wake = None if supervision is None else supervision.pump()
        return None if wake is None else wake / 1e9

    def answer(self) -> None:
        """The checks that hang answer: all is well."""
        supervision = _supervisor.process.supervision
        if supervision is not None:
            supervision.answer_late()

    def _set(self, now: float) -> None:
        self._now = now
        set_clock(now)

    def __enter__(self) -> Self:
        if _supervisor.process.supervision is not None:
            raise RuntimeError("supervision is on, and goes by the real time: enter the clock before supervise()")
        _supervisor.process.manual_jitter = self._jitter
        self._set(self._now)
        return self

    def __exit__(self, *_: object) -> None:
        _supervisor.take()
        set_clock(None)
