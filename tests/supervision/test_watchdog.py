"""Daemons under supervision: run again when they end or are silent, by the policy of their service."""

import threading

import pytest
from jaseci.svc import RestartLimitReached

from behaviour.services import PATIENCE, Plain
from supervision.services import register, remarks, states


class Working(Plain):
    """Has one daemon, which does what the test says; notes each of its rounds."""

    rounds = None

    def build_config(self, hook):
        return {"enabled": True, "quiet": True}

    def post_run(self):
        self.spawn_daemon(worker=self.work)

    def work(self):
        self.rounds.append(len(self.rounds))
        self.act(len(self.rounds))


def working(act, **attributes):
    """A class whose daemon calls `act(service, number of the round)`."""
    return type("Working", (Working,), {"act": act, "rounds": [], **attributes})


def ended(service):
    """Waits until the thread of its daemon is gone."""
    for thread in threading.enumerate():
        if thread.name == f"{service._name}/worker":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def waits(service, number):
    """A daemon that ends when it is asked to."""
    service.stop_requested.wait(PATIENCE)


def fails_once(service, number):
    """The first time with an error, then it waits."""
    if number == 1:
        raise OSError("the server hung up")
    waits(service, number)


def returns_once(service, number):
    """The first time at once, then it waits."""
    if number > 1:
        waits(service, number)


def test_a_daemon_that_ended_with_an_error_is_run_again(meta, manual_clock, lifecycle_events):
    """After the delay; its service stays RUNNING."""
    cls = working(fails_once)
    register(meta, service=cls)
    meta.supervise()
    service = meta.get_service("service")
    ended(service)
    manual_clock.advance(0.5)
    assert [daemon.alive for daemon in service.daemons()] == [True]
    assert remarks(lifecycle_events, "service") == [
        'daemon "worker" ended with OSError: the server hung up; it runs again in 0.50 s'
    ]
    assert meta.services()[0].restarts == 1
    service.stop()


def test_a_daemon_that_returned_is_done(meta, manual_clock):
    """As long as the policy is "on-failure"."""
    cls = working(returns_once)
    register(meta, service=cls)
    meta.supervise()
    ended(meta.get_service("service"))
    manual_clock.advance(100)
    assert cls.rounds == [0]


def test_always_means_a_daemon_that_returned_as_well(meta, manual_clock):
    """It is run again."""
    cls = working(returns_once, restart="always")
    register(meta, service=cls)
    meta.supervise()
    service = meta.get_service("service")
    ended(service)
    manual_clock.advance(0.5)
    assert [daemon.alive for daemon in service.daemons()] == [True]


def test_never_means_that_it_is_reported(meta, manual_clock, lifecycle_events):
    """Once."""
    cls = working(fails_once, restart="never")
    register(meta, service=cls)
    meta.supervise()
    ended(meta.get_service("service"))
    manual_clock.advance(100)
    assert cls.rounds == [0]
    assert remarks(lifecycle_events, "service") == ['daemon "worker" ended with OSError: the server hung up']


def test_a_daemon_that_was_asked_to_stop_is_left_alone(meta, manual_clock):
    """That was no accident."""
    cls = working(waits, restart="always")
    register(meta, service=cls)
    meta.supervise()
    meta.get_service("service").terminate_daemon("worker")
    manual_clock.advance(100)
    assert len(cls.rounds) <= 1


def test_a_daemon_that_keeps_failing_ends_with_its_service_given_up(meta, manual_clock):
    """By the same cap as the service itself."""

    def fail(service, number):
        raise OSError("never")

    cls = working(fail, restart_cap=(2, 60.0))
    register(meta, service=cls)
    meta.supervise()
    service = meta.get_service("service")
    for _ in range(4):
        ended(service)
        manual_clock.advance(2)
    assert states(meta) == {"service": "FAILED"}
    assert isinstance(service.error, RestartLimitReached)
    assert [cause for _, cause in service.error.history] == ['daemon "worker" ended with OSError: never'] * 2


@pytest.mark.parametrize("way", ["attribute", "argument"])
def test_a_silent_daemon_is_reported_ended_and_run_again(meta, manual_clock, lifecycle_events, way):
    """It declared an interval, for all its rounds or by itself."""
    begun = threading.Semaphore(0)

    def be_silent(service, number):
        if way == "argument":
            service.alive(5.0)
        begun.release()
        waits(service, number)

    cls = working(be_silent, **({"watchdog": {"worker": 5.0}} if way == "attribute" else {}))
    register(meta, service=cls)
    meta.supervise()
    assert begun.acquire(timeout=PATIENCE)
    manual_clock.advance(4.9)
    assert remarks(lifecycle_events, "service") == []
    manual_clock.advance(0.1)
    assert remarks(lifecycle_events, "service") == [
        'daemon "worker" has been silent for 5.0 s, having promised 5.0 s; it runs again in 0.50 s'
    ]
    manual_clock.advance(0.5)
    assert begun.acquire(timeout=PATIENCE)
    assert cls.rounds == [0, 1]


def test_a_daemon_that_says_that_it_is_alive_is_left_alone(meta, manual_clock, lifecycle_events):
    """Each sign of life begins the interval anew."""
    beat, done = threading.Semaphore(0), threading.Semaphore(0)

    def beats(service, number):
        while beat.acquire(timeout=PATIENCE) and not service.stop_requested:
            service.alive()
            done.release()

    register(meta, service=working(beats, watchdog={"worker": 5.0}))
    meta.supervise()
    for _ in range(5):
        manual_clock.advance(4)
        beat.release()
        assert done.acquire(timeout=PATIENCE)
    assert remarks(lifecycle_events, "service") == []
    meta.get_service("service")._ask_to_stop(["worker"])
    beat.release()


def test_a_silent_daemon_that_does_not_stop_has_its_service_reset(meta, manual_clock):
    """The next generation has one of its own; the stuck one goes on beside it."""
    release = threading.Event()

    def hang(service, number):
        if number == 1:
            release.wait(PATIENCE)
        else:
            waits(service, number)

    cls = working(hang, watchdog={"worker": 5.0}, daemon_grace=0.05)
    register(meta, service=cls)
    meta.supervise()
    service = meta.get_service("service")
    manual_clock.advance(5.5)
    manual_clock.advance(5)
    assert meta.services()[0].starts == 2
    assert [daemon.alive for daemon in service.daemons()] == [True, True]
    release.set()


def test_alive_is_for_daemons(meta):
    """A sign of life of somebody else would be a lie."""
    service = Plain().start()
    with pytest.raises(RuntimeError, match="alive\\(\\) is for the daemons of service 'Plain'"):
        service.alive()


@pytest.mark.parametrize("interval", [0, -1.0, float("nan")])
def test_an_interval_that_is_none_is_refused(meta, interval):
    """As in an attribute."""
    with pytest.raises(ValueError, match="interval must be a number of seconds above 0"):
        Plain().start().alive(interval)


def test_without_supervision_signs_of_life_are_nobodys_business(meta):
    """They cost next to nothing, and nothing follows."""
    begun = threading.Event()

    def beats(service, number):
        service.alive(0.01)
        begun.set()
        waits(service, number)

    cls = working(beats)
    service = cls().start()
    assert begun.wait(PATIENCE)
    assert [daemon.alive for daemon in service.daemons()] == [True]
    service.stop()
