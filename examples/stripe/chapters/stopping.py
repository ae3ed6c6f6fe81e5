"""The end: one call stops every service within a deadline, the last started first."""

from jaseci.svc import ServiceState

from history import drained, running_by_start
from scene import Scene
from transcript import fact, promise


def tell(scene: Scene) -> None:
    """Shut down, and read from the events that it went in the reverse order of start."""
    scene.shared.close_shop()
    started = running_by_start(scene.meta)
    reconciler = scene.meta.get_service("reconciler")

    from_now_on = scene.meta.events()
    scene.meta.shutdown(timeout=10)

    stopped = [event.service for event in drained(from_now_on) if event.before is ServiceState.RUNNING]
    fact("started", ", ".join(started))
    fact("stopped", ", ".join(stopped))
    promise("everything stopped, in the reverse order of start", stopped == started[::-1])
    promise("no daemon is left", not any(daemon.alive for daemon in reconciler.daemons()))
