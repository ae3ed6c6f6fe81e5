"""The end: one call stops every service within a deadline, the last started first."""

from jaseci.svc import ServiceState

from history import drained, events_so_far
from scene import Scene
from transcript import fact, promise


def tell(scene: Scene) -> None:
    """Shut down, and read from the events that it went in the reverse order of start."""
    running = [service for service in scene.meta.services() if service.state is ServiceState.RUNNING]
    last_start = {e.service: e.seq for e in events_so_far(scene.meta) if e.after is ServiceState.RUNNING}
    in_order_of_start = sorted((service.name for service in running), key=last_start.__getitem__)
    reconciler = scene.meta.get_service("reconciler")

    from_now_on = scene.meta.events()
    scene.meta.shutdown(timeout=10)

    stopped = [e.service for e in drained(from_now_on) if e.before is ServiceState.RUNNING]
    fact("started", ", ".join(in_order_of_start))
    fact("stopped", ", ".join(stopped))
    promise("stopped in the reverse order of start", stopped == in_order_of_start[::-1])
    promise("no daemon is left", not any(daemon.alive for daemon in reconciler.daemons()))
