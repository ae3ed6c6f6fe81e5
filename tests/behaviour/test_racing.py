"""Section 3 and 4: exactly one start, one construction, one population, however many threads ask."""

import threading

import pytest
from jaseci.svc import MetaService, StartCycle, StartTimeout

from behaviour.services import PATIENCE, Broken, Held, Plain
from behaviour.threads import Crowd, Going, together

THREADS = 64


class Counted(Plain):
    """Its run waits until the whole crowd is on the way in."""

    def __init__(self, hook=None):
        self.__dict__.setdefault("runs", 0)
        self.crowd = Crowd(THREADS)
        super().__init__(hook)

    def run(self, hook=None):
        self.crowd.wait_until_complete()
        self.runs += 1
        super().run(hook)


def arriving(service, action):
    def go(_):
        service.crowd.arrive()
        return action()

    return together(THREADS, go)


def test_64_threads_that_call_start_run_once():
    """8 threads, 8 instances, 8 runs."""
    service = Counted()
    assert arriving(service, service.start) == [service] * THREADS
    assert service.runs == 1


def test_64_threads_that_read_app_run_once_and_see_the_same_app():
    """The same outcome."""
    service = Counted()
    apps = arriving(service, lambda: service.app)
    assert service.runs == 1
    assert set(map(id, apps)) == {id(service.app)}


def test_64_threads_see_the_same_failure():
    """It runs, and fails, once."""

    class Failing(Counted):
        def run(self, hook=None):
            super().run(hook)
            raise OSError("once")

    service = Failing()
    errors = arriving(service, lambda: service.start().error)
    assert service.runs == 1
    assert {id(error) for error in errors} == {id(service.error)}


def test_64_threads_that_get_a_service_and_start_it_share_one():
    """get_service(...).start() at once."""
    meta = MetaService()
    built = []

    class Built(Plain):
        runs = 0

        def __init__(self, hook=None):
            built.append(self)
            super().__init__(hook)

        def run(self, hook=None):
            Built.runs += 1
            super().run(hook)

    meta.add_service_builder("built", Built)
    got = together(THREADS, lambda _: meta.get_service("built").start())
    assert set(map(id, got)) == {id(built[0])}
    assert (len(built), Built.runs) == (1, 1)


def test_when_a_constructor_raises_in_a_race_one_waiter_tries_again():
    """The others keep waiting; who constructed gets the exception."""
    meta = MetaService()
    tries = []

    class Moody(Plain):
        def __init__(self, hook=None):
            tries.append(1)
            if len(tries) < 3:
                raise OSError("not yet")
            super().__init__(hook)

    meta.add_service_builder("moody", Moody)
    got = together(THREADS, lambda _: meta.get_service("moody"))
    failed = [each for each in got if isinstance(each, OSError)]
    assert (len(failed), len(tries)) == (2, 3)
    assert len({id(each) for each in got if isinstance(each, Moody)}) == 1


class Slow(MetaService):
    """Populates once per process, while many construct it."""

    populated = 0

    def populate_services(self):
        type(self).populated += 1


def test_64_threads_that_construct_meta_service_populate_once():
    """The first instantiated class populates."""
    Slow.populated = 0
    metas = together(THREADS, lambda _: Slow())
    assert all(meta.is_running() for meta in metas)
    assert Slow.populated == 1


def test_a_failing_population_in_a_race_fails_for_all_and_is_tried_again():
    """It left MetaService half-built for ever."""

    class Failing(MetaService):
        broken = True

        def populate_services(self):
            if self.broken:
                raise OSError("no list of services")

    metas = together(THREADS, lambda _: Failing())
    assert all(isinstance(meta, Failing) and meta.has_failed() for meta in metas)
    Failing.broken = False
    assert Failing().is_running()


def held_by(name):
    service = Held()
    starter = Going(service.start, name=name)
    assert service.entered.wait(PATIENCE)
    return service, starter


def test_a_waiting_starter_times_out_with_an_error_that_names_the_holder():
    """A run that hangs."""
    service, starter = held_by("the slow one")
    service.start_timeout = 0.05
    with pytest.raises(StartTimeout, match=r"'?\"?Held\"?'? after 0.05 s: it is held by thread 'the slow one'"):
        service.start()
    service.release.set()
    starter.ended()
    assert service.is_running()


def test_a_run_that_hangs_does_not_keep_other_services_from_starting():
    """Each has its own gate."""
    service, starter = held_by("the slow one")
    assert Plain().start().is_running()
    service.release.set()
    starter.ended()


def test_a_waiting_starter_sees_the_outcome():
    """It waits for the end of the other's start."""
    service, starter = held_by("first")
    waiter = Going(lambda: service.start().is_running())
    service.release.set()
    assert waiter.ended() is True
    starter.ended()


class Leaning(Plain):
    """Starts another one in its run."""

    other = None

    def run(self, hook=None):
        self.other.start()
        super().run(hook)


def circle(first_class=Leaning, second_class=Leaning):
    first, second = first_class(), second_class()
    first._name, second._name = "first", "second"
    first.other, second.other = second, first
    return first, second


def test_a_cycle_on_one_thread_is_an_error_that_names_it():
    """first needs second, second needs first."""
    first, _ = circle()
    with pytest.raises(StartCycle, match="first -> second -> first"):
        first.start()
    assert first.has_failed()


def test_a_cycle_across_threads_is_an_error_that_names_it():
    """Each has begun, each waits for the other: one is told."""
    begun = threading.Barrier(2)

    class Crossing(Leaning):
        def run(self, hook=None):
            if begun is not None and not begun.broken:
                begun.wait(PATIENCE)
            super().run(hook)

    first, second = circle(Crossing, Crossing)
    outcomes = [thread.ended() for thread in (Going(first.start), Going(second.start))]
    cycles = [outcome for outcome in outcomes if isinstance(outcome, StartCycle)]
    assert cycles
    assert all("first" in str(cycle) and "second" in str(cycle) for cycle in cycles)


def test_resets_and_starts_at_once_leave_one_running_generation():
    """A reset and a start never interleave."""
    inside = []

    class Exclusive(Plain):
        def run(self, hook=None):
            inside.append(1)
            assert len(inside) == 1
            super().run(hook)
            inside.pop()

    service = Exclusive()
    outcomes = together(16, lambda number: service.reset(None) if number % 2 else service.start())
    assert [outcome for outcome in outcomes if isinstance(outcome, BaseException)] == []
    assert service.is_running()


def test_a_service_that_fails_while_others_wait_is_failed_for_them():
    """Nobody tries again behind its back."""

    class Slowly(Held, Broken):
        def run(self, hook=None):
            self.entered.set()
            assert self.release.wait(PATIENCE)
            raise OSError

    service = Slowly()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    waiter = Going(lambda: service.start().has_failed())
    service.release.set()
    assert (waiter.ended(), starter.ended().has_failed()) == (True, True)
