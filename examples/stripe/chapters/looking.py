"""Everything at a glance: what there is, in which state, and the events that led there."""

from jaseci.svc import ServiceState

from history import events_so_far
from scene import Scene
from transcript import clock, promise, say, table


def tell(scene: Scene) -> None:
    """Print `MetaService().services()` and the life-cycle events from the beginning."""
    services = scene.own_services()
    table(
        ("service", "class", "state", "since", "error"),
        [(s.name, s.cls.__name__, s.state.name, clock(s.since), s.error or "-") for s in services],
    )
    states = {service.name: service.state for service in services}
    promise(
        "two run, one has failed",
        states
        == {
            "stripe": ServiceState.RUNNING,
            "reconciler": ServiceState.RUNNING,
            "ledger": ServiceState.FAILED,
        },
    )

    say("The events that led there:")
    events = events_so_far(scene.meta)
    table(
        ("event", "service", "from", "to", "reason"),
        [(e.number, e.service, e.before.name, e.after.name, e.reason or "-") for e in events],
    )
    numbers = [event.number for event in events]
    promise("not one event is missing", numbers == list(range(numbers[0], numbers[0] + len(events))))
