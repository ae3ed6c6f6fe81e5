"""`supervise()`: services start in the order of their graph, are kept, and stopped in reverse."""

import threading

import pytest
from jaseci.svc import CommonService, DependencyError, DependencyFailed, RuntimeClosed, ServiceState

from behaviour.services import PATIENCE, Broken, Disabled, Held, Plain
from behaviour.threads import Crowd, Going
from supervision.services import Bare, Quiet, needing, register, states


def test_every_registered_service_that_is_enabled_is_started(meta):
    """The others are left as they are."""
    register(meta, plain=Plain, disabled=Disabled)
    infos = {info.name: info.state for info in meta.supervise()}
    assert infos == {"plain": ServiceState.RUNNING, "disabled": ServiceState.NOT_STARTED}


def test_a_service_starts_after_those_that_it_requires(meta, lifecycle_events):
    """However they are registered."""
    register(meta, top=needing("middle"), middle=needing("bottom"), bottom=Quiet)
    meta.supervise()
    running = [event.service for event in lifecycle_events.all() if event.after is ServiceState.RUNNING]
    assert running == ["bottom", "middle", "top"]


def test_services_that_do_not_need_each_other_start_at_the_same_time(meta):
    """Each waits in its `run` until all are there."""
    crowd = Crowd(8)

    class Meeting(Quiet):
        def run(self):
            crowd.arrive()
            crowd.wait_until_complete()
            self.app = object()

    register(meta, **{f"s{number}": Meeting for number in range(8)})
    meta.supervise()
    assert set(states(meta).values()) == {"RUNNING"}


def test_a_wanted_service_that_fails_is_done_without(meta, lifecycle_events):
    """It is waited for, all the same."""
    register(
        meta,
        top=type("Wanting", (Quiet,), {"wants": ("broken",)}),
        broken=type("Never", (Broken,), {"restart": "never"}),
    )
    meta.supervise()
    assert states(meta) == {"top": "RUNNING", "broken": "FAILED"}
    started = [event.service for event in lifecycle_events.all() if event.after is ServiceState.STARTED]
    assert started == ["broken", "top"]


def test_what_requires_a_service_that_fails_is_not_started_and_says_why(meta):
    """In its error, and to `poke`."""
    ran = []
    register(
        meta,
        top=needing("broken", run=lambda service: ran.append(service._name)),
        broken=type("Never", (Broken,), {"restart": "never"}),
    )
    meta.supervise()
    top = meta.get_service("top")
    assert states(meta) == {"top": "FAILED", "broken": "FAILED"}
    assert isinstance(top.error, DependencyFailed)
    assert 'requires "broken", which has failed: OSError: no route to the library' in str(top.error)
    assert top.app is None
    assert ran == []


def test_a_circle_is_refused_at_registration_with_its_path(meta):
    """Nothing is registered then."""
    register(meta, a=needing("b"), b=needing("c"))
    with pytest.raises(DependencyError, match=r"dependency cycle: (c -> a -> b -> c|a -> b -> c -> a)"):
        meta.add_service_builder("c", needing("a"))
    assert "c" not in states(meta)


def test_a_required_service_that_is_not_registered_is_an_error_of_supervise(meta):
    """Nothing is started then."""
    register(meta, top=needing("nope"), other=Plain)
    with pytest.raises(DependencyError, match='"top" requires "nope", which is not registered'):
        meta.supervise()
    assert states(meta) == {"top": "NOT_STARTED", "other": "NOT_STARTED"}


def test_services_are_stopped_in_reverse_order_of_the_graph(meta):
    """Those that need others first."""
    stops = []

    def stop(self):
        stops.append(self._name)
        CommonService.stop(self)

    register(
        meta,
        bottom=needing(stop=stop),
        left=needing("bottom", stop=stop),
        right=needing("bottom", stop=stop),
        top=needing("left", "right", stop=stop),
    )
    meta.supervise()
    meta.shutdown()
    assert (stops[0], sorted(stops[1:3]), stops[3]) == ("top", ["left", "right"], "bottom")


def test_no_thread_of_the_supervisor_is_left_after_a_shutdown(meta):
    """Timekeeper, tenders, checkers."""
    register(meta, plain=Plain)
    meta.supervise()
    meta.shutdown()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("jaseci.svc/")] == []


def test_a_shutdown_during_the_start_ends_supervise_with_an_error(meta):
    """And leaves nothing running."""
    held = []

    class Slow(Held):
        start_timeout = 0.2

        def __init__(self, hook=None):
            super().__init__(hook)
            held.append(self)
            begun.set()

    begun = threading.Event()
    register(meta, slow=Slow, top=needing("slow"))
    supervising = Going(meta.supervise)
    assert begun.wait(PATIENCE)
    assert held[0].entered.wait(PATIENCE)
    meta.shutdown()
    held[0].release.set()
    assert isinstance(supervising.ended(), RuntimeClosed)
    assert not held[0].is_running()


def test_after_a_shutdown_nothing_is_supervised_until_the_registry_is_populated_anew(meta):
    """Then everything begins again."""
    meta.supervise()
    meta.shutdown()
    with pytest.raises(RuntimeClosed):
        meta.supervise()
    again = Bare()
    register(again, plain=Plain)
    again.supervise()
    assert states(again) == {"plain": "RUNNING"}


def test_called_again_it_takes_in_what_was_registered_meanwhile(meta):
    """What runs goes on."""
    register(meta, first=Plain)
    meta.supervise()
    app = meta.get_service("first").app
    register(meta, second=needing("first"))
    meta.supervise()
    assert states(meta) == {"first": "RUNNING", "second": "RUNNING"}
    assert meta.get_service("first").app is app


def test_a_start_that_takes_too_long_is_waited_for_no_longer(meta):
    """It goes on, and who requires it says why it is not there."""
    services = {}

    class Slow(Held):
        start_timeout = 0.2

        def __init__(self, hook=None):
            super().__init__(hook)
            services["slow"] = self

    register(meta, slow=Slow, top=needing("slow"))
    meta.supervise()
    assert states(meta) == {"slow": "STARTED", "top": "FAILED"}
    assert "has not started within 0.2 s" in str(meta.get_service("top").error)
    services["slow"].release.set()
    meta.supervise()


def test_supervise_waits_no_longer_than_it_is_told(meta):
    """Supervision goes on."""
    services = []

    class Slow(Held):
        def __init__(self, hook=None):
            super().__init__(hook)
            services.append(self)

    register(meta, slow=Slow)
    with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
        meta.supervise(timeout=0.05)
    services[0].release.set()
    meta.supervise()
    assert states(meta) == {"slow": "RUNNING"}
