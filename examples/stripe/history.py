"""Reads the runtime's stream of life-cycle events."""

from jaseci.svc import Event, EventReader, MetaService, ServiceState


def events_so_far(meta: MetaService) -> list[Event]:
    """Every event since the process began."""
    return drained(meta.events(replay=True))


def drained(reader: EventReader) -> list[Event]:
    """What a reader finds at this moment, without waiting for more."""
    return list(iter(lambda: reader.next(timeout=0), None))


def running_by_start(meta: MetaService) -> list[str]:
    """The names of what runs now, the oldest start first. `meta`, the registry itself, is always the first."""
    running: dict[str, None] = {}
    for event in events_so_far(meta):
        running.pop(event.service, None)
        if event.after is ServiceState.RUNNING:
            running[event.service] = None
    return list(running)


def starts_of(service: str, meta: MetaService) -> int:
    """How often `service` was started so far, however many instances of it there were."""
    return sum(event.service == service and event.after is ServiceState.STARTED for event in events_so_far(meta))
