"""For ASGI servers (uvicorn, Hypercorn, Daphne): services live as long as the application's lifespan.

Starlette and FastAPI take a context manager: ``Starlette(lifespan=jaseci.svc.asgi.lifespan)``. Any other application is
wrapped: ``app = Supervised(app)``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from jaseci.svc._log import describe
from jaseci.svc.meta import MetaService

__all__ = ["Supervised", "lifespan"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

STARTUP, STARTED, START_FAILED = "lifespan.startup", "lifespan.startup.complete", "lifespan.startup.failed"
STOPPED, STOP_FAILED = "lifespan.shutdown.complete", "lifespan.shutdown.failed"


@asynccontextmanager
async def lifespan(app: object = None) -> AsyncIterator[None]:  # noqa: ARG001  # frameworks give it themselves
    """Starlette's and FastAPI's ``lifespan``: services are supervised inside, as by ``MetaService().running()``."""
    async with MetaService().running():
        yield


class Supervised:
    """An ASGI application whose services are supervised while it lives: they start before its own startup and stop after its
    own shutdown, within ``timeout`` seconds. Everything but the lifespan is handed on as it is.

    If supervision cannot begin, the server is told that the startup has failed and why. An application that does not know
    the lifespan protocol may be wrapped as well.
    """

    def __init__(self, app: Application, timeout: float = 30.0) -> None:
        self._app = app
        self._timeout = timeout

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        life = _Life(self._app, scope, receive, send)
        try:
            async with MetaService().running(self._timeout):
                await life.run()
        except Exception as error:
            kind = STOP_FAILED if life.has_started else START_FAILED
            await send({"type": kind, "message": describe(error)})
        else:
            if life.last is not None:
                await send(life.last)


class _Life:
    """The lifespan of the wrapped application. Its last message is kept: the server ends when it gets that."""

    def __init__(self, app: Application, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self._app = app
        self._scope = scope
        self._server_receive = receive
        self._server_send = send
        self._was_asked = False
        self.has_started = False
        self.last: Message | None = None

    async def run(self) -> None:
        """Returns when the server may be told of the end. Raises what the application raises, if it knows the protocol."""
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception:
            if self._was_asked:
                raise
        if not self._was_asked:
            await self._live_without()

    async def _live_without(self) -> None:
        """As servers do with an application that has no lifespan."""
        await self._server_receive()
        await self._send({"type": STARTED})
        await self._server_receive()
        self.last = {"type": STOPPED}

    async def _receive(self) -> Message:
        self._was_asked = True
        return await self._server_receive()

    async def _send(self, message: Message) -> None:
        if message["type"] == STARTED:
            self.has_started = True
            await self._server_send(message)
        else:
            self.last = message
