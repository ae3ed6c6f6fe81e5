"""The event stream, its observers, and the recorder that is shipped for tests."""

import threading

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import MetaService, RuntimeClosed, ServiceState
from jaseci.svc.testing import LifecycleRecorder, isolated

from behaviour.services import PATIENCE, Broken, Held, Plain
from behaviour.threads import Going

STARTED, RUNNING = ServiceState.STARTED, ServiceState.RUNNING


def test_events_begin_with_the_next_one(meta):
    """From now on."""
    Plain().start()
    reader = meta.events()
    Broken().start()
    assert [reader.next(0).service, reader.next(0).service, reader.next(0)] == ["Broken", "Broken", None]


def test_a_late_reader_can_replay(meta):
    """From the oldest that is kept, in order."""
    Plain().start()
    reader = meta.events(replay=True)
    replayed = iter(lambda: reader.next(0), None)
    last = list(replayed)[-2:]
    assert [(event.service, event.after) for event in last] == [("Plain", STARTED), ("Plain", RUNNING)]
    assert last[0].number + 1 == last[1].number
    assert last[0].when <= last[1].when


def test_a_closed_reader_ends_its_loop(meta):
    """After what has happened so far."""
    reader = meta.events()
    Plain().start()
    reader.close()
    assert [event.after for event in reader] == [STARTED, RUNNING]


def test_a_subscriber_gets_every_event_in_order(meta):
    """On a thread of its own, until it is closed."""
    got = []
    subscription = meta.subscribe(lambda event: got.append(event.after))
    Plain().start()
    subscription.close()
    Plain().start()
    assert got == [STARTED, RUNNING]


def test_an_observer_that_raises_is_logged_and_goes_on(meta, caplog):
    """It harms nobody, and misses nothing."""
    got = []

    def observe(event):
        got.append(event.after)
        raise OSError("no screen")

    with meta.subscribe(observe):
        Plain().start()
    assert got == [STARTED, RUNNING]
    assert "OSError: no screen" in caplog.text


def test_an_observer_that_hangs_is_left_behind(meta, caplog):
    """It holds up neither a test nor the interpreter's exit."""
    release = threading.Event()
    subscription = meta.subscribe(lambda event: release.wait(PATIENCE))
    Plain().start()
    subscription.close(timeout=0.05)
    release.set()
    assert "did not return within 0.05 s" in caplog.text


def test_what_is_not_callable_does_not_observe(meta):
    """At once."""
    with pytest.raises(TypeError, match="int"):
        meta.subscribe(7)


def test_the_recorder_awaits_an_event_of_another_thread(lifecycle_events):
    """It does not sleep."""
    service = Held()
    starter = Going(service.start)
    lifecycle_events.wait_for("Held", STARTED, PATIENCE)
    service.release.set()
    assert lifecycle_events.wait_for("Held", RUNNING, PATIENCE).before is STARTED
    starter.ended()


def test_the_recorder_counts_an_event_once(lifecycle_events):
    """A second wait is for a second event; the error tells what there was."""
    Plain().start()
    lifecycle_events.wait_for("Plain", RUNNING)
    with pytest.raises(TimeoutError, match=r"'Plain' did not enter RUNNING.*STARTED -> RUNNING"):
        lifecycle_events.wait_for("Plain", RUNNING, timeout=0)


def test_the_recorder_begins_when_it_is_made():
    """What was before is another test's."""
    Plain().start()
    assert LifecycleRecorder().all() == []


def test_isolation_stops_and_forgets_everything():
    """Services, observers, registry, settings, secrets; and starts are allowed."""
    with isolated():
        meta = MetaService()
        meta.add_service_builder("plain", Plain)
        service = meta.get_service("plain").start()
        MemoryHook().service_glob("KEPT_CONFIG", {"enabled": True})
    assert not service.is_running()
    assert MemoryHook().get_glob("KEPT_CONFIG") is None
    assert service.start().is_running()
    assert "plain" not in MetaService().builders


def test_isolation_opens_what_a_shutdown_closed():
    """As in a process that has just begun."""
    with isolated():
        service = Plain()
        MetaService().shutdown()
        with pytest.raises(RuntimeClosed):
            service.start()
    assert service.start().is_running()


def test_isolation_ends_also_with_an_exception():
    """And lets it through."""
    service = Plain()
    with pytest.raises(LookupError), isolated():
        raise LookupError(service.start())
    assert not service.is_running()


def test_isolation_is_not_held_up_by_a_stop_that_hangs():
    """A short timeout."""
    release = threading.Event()

    class Hanging(Plain):
        def stop(self):
            release.wait(PATIENCE)

    with isolated(timeout=0.1):
        Hanging().start()
    assert not release.is_set()
    release.set()
