"""Section 3: services in a program on an event loop."""

import asyncio

import pytest
from jaseci.svc import ServiceNotRunning

from behaviour.services import PATIENCE, Broken, Disabled, Held, Plain


def test_ready_gives_the_running_app():
    """Started if need be."""
    service = Plain()
    assert asyncio.run(service.ready(PATIENCE)) is service.app


def test_start_async_starts():
    """And returns the service."""
    service = Plain()
    assert asyncio.run(service.start_async()) is service
    assert service.is_running()


def test_waiting_does_not_block_the_loop():
    """Others run while it starts."""

    async def program():
        service = Held()
        waiting = asyncio.create_task(service.ready(PATIENCE))
        await asyncio.to_thread(service.entered.wait, PATIENCE)
        service.release.set()
        return await waiting is service.app

    assert asyncio.run(program())


def test_ready_times_out():
    """TimeoutError."""

    async def program():
        service = Held()
        try:
            with pytest.raises(TimeoutError):
                await service.ready(0.01)
        finally:
            service.release.set()

    asyncio.run(program())


@pytest.mark.parametrize(("cls", "why"), [(Broken, "FAILED: OSError"), (Disabled, "disabled")])
def test_ready_and_poke_say_why_there_is_no_app(cls, why):
    """Service, state, cause."""
    with pytest.raises(ServiceNotRunning, match=f"'{cls.__name__}'.*{why}"):
        asyncio.run(cls().ready(PATIENCE))
    with pytest.raises(ServiceNotRunning, match=f"'{cls.__name__}'.*{why}"):
        cls().poke()


def test_poke_gives_the_running_app():
    """Started if need be."""
    service = Plain()
    assert service.poke() is service.app
