"""Reads the runtime's stream of life-cycle events."""

from jaseci.svc import Event, EventStream, MetaService, ServiceState


def events_so_far(meta: MetaService) -> list[Event]:
    """Every event since the process began."""
    return drained(meta.events(replay=True))


def drained(stream: EventStream) -> list[Event]:
    """What a stream holds at this moment, without waiting for more."""
    return list(iter(lambda: stream.next(timeout=0), None))


def starts_of(service: str, meta: MetaService) -> int:
    """How often `service` was started so far, however many instances of it there were."""
    return sum(event.service == service and event.after is ServiceState.STARTED for event in events_so_far(meta))
