"""``running()``: supervision for as long as an ``async with`` lasts.

Starting and stopping wait for threads, so both are done on threads of their own: the pool of the event loop may be full of
calls that wait for just these services.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from jaseci.svc.meta import MetaService

MetaT = TypeVar("MetaT", bound="MetaService")


@asynccontextmanager
async def running(meta: MetaT, timeout: float) -> AsyncIterator[MetaT]:
    """See ``MetaService.running``."""
    try:
        await _on_thread("jaseci.svc/start", meta.supervise)
        yield meta
    finally:
        # This also ends a start that a cancellation has left under way.
        await _whatever_comes(_on_thread("jaseci.svc/stop", lambda: meta.shutdown(timeout)))


async def _whatever_comes(work: "asyncio.Future[object]") -> None:
    """Waits for the end of ``work``. A cancellation takes effect after that."""
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        work.exception()  # seen: the cancellation is what counts
        raise cancelled
    work.result()


def _on_thread(name: str, work: Callable[[], object]) -> "asyncio.Future[object]":
    """The outcome to be of ``work``, which a new thread does."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[object] = loop.create_future()

    def settle(value: object, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(value)
        else:
            outcome.set_exception(error)

    def execute() -> None:
        value, error = None, None
        try:
            value = work()
        except BaseException as failure:
            error = failure
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=execute, name=name, daemon=True).start()
    return outcome
