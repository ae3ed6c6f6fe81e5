"""Supervision as it runs by itself: its threads, and what a hanging check or a fork makes of them."""

import os
import threading

import pytest
from jaseci.svc import MetaService, RuntimeClosed, ServiceState
from jaseci.svc._supervisor import MOST_CHECKS

from behaviour.services import PATIENCE, Broken
from behaviour.threads import Crowd, Going
from supervision.services import Quiet, needing, register, states


def checkers():
    """The threads that check health."""
    return [thread for thread in threading.enumerate() if thread.name == "jaseci.svc/checker"]


class Checked(Quiet):
    """Checked often; says so when it was."""

    health_interval = 0.02
    health_timeout = 0.05

    def __init__(self, hook=None):
        super().__init__(hook)
        self.__dict__.setdefault("checked", threading.Semaphore(0))

    def health(self):
        self.checked.release()


def test_services_are_checked_by_themselves(meta):
    """Again and again."""
    register(meta, checked=Checked)
    meta.supervise()
    service = meta.get_service("checked")
    for _ in range(5):
        assert service.checked.acquire(timeout=PATIENCE)


def test_a_check_that_hangs_costs_one_thread_once(meta, lifecycle_events):
    """It is visible after the timeout, others are checked as before, and nobody asks again."""
    release, asked = threading.Event(), []

    class Stuck(Checked):
        restart = "never"

        def health(self):
            asked.append(threading.current_thread())
            release.wait(PATIENCE)

    register(meta, stuck=Stuck, checked=Checked)
    meta.supervise()
    service = meta.get_service("checked")
    while not any("has not answered" in (reason or "") for *_, reason in lifecycle_events.of("stuck")):
        assert service.checked.acquire(timeout=PATIENCE)
    for _ in range(20):
        assert service.checked.acquire(timeout=PATIENCE)
    assert len(asked) == 1
    assert [thread for thread in checkers() if thread is asked[0]] == asked
    release.set()


def test_checks_are_made_in_parallel_and_one_service_never_twice(meta):
    """All of these meet inside their checks."""
    crowd, inside, most = Crowd(4), {}, []

    class Meeting(Checked):
        health_timeout = 10.0

        def health(self):
            inside[self._name] = inside.get(self._name, 0) + 1
            most.append(inside[self._name])
            crowd.arrive()
            crowd.wait_until_complete()
            inside[self._name] -= 1
            super().health()

    register(meta, **{f"s{number}": Meeting for number in range(4)})
    meta.supervise()
    for name in meta.builders:
        assert meta.get_service(name).checked.acquire(timeout=PATIENCE)
    assert set(most) == {1}


def test_what_dies_is_revived(meta, lifecycle_events):
    """Whoever made it FAILED."""
    register(meta, plain=type("Eager", (Quiet,), {"backoff": (0.01, 0.02)}))
    meta.supervise()
    lifecycle_events.wait_for("plain", ServiceState.RUNNING)
    meta.get_service("plain").failed()
    lifecycle_events.wait_for("plain", ServiceState.FAILED)
    lifecycle_events.wait_for("plain", ServiceState.RUNNING)


def test_a_failed_service_harms_no_other(meta):
    """Nor does one whose reset raises."""

    class Odd(Broken):
        backoff = (0.01, 0.02)

        def build_config(self, hook):
            return {"enabled": True, "quiet": True}

        def reset(self, hook=None):
            raise ValueError("no reset")

    register(meta, odd=Odd, checked=Checked)
    meta.supervise()
    for _ in range(20):
        assert meta.get_service("checked").checked.acquire(timeout=PATIENCE)


def test_a_service_may_shut_everything_down_while_it_starts(meta):
    """It does not wait for itself."""

    class Last(Quiet):
        start_timeout = 0.2

        def run(self):
            meta.shutdown(timeout=1.0)

    register(meta, first=Quiet, last=needing("first", base=Last))
    with pytest.raises(RuntimeClosed):
        meta.supervise()


def test_many_who_ask_for_supervision_at_once_get_the_same(meta):
    """Nobody is started twice."""
    register(meta, **{f"s{number}": Quiet for number in range(20)})
    callers = [Going(meta.supervise) for _ in range(8)]
    for caller in callers:
        assert isinstance(caller.ended(), list)
    assert {info.starts for info in meta.services()} == {1}
    assert len([thread for thread in threading.enumerate() if thread.name == "jaseci.svc/supervisor"]) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_in_a_forked_child_nothing_is_supervised_until_it_says_so(meta):
    """It has no threads of the supervisor, and no verdict of its parent's."""
    register(meta, checked=Checked)
    meta.supervise()
    assert meta.get_service("checked").checked.acquire(timeout=PATIENCE)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            threads = [thread for thread in threading.enumerate() if thread.name.startswith("jaseci.svc/")]
            assert threads == []
            assert MetaService().services()[0].healthy is None
            MetaService().get_service("checked").__dict__["checked"] = checked = threading.Semaphore(0)
            MetaService().supervise()
            assert checked.acquire(timeout=PATIENCE)
            MetaService().shutdown(1.0)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert states(meta) == {"checked": "RUNNING"}


def test_checks_take_a_bounded_number_of_threads(meta):
    """However many are due at the same time."""
    register(meta, **{f"s{number}": Checked for number in range(200)})
    meta.supervise()
    for name in meta.builders:
        assert meta.get_service(name).checked.acquire(timeout=PATIENCE)
        assert len(checkers()) <= MOST_CHECKS
