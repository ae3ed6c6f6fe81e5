"""Section 3 and 4: `shutdown` stops everything once, in reverse order of start, whatever single services do."""

import logging
import pickle
import threading
from types import SimpleNamespace

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import MetaService, RuntimeClosed, _shutdown

from behaviour.services import PATIENCE, Plain, waits_for_stop
from behaviour.threads import Crowd


def stopping(name, stops, action=lambda: None):
    """A class whose stop notes its name, and then does this."""

    class Stopping(Plain):
        def stop(self):
            stops.append(name)
            action()
            super().stop()

    Stopping.__name__ = name
    return Stopping


def test_services_are_stopped_once_each_in_reverse_order_of_start(meta):
    """Kept and disposable ones."""
    stops = []
    services = [stopping(name, stops)().start() for name in "abc"]
    meta.shutdown()
    meta.shutdown()
    assert stops == ["c", "b", "a"]
    assert not any(service.is_running() for service in services)


def test_a_service_that_leans_on_another_is_stopped_before_it(meta):
    """It finished starting later, though it began earlier."""
    stops = []
    below = stopping("below", stops)()

    class Above(stopping("above", stops)):
        def run(self, hook=None):
            self.app = below.app

    above = Above().start()
    meta.shutdown()
    assert above.app is None
    assert stops == ["above", "below"]


def test_an_exception_is_logged_and_the_next_goes_on(meta, caplog):
    """Failures logged and the rest continued."""
    stops = []

    def refuse():
        raise OSError("not now")

    services = [stopping("a", stops)().start(), stopping("b", stops, refuse)().start()]
    meta.shutdown()
    assert stops == ["b", "a"]
    assert any("b.stop() raised OSError: not now" in record.getMessage() for record in caplog.records)
    assert not services[0].is_running()


def test_a_hanging_stop_is_left_behind_and_the_rest_is_stopped(meta, caplog):
    """Within the deadline."""
    stops, release = [], threading.Event()
    services = [
        stopping("a", stops)().start(),
        stopping("b", stops, lambda: release.wait(PATIENCE))().start(),
    ]
    meta.shutdown(timeout=0.2)
    release.set()
    assert stops == ["b", "a"]
    assert not services[0].is_running()
    assert any("'b' did not stop within 0.2 s" in record.getMessage() for record in caplog.records)


def test_the_deadline_holds_however_many_services_hang(meta, monkeypatch):
    """They are asked once each nevertheless, at last all at once. Here time passes with the waits only."""
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)

    class Thread(threading.Thread):
        def join(self, timeout=None):
            clock.now += timeout

    stops, asked, release = [], Crowd(100), threading.Event()

    def hang():
        asked.arrive()
        release.wait(PATIENCE)

    services = [stopping(number, stops, hang)().start() for number in map(str, range(100))]
    monkeypatch.setattr(_shutdown, "time", clock)
    monkeypatch.setattr(_shutdown, "threading", SimpleNamespace(Thread=Thread))
    meta.shutdown(timeout=1.0)
    asked.wait_until_complete()
    release.set()
    assert clock.now <= 1.0
    assert sorted(stops, key=int) == [service._name for service in services]


def test_daemons_are_stopped_and_joined(meta):
    """No thread of a service is left."""
    service = Plain().start()
    service.spawn_daemon(worker=waits_for_stop(service))
    meta.shutdown()
    assert [thread for thread in threading.enumerate() if thread.name == "Plain/worker"] == []


def test_daemons_of_a_service_that_never_started_are_stopped(meta):
    """They run, so they must be found."""
    service = Plain()
    service.spawn_daemon(worker=waits_for_stop(service))
    meta.shutdown()
    assert [daemon.alive for daemon in service.daemons()] == [False]


def test_a_daemon_may_shut_everything_down(meta):
    """It does not wait for itself."""
    done = threading.Event()

    def target():
        meta.shutdown()
        done.set()

    service = Plain().start()
    service.spawn_daemon(worker=target)
    assert done.wait(PATIENCE)
    assert not service.is_running()


@pytest.mark.parametrize("way", ["start", "app", "reset", "spawn"])
def test_after_a_shutdown_nothing_starts(meta, way):
    """Until the process's MetaService is populated anew."""
    service, unstarted = Plain().start(), Plain()
    meta.shutdown()
    ways = {
        "start": service.start,
        "app": lambda: unstarted.app,
        "reset": service.reset,
        "spawn": lambda: service.spawn_daemon(worker=print),
    }
    with pytest.raises(RuntimeClosed, match=r"construct MetaService\(\)"):
        ways[way]()


@pytest.fixture
def built_late(meta):
    """A service that is built without a hook after a shutdown."""
    meta.shutdown()
    return Plain()


def test_building_a_service_after_a_shutdown_populates_nothing(built_late):
    """Starts stay refused, also those of other services."""
    assert not built_late.is_running()
    with pytest.raises(RuntimeClosed):
        Plain().start()


def test_a_service_built_after_a_shutdown_is_disabled_with_the_reason(built_late, caplog):
    """Like any whose settings cannot be read: kept in error, logged, nothing raised by the constructor."""
    assert (built_late.enabled, type(built_late.error)) == (False, RuntimeClosed)
    told = "Plain is disabled, its settings cannot be used: RuntimeClosed: there is no hook to read them with"
    assert any(told in record.getMessage() for record in caplog.get_records("setup"))


def test_a_service_built_after_a_shutdown_works_after_the_next_meta_service(built_late):
    """With the reset that the log asks for."""
    MetaService()
    built_late.reset()
    assert (built_late.is_running(), built_late.error) == (True, None)


def test_a_service_built_after_a_shutdown_with_a_hook_has_its_settings(meta):
    """It needs nothing of the registry."""
    meta.shutdown()
    service = Plain(MemoryHook())
    assert (service.enabled, service.error) == (True, None)


def test_a_kept_service_that_is_unpickled_after_a_shutdown_populates_nothing(meta):
    """Its registry is gone."""
    meta.add_service_builder("plain", Plain)
    pickled = pickle.dumps(meta.get_service("plain"))
    meta.shutdown()
    with pytest.raises(RuntimeClosed, match="'plain' is not unpickled"):
        pickle.loads(pickled)
    with pytest.raises(RuntimeClosed):
        Plain().start()


def test_after_a_shutdown_the_next_meta_service_begins_anew(meta):
    """An empty registry, and starts are allowed."""
    meta.add_service_builder("plain", Plain)
    kept = meta.get_service("plain").start()
    meta.shutdown()
    again = MetaService()
    assert again.is_running()
    assert again.get_service("plain") is None
    assert kept.start().is_running()


def test_what_is_asked_of_a_meta_service_after_its_shutdown_says_so(meta):
    """Not an AttributeError of None."""
    meta.shutdown()
    with pytest.raises(RuntimeClosed, match="was shut down"):
        meta.add_context("x", object)


def test_stop_of_meta_service_is_shutdown(meta):
    """The registry ends with all that it started."""
    service = Plain().start()
    meta.stop()
    assert not service.is_running()


def test_reset_of_meta_service_populates_anew(meta):
    """Everything is stopped first."""
    service = Plain().start()
    meta.add_service_builder("plain", Plain)
    meta.reset()
    assert meta.is_running()
    assert not service.is_running()
    assert "plain" not in meta.builders


def test_a_failed_or_disabled_service_needs_no_stop_to_end_the_shutdown(meta, caplog):
    """Nothing is logged for it."""

    class Odd(Plain):
        def run(self):
            raise OSError

    odd = Odd().start()
    caplog.clear()
    meta.shutdown()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert odd.app is None
