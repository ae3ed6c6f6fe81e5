"""`running()`: supervision inside an `async with`, whatever becomes of the task."""

import asyncio
import threading

import pytest
from jaseci.svc import DependencyError, MetaService

from behaviour.services import PATIENCE
from supervision.services import Quiet, needing, register, states


def run(program):
    """Runs it, and fails rather than hangs."""
    return asyncio.run(asyncio.wait_for(program, PATIENCE))


class Held:
    """Where a service waits, and how a test learns of it and lets it go."""

    def __init__(self):
        self.reached, self.release = threading.Event(), threading.Event()

    def wait(self):
        self.reached.set()
        assert self.release.wait(PATIENCE)

    async def is_reached(self):
        assert await asyncio.to_thread(self.reached.wait, PATIENCE)


@pytest.fixture
def held():
    """One that nobody waits at any more when the test ends."""
    place = Held()
    yield place
    place.release.set()


def starting_at(held):
    """A class that starts when it is let go."""

    def run(self, hook=None):
        held.wait()
        self.app = object()

    return type("Starting", (Quiet,), {"run": run})


def stopping_at(held):
    """A class that stops when it is let go."""

    def stop(self):
        held.wait()
        Quiet.stop(self)

    return type("Stopping", (Quiet,), {"stop": stop})


def test_services_run_inside(meta):
    """Started in order on entering, stopped in reverse order on leaving."""
    register(meta, upper=needing("lower"), lower=Quiet)

    async def program():
        async with meta.running() as entered:
            kept = dict(meta.kept)
            return entered is meta, states(meta), kept

    is_meta, inside, kept = run(program())
    assert is_meta
    assert set(inside.values()) == {"RUNNING"}
    assert [service.is_running() for service in kept.values()] == [False, False]


def test_the_loop_runs_on_while_services_start_and_stop(meta, held):
    """Both are held until a task on the loop lets them go."""
    starting, stopping = held, Held()
    register(meta, first=starting_at(starting), second=stopping_at(stopping))

    async def let_go():
        for each in (starting, stopping):
            await each.is_reached()
            each.release.set()

    async def program():
        letting = asyncio.create_task(let_go())
        async with meta.running():
            pass
        await letting

    run(program())


def test_what_the_body_raises_comes_out_after_the_stop(meta):
    """Unchanged."""
    register(meta, one=Quiet)

    async def program():
        async with meta.running():
            program.one = meta.get_service("one")
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(program())
    assert not program.one.is_running()


def test_what_cannot_be_supervised_is_raised_on_entering(meta):
    """The body is not entered."""
    register(meta, lonely=needing("nobody"))

    async def program():
        async with meta.running():
            pytest.fail("entered")

    with pytest.raises(DependencyError, match="nobody"):
        run(program())


def test_a_cancellation_during_the_start_stops_everything(meta, held):
    """What is being started is ended with the rest."""
    register(meta, slow=starting_at(held), one=Quiet)

    async def enter():
        async with meta.running(timeout=PATIENCE):
            pytest.fail("entered")

    async def program():
        task = asyncio.create_task(enter())
        await held.is_reached()
        services = list(meta.kept.values())
        task.cancel()
        held.release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        return services

    services = run(program())
    assert services
    assert not any(service.is_running() for service in services)


def test_a_cancellation_in_the_body_stops_everything(meta):
    """The usual way for a server's task to end."""
    register(meta, one=Quiet)

    async def live(entered):
        async with meta.running():
            entered.set()
            await asyncio.Event().wait()

    async def program():
        entered = asyncio.Event()
        task = asyncio.create_task(live(entered))
        await entered.wait()
        one = meta.get_service("one")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return one

    assert not run(program()).is_running()


def test_cancellations_during_the_stop_wait_for_its_end(meta, held):
    """However many come."""
    register(meta, one=stopping_at(held))

    async def live():
        async with meta.running(timeout=PATIENCE):
            live.one = meta.get_service("one")

    async def program():
        task = asyncio.create_task(live())
        await held.is_reached()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        held.release.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(program())
    assert not live.one.is_running()


def test_a_timeout_around_it_leaves_nothing_running(meta):
    """And is told as a timeout."""
    made = []

    class Endless(Quiet):
        def run(self, hook=None):
            made.append(self)
            self.stop_requested.wait(PATIENCE)

    register(meta, endless=Endless, one=Quiet)

    async def program():
        async with asyncio.timeout(0.05), meta.running():
            pytest.fail("entered")

    with pytest.raises(TimeoutError):
        run(program())
    assert not any(service.is_running() for service in made)


def test_a_full_pool_of_the_loop_holds_nothing_up(meta, held):
    """The calls that fill it may be waiting for these services."""
    register(meta, one=Quiet)

    async def program():
        calls = [asyncio.to_thread(held.release.wait, PATIENCE) for _ in range(64)]
        waiting = asyncio.gather(*calls)
        await asyncio.sleep(0)
        async with meta.running():
            assert states(meta) == {"one": "RUNNING"}
        held.release.set()
        await waiting

    run(program())


def test_it_can_be_entered_again():
    """The registry is populated anew, as by any MetaService() after a shutdown."""

    async def program():
        for _ in range(2):
            async with MetaService().running() as meta:
                assert "jsorc" in meta.builders

    run(program())
