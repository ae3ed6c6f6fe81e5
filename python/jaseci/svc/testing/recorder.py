"""What services went through, for a test to look at."""

import time

from jaseci.svc._core import Event, EventReader
from jaseci.svc.state import ServiceState

Move = tuple[ServiceState, ServiceState, str | None]
"""The state that was left, the state that was entered, and the reason if there was one."""


class LifecycleRecorder:
    """Records the life-cycle events of all services from its construction on, until it is let go.

    It runs nothing: the runtime keeps the last few thousand events, and whoever asks reads on. For one thread.
    """

    def __init__(self) -> None:
        self._reader = EventReader()
        self._events: list[Event] = []
        # How far the waits for each service have come in the list.
        self._awaited: dict[str, int] = {}

    def all(self) -> list[Event]:
        """The events so far, in order; a new list."""
        while (event := self._reader.next(timeout=0)) is not None:
            self._events.append(event)
        return list(self._events)

    def of(self, service: str) -> list[Move]:
        """What the service of this name went through so far: ``(before, after, reason)`` of each event, in order.

        A service is named as it was built: by its builder, else by its class.
        """
        return [(event.before, event.after, event.reason) for event in self.all() if event.service == service]

    def wait_for(self, service: str, state: ServiceState, timeout: float = 10.0) -> Event:
        """The event with which the service entered the state; waits ``timeout`` seconds for it to happen.

        What happened already counts, once: the search begins after the event that the last wait for this service
        returned. Raises ``TimeoutError``, with what the service went through instead.
        """
        deadline = time.monotonic() + timeout
        place = self._awaited.get(service, 0)
        while True:
            while place < len(self._events):
                event = self._events[place]
                place += 1
                # A remark enters no state.
                if event.service == service and event.after is state and event.before is not state:
                    self._awaited[service] = place
                    return event
            self._read_next(service, state, deadline - time.monotonic(), timeout)

    def _read_next(self, service: str, state: ServiceState, left: float, timeout: float) -> None:
        event = self._reader.next(timeout=max(left, 0))
        if event is not None:
            self._events.append(event)
            return
        path = " -> ".join(after.name for _, after, _ in self.of(service)) or "nothing"
        raise TimeoutError(f"service {service!r} did not enter {state.name} within {timeout} s; it went through {path}")
