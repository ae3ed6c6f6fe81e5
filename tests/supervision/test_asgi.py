"""`jaseci.svc.asgi`: what a server sees of an application whose services are supervised."""

import asyncio

import pytest
from jaseci.svc import MetaService
from jaseci.svc.asgi import Supervised, lifespan

from behaviour.services import PATIENCE
from supervision.services import Quiet, needing, register

STARTUP, SHUTDOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}
STARTED, STOPPED = {"type": "lifespan.startup.complete"}, {"type": "lifespan.shutdown.complete"}


def live(app, noted):
    """Has an application live, as a server does; returns what the server is told. `noted` has that among other things."""
    told = []

    async def program():
        messages = iter([STARTUP, SHUTDOWN])

        async def receive():
            return next(messages)

        async def send(message):
            told.append(message)
            noted.append(message["type"])

        await app({"type": "lifespan"}, receive, send)

    asyncio.run(asyncio.wait_for(program(), PATIENCE))
    return told


@pytest.fixture
def noted(meta):
    """What happens, in order; there is a service that notes its start and its stop."""
    happened = []

    class Noting(Quiet):
        def run(self, hook=None):
            super().run()
            happened.append("service starts")

        def stop(self):
            super().stop()
            happened.append("service stops")

    register(meta, noting=Noting)
    return happened


def test_services_live_around_the_applications_own_lifespan(noted):
    """The server learns of the end when they are stopped."""

    async def app(scope, receive, send):
        assert await receive() == STARTUP
        noted.append("app starts")
        await send(STARTED)
        assert await receive() == SHUTDOWN
        noted.append("app stops")
        await send(STOPPED)

    assert live(Supervised(app), noted) == [STARTED, STOPPED]
    assert noted == [
        "service starts",
        "app starts",
        STARTED["type"],
        "app stops",
        "service stops",
        STOPPED["type"],
    ]


async def refusing(scope, receive, send):
    raise NotImplementedError(scope["type"])


async def passing_over(scope, receive, send):
    return


@pytest.mark.parametrize("app", [refusing, passing_over])
def test_an_application_without_a_lifespan_gets_one_for_its_services(noted, app):
    """Whether it raises or just returns."""
    assert live(Supervised(app), noted) == [STARTED, STOPPED]
    assert noted == ["service starts", STARTED["type"], "service stops", STOPPED["type"]]


def test_a_startup_that_the_application_reports_as_failed_is_handed_on(noted):
    """After its services are stopped."""
    failed = {"type": "lifespan.startup.failed", "message": "mine"}

    async def app(scope, receive, send):
        await receive()
        await send(failed)

    assert live(Supervised(app), noted) == [failed]
    assert noted == ["service starts", "service stops", failed["type"]]


@pytest.mark.parametrize(
    ("messages", "kind"), [(0, "lifespan.startup.failed"), (1, "lifespan.shutdown.failed")], ids=["startup", "shutdown"]
)
def test_what_an_application_raises_in_its_lifespan_is_told(noted, messages, kind):
    """It is not taken for one that has none."""

    async def app(scope, receive, send):
        await receive()
        for _ in range(messages):
            await send(STARTED)
            await receive()
        raise LookupError("mine")

    assert live(Supervised(app), noted)[-1] == {"type": kind, "message": "LookupError: mine"}
    assert noted[-2:] == ["service stops", kind]


def test_a_server_is_told_why_supervision_cannot_begin(meta, noted):
    """The application's own startup is not begun then."""
    register(meta, lonely=needing("nobody"))
    [told] = live(Supervised(refusing), noted)
    assert told["type"] == "lifespan.startup.failed"
    assert "nobody" in told["message"]


def test_anything_else_is_handed_on_as_it_is(noted):
    """Without a look at services."""
    seen = []

    async def app(*arguments):
        seen.append(arguments)

    arguments = ({"type": "http"}, object(), object())
    asyncio.run(Supervised(app)(*arguments))
    assert seen == [arguments]
    assert noted == []


def test_frameworks_take_a_context_manager(noted):
    """As Starlette calls it, with its application."""

    async def program():
        async with lifespan(object()) as state:
            noted.append(state)

    asyncio.run(program())
    assert noted == ["service starts", None, "service stops"]
    MetaService().shutdown()
