"""What the garbage collector gets."""

import gc
import sys
import threading
import weakref

import pytest

from behaviour.services import PATIENCE, Plain, waits_for_stop
from behaviour.threads import Going, together


class Quiet(Plain):
    """Says nothing when it fails: a log record would keep the error, and that the service."""

    def build_config(self, hook):
        return {"enabled": True, "quiet": True, "region": "north"}


class Hook:
    """Takes any attribute."""


def collected(reference):
    gc.collect()
    return reference() is None


def of_its_hook():
    hook = Hook()
    hook.service = Quiet(hook)
    return hook.service.start(hook)


def of_an_unstarted_services_hook():
    hook = Hook()
    hook.service = Quiet(hook)
    return hook.service


def of_a_hook_given_by_keyword():
    hook = Hook()
    hook.service = Quiet(hook=hook)
    return hook.service


def of_its_app():
    service = Quiet()
    service.app = [service]
    return service


def of_its_config():
    service = Quiet()
    service.config["service"] = service
    return service


def of_its_kube():
    service = Quiet()
    service.kube = {"service": service}
    return service


def of_its_error():
    service = Quiet()
    service.error = ValueError(service)
    return service


def of_an_attribute_of_its_authors():
    service = Quiet()
    service.listeners = [service.start]
    return service


class WithArguments(Quiet):
    def __init__(self, *args, **kwargs):
        super().__init__()


def of_its_arguments():
    argument = []
    argument.append(WithArguments(None, argument))
    return argument[0]


def of_its_keyword_arguments():
    argument = []
    argument.append(WithArguments(option=argument))
    return argument[0]


def of_two_services():
    first, second = Quiet(), Quiet()
    first.app, second.app = second, first
    return first


def of_an_ended_daemon():
    service = Quiet().start()
    ended = threading.Event()

    def target():
        service.stop_requested.is_set()
        ended.set()

    service.spawn_daemon(brief=target)
    assert ended.wait(PATIENCE)
    service.terminate_daemon("brief")
    return service


def of_a_daemon_that_raised():
    service = Quiet().start()

    def target():
        raise OSError(service)

    service.spawn_daemon(failing=target)
    service.terminate_daemon("failing")
    return service


def of_a_stopped_service():
    service = Quiet().start()
    service.spawn_daemon(waiting=waits_for_stop(service))
    service.stop()
    return service


def of_a_reset_service():
    service = of_its_hook()
    service.reset(Hook())
    return service


CYCLES = [
    of_its_hook,
    of_an_unstarted_services_hook,
    of_a_hook_given_by_keyword,
    of_its_app,
    of_its_config,
    of_its_kube,
    of_its_error,
    of_an_attribute_of_its_authors,
    of_its_arguments,
    of_its_keyword_arguments,
    of_two_services,
    pytest.param(of_an_ended_daemon, marks=pytest.mark.interpreters),
    pytest.param(of_a_daemon_that_raised, marks=pytest.mark.interpreters),
    pytest.param(of_a_stopped_service, marks=pytest.mark.interpreters),
    of_a_reset_service,
]


@pytest.mark.parametrize("made", CYCLES)
def test_a_service_in_a_cycle_is_collected(made, caplog):
    """Whatever it refers to, the collector sees."""
    reference = weakref.ref(made())
    caplog.clear()  # a record of a daemon's error has its traceback
    assert collected(reference)


def test_a_hook_in_a_cycle_with_its_service_is_collected():
    """Both of them go."""
    hook = Hook()
    hook.service = Quiet(hook).start(hook)
    reference = weakref.ref(hook)
    del hook
    assert collected(reference)


class Failing(Quiet):
    def run(self):
        here = self  # in the frame that the traceback keeps
        raise OSError(here)


@pytest.mark.parametrize("times", [1, 3])
def test_a_failed_service_is_collected_with_its_traceback(times):
    """The error keeps the frames of run, and those keep the service."""
    service = Failing().start()
    for _ in range(times - 1):
        service.reset()
    assert service.has_failed()
    assert service.error.__traceback__ is not None
    reference = weakref.ref(service)
    del service
    assert collected(reference)


def test_a_kept_service_that_is_replaced_is_collected(meta):
    """The registry lets it go, started or not."""
    meta.add_service_builder("kept", Quiet)
    reference = weakref.ref(meta.get_service("kept").start())
    assert reference() is meta.get_service("kept")
    meta.add_service_builder("kept", Failing, replace=True)
    assert collected(reference)


def test_a_kept_service_is_collected_after_a_shutdown(meta):
    """The process keeps nothing of it."""
    meta.add_service_builder("kept", Quiet)
    reference = weakref.ref(meta.get_service("kept").start())
    meta.shutdown()
    assert collected(reference)


def test_a_weak_reference_calls_back():
    """As that to any object does."""
    called = []
    service = of_its_hook()
    reference = weakref.ref(service, called.append)
    del service
    gc.collect()
    assert called == [reference]


@pytest.mark.interpreters
def test_the_collector_runs_while_services_are_built_and_started():
    """On a thread of its own, while eight threads make cycles of all kinds."""
    over = threading.Event()

    def collect():
        while not over.is_set():
            gc.collect(1)
        return "collected"

    def build(number):
        references = []
        for made in (of_its_hook, of_its_app, of_its_arguments, of_two_services, of_a_reset_service) * 60:
            service = made()
            assert service.config["region"] == "north"
            references.append(weakref.ref(service))
            del service
            Failing(Hook()).start()
        return references

    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0002)
    try:
        collector = Going(collect)
        outcomes = together(8, build)
    finally:
        sys.setswitchinterval(interval)
        over.set()
    assert collector.ended() == "collected"
    assert [len(references) for references in outcomes] == [300] * 8
    gc.collect()
    assert [reference() for references in outcomes for reference in references] == [None] * 2400
