"""Section 3: daemons."""

import logging
import threading
import time

import pytest
from jaseci.svc import ServiceState

from behaviour.services import PATIENCE, Plain, waits_for_stop
from behaviour.threads import Going

RUNNING = ServiceState.RUNNING


@pytest.fixture
def service():
    return Plain().start()


def thread_of(name):
    return next((thread for thread in threading.enumerate() if thread.name == name), None)


def alive(service):
    return {daemon.name for daemon in service.daemons() if daemon.alive}


def spawned(service, target, name="worker"):
    """Spawns a daemon and waits for its end."""
    service.spawn_daemon(**{name: target})
    thread = thread_of(f"{service._name}/{name}")
    if thread is not None:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_daemon_is_a_thread_named_after_service_and_daemon(service):
    """One native thread per name."""
    service.spawn_daemon(worker=waits_for_stop(service))
    assert thread_of("Plain/worker").daemon


def test_a_living_daemon_is_left_alone(service):
    """A second spawn of its name does nothing."""
    calls = []
    service.spawn_daemon(worker=waits_for_stop(service))
    service.spawn_daemon(worker=lambda: calls.append(1))
    assert calls == []
    assert alive(service) == {"worker"}


def test_an_ended_daemon_may_be_spawned_again(service):
    """Its name is free."""
    calls = []
    spawned(service, lambda: calls.append(1))
    spawned(service, lambda: calls.append(2))
    assert calls == [1, 2]


def test_two_services_workers_never_meet():
    """A second service's `worker` killed the first's."""
    first, second = Plain().start(), Plain().start()
    first.spawn_daemon(worker=waits_for_stop(first))
    second.spawn_daemon(worker=waits_for_stop(second))
    second.terminate_daemon("worker")
    assert (alive(first), alive(second)) == ({"worker"}, set())


def test_terminate_ends_the_named_ones_only(service):
    """Several at once, others stay."""
    service.spawn_daemon(a=waits_for_stop(service), b=waits_for_stop(service), c=waits_for_stop(service))
    service.terminate_daemon("a", "c")
    assert alive(service) == {"b"}


def test_unknown_names_are_ignored(service):
    """Nothing is raised."""
    service.terminate_daemon("nobody")


def test_a_daemon_may_terminate_itself(service):
    """It is asked, not joined."""
    told = []

    def target():
        service.terminate_daemon("worker")
        told.append(service.stop_requested.is_set())

    spawned(service, target)
    assert told == [True]
    assert alive(service) == set()


def test_the_stop_signal_inside_a_daemon_is_its_own(service):
    """Not that of its neighbour."""
    signals = {}
    met = threading.Barrier(3)

    def target(name):
        def go():
            signals[name] = service.stop_requested
            met.wait(PATIENCE)
            service.stop_requested.wait(PATIENCE)

        return go

    service.spawn_daemon(a=target("a"), b=target("b"))
    met.wait(PATIENCE)
    service.terminate_daemon("a")
    assert (bool(signals["a"]), bool(signals["b"])) == (True, False)


def test_a_busy_daemon_is_ended_by_system_exit(service):
    """After the grace period, where it does not ask."""
    service.daemon_grace = 0.05
    begun = threading.Event()

    def target():
        begun.set()
        while True:
            time.sleep(0.001)

    service.spawn_daemon(worker=target)
    assert begun.wait(PATIENCE)
    service.terminate_daemon("worker")
    assert alive(service) == set()


def test_system_exit_strikes_no_thread_that_came_after(service):
    """A pending one is taken back when its daemon ends."""
    service.daemon_grace = 0.0
    for _ in range(200):
        service.spawn_daemon(worker=waits_for_stop(service))
        service.terminate_daemon("worker")
        assert Going(lambda: sum(range(100))).ended() == 4950


def test_a_daemon_stuck_in_c_is_given_up_and_logged(service, caplog):
    """terminate_daemon hung for minutes in join()."""
    service.daemon_grace = 0.05
    lock = threading.Lock()
    lock.acquire()
    service.spawn_daemon(worker=lock.acquire)
    service.terminate_daemon("worker")
    assert alive(service) == {"worker"}
    lock.release()
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "Plain/worker did not stop" in record.getMessage()


class Outlived(Plain):
    """Its first daemon sits in C code through both graces, and writes when it comes back."""

    daemon_grace = 0.05

    def __init__(self, hook=None):
        super().__init__(hook)
        self.__dict__.setdefault("held", threading.Lock())
        self.__dict__.setdefault("begun", threading.Event())

    def post_run(self):
        if self.begun.is_set():
            return
        self.held.acquire()
        self.spawn_daemon(worker=self.work)
        assert self.begun.wait(PATIENCE)

    def work(self):
        try:
            self.begun.set()
            self.held.acquire()
            while True:
                pass  # until the interruption arrives that the second grace began with
        except SystemExit:
            self.app, self.config, self.kube = "late", {"late": 1}, {"late": []}
            self.error, self.enabled, self.quiet = OSError("late"), False, True
            self.state = ServiceState.FAILED

    def let_go(self):
        """Lets the daemon write, and waits for its end."""
        worker = thread_of("Outlived/worker")
        self.held.release()
        worker.join(PATIENCE)
        assert not worker.is_alive()


@pytest.fixture
def outlived():
    """A service that was reset over a stuck daemon, after that one has ended, and the app of that moment."""
    service = Outlived().start()
    service.reset()
    app = service.app
    service.let_go()
    return service, app


@pytest.mark.parametrize(
    ("name", "value"),
    [("config", {}), ("kube", None), ("error", None), ("state", RUNNING), ("enabled", True), ("quiet", False)],
)
def test_what_a_given_up_daemon_writes_late_is_dropped(outlived, name, value):
    """Its generation is over, as that of an abandoned run is."""
    assert getattr(outlived[0], name) == value


def test_a_given_up_daemon_does_not_replace_the_new_app(outlived):
    """What the new run has set stays."""
    service, app = outlived
    assert service.app is app


def test_a_given_up_daemon_does_not_bring_a_stopped_service_back():
    """NOT_STARTED, without an app."""
    service = Outlived().start()
    service.stop()
    service.let_go()
    assert (service.state, service.app, service.error) == (ServiceState.NOT_STARTED, None, None)


def test_a_daemon_of_the_generation_in_force_writes_as_anybody_does(service):
    """To replace a connection, for instance."""

    def target():
        service.app = "new"

    spawned(service, target)
    assert service.app == "new"


@pytest.mark.parametrize("way", ["reset", "start"])
def test_a_daemon_that_resets_or_starts_its_own_service_does_not_undo_a_stop(way, caplog):
    """Its generation is over, so that does nothing; and the stop does not wait for a daemon that waits for the stop."""

    class Healing(Plain):
        daemon_grace = PATIENCE / 2

        def post_run(self):
            self.spawn_daemon(healer=self.heal)

        def heal(self):
            self.stop_requested.wait(PATIENCE)
            getattr(self, way)()
            healed.set()

    healed = threading.Event()
    service = Healing().start()
    service.stop()
    assert healed.is_set()
    assert (service.state, alive(service), caplog.records) == (ServiceState.NOT_STARTED, set(), [])


def test_a_daemon_that_resets_its_service_is_of_the_past_afterwards(service):
    """The new generation is not its own: neither does it write there, nor spawn."""

    def target():
        service.reset()
        service.error = OSError("late")
        service.spawn_daemon(late=waits_for_stop(service))
        told.append(bool(service.stop_requested))

    told = []
    spawned(service, target)
    assert (told, service.error, alive(service)) == ([True], None, set())


def test_an_exception_ends_a_daemon_with_a_logged_traceback(service, caplog):
    """And is its last error."""

    def target():
        raise OSError("the queue is gone")

    spawned(service, target)
    [info] = service.daemons()
    assert (info.alive, info.last_error) == (False, "OSError: the queue is gone")
    [record] = caplog.records
    assert "Plain/worker" in record.getMessage()
    assert "Traceback" in record.exc_text
    assert service.is_running()


def test_a_daemon_that_raises_system_exit_just_ends(service, caplog):
    """That is how a thread says that it is done."""

    def target():
        raise SystemExit

    spawned(service, target)
    assert caplog.records == []
    assert service.daemons()[0].last_error is None


def test_an_async_target_is_an_error(service, caplog):
    """A coroutine dropped is no daemon."""

    async def target():
        pass

    spawned(service, target)
    assert "async def" in service.daemons()[0].last_error


def test_what_is_not_callable_is_refused_at_once(service):
    """With daemon and service."""
    with pytest.raises(TypeError, match=r"'worker' of service 'Plain'.*int"):
        service.spawn_daemon(worker=7)


def test_daemons_tells_name_alive_since_and_last_error(service):
    """Visible."""
    before = time.time()
    service.spawn_daemon(worker=waits_for_stop(service))
    [info] = service.daemons()
    assert (info.name, info.alive, info.last_error) == ("worker", True, None)
    assert before - 1 <= info.since <= time.time() + 1


def test_a_failure_of_post_run_may_end_daemons_in_failed():
    """The manual's failed(): close some thread when error occurs."""

    class Task(Plain):
        def post_run(self):
            self.spawn_daemon(worker=waits_for_stop(self))
            raise OSError

        def failed(self):
            super().failed()
            self.terminate_daemon("worker")

    service = Task().start()
    assert (service.has_failed(), alive(service)) == (True, set())
