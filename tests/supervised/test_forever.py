"""`run_forever()` without signals: how else it ends, and what it refuses."""

import signal
import threading

import pytest
from jaseci.svc import DependencyError, MetaService, RuntimeClosed

from supervision.services import Bare, needing, register


def test_a_shutdown_by_somebody_else_ends_it(run):
    """A daemon's, for instance: it returns when that is done."""
    source = """
    class Ending(Running):
        requires = ("other",)
        def post_run(self):
            self.spawn_daemon(ending=meta.shutdown)
    register(ending=Ending, other=Running)
    meta.run_forever()
    say("returned")
    """
    assert run(source).ends(0) == ["stopped ending", "stopped other", "returned"]


def test_services_that_fail_do_not_end_it(run, systemd):
    """They are tried again."""
    source = """
    class Flaky(Running):
        backoff = (0.01, 0.01)
        tries = 0
        def run(self):
            type(self).tries += 1
            if self.tries < 3:
                raise OSError("no route")
            super().run()
            say("runs after", self.tries, "tries")
    register(flaky=Flaky)
    meta.run_forever()
    """
    program = run(source)
    systemd.hears("READY=1")
    program.hears("runs after 3 tries")
    program.gets(signal.SIGTERM)
    program.ends(0)


def test_what_dies_meanwhile_is_revived(run, systemd):
    """That is what one runs it for."""
    source = """
    class Mortal(Running):
        backoff = (0.01, 0.01)
        runs = 0
        def run(self):
            super().run()
            type(self).runs += 1
            say("run", self.runs)
        def post_run(self):
            if self.runs == 1:
                self.spawn_daemon(dying=self.die)
        def die(self):
            threading.Thread(target=self.reset).start()
    register(mortal=Mortal)
    meta.run_forever()
    """
    program = run(source)
    program.hears("run 2")
    program.gets(signal.SIGTERM)
    program.ends(0)


def test_what_cannot_be_supervised_is_raised_and_the_rest_is_stopped(isolated_services):
    """A required service that nobody has registered."""
    meta = Bare()
    register(meta, lonely=needing("nobody"), other=needing())
    other = meta.get_service("other").start()
    with pytest.raises(DependencyError, match="nobody"):
        meta.run_forever()
    assert not other.is_running()


def test_it_is_refused_on_any_thread_but_the_main_one():
    """Nothing has begun then."""
    errors = []

    def run():
        try:
            MetaService().run_forever()
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert errors == ["run_forever() is for the main thread, which signals come to; elsewhere call supervise()"]


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf")])
def test_a_timeout_that_is_no_number_of_seconds_is_refused(timeout):
    """Before anything begins."""
    with pytest.raises(ValueError, match="seconds that stopping everything may take"):
        MetaService().run_forever(timeout)


def test_it_is_refused_after_a_shutdown():
    """As every start is."""
    meta = MetaService()
    meta.shutdown()
    with pytest.raises(RuntimeClosed):
        meta.run_forever()


def test_it_can_be_run_again(run, systemd):
    """Each time with what is registered then."""
    source = """
    for name in ("one", "two"):
        meta = MetaService()
        register(**{name: Running})
        meta.run_forever()
    """
    program = run(source)
    for _ in range(2):
        systemd.hears("READY=1")
        program.gets(signal.SIGTERM)
        systemd.hears("STOPPING=1")
    assert program.ends(0) == ["stopped one", "stopped two"]
