"""Supervision: its attributes, health, the watchdog, and its errors. Checked, never run."""

from collections.abc import Mapping, MutableMapping
from typing import Any, ClassVar, assert_type

from jaseci.svc import (
    CommonService,
    DependencyError,
    DependencyFailed,
    JsOrcService,
    MetaService,
    RestartLimitReached,
    ServiceInfo,
    ServiceNotRunning,
    ServiceUnhealthy,
)
from jaseci.svc.asgi import Application, Receive, Send, Supervised, lifespan
from jaseci.svc.jsorc import JsOrc
from jaseci.svc.testing import ManualClock


class Store(CommonService[dict[str, str]]):
    requires: ClassVar[tuple[str, ...]] = ("disk",)
    wants = ("cache",)
    restart = "always"
    on_dependency_loss = "keep"
    backoff = (0.1, 5.0)
    restart_cap = (3, 10.0)
    health_interval = None
    health_timeout = 1.0
    watchdog: ClassVar[Mapping[str, float]] = {"poller": 5.0}

    def health(self) -> str | None:
        self.alive()
        self.alive(interval=5.0)
        self.alive("often")  # type: ignore[arg-type]
        return None if self.app else "empty"


class Wrong(CommonService[Any]):
    restart = "sometimes"  # type: ignore[assignment]
    requires = "disk"  # type: ignore[assignment]

    def health(self) -> int:  # type: ignore[override]
        return 1


class Asynchronous(CommonService[Any]):
    async def health(self) -> bool:  # type: ignore[override]
        return True


def supervising(meta: MetaService) -> None:
    infos = meta.supervise(timeout=5.0)
    assert_type(infos, list[ServiceInfo])
    info = infos[0]
    assert_type((info.healthy, info.health_reason, info.health_age), tuple[bool | None, str | None, float | None])
    assert_type((info.starts, info.failures, info.restarts), tuple[int, int, int])
    assert_type(info.start_duration, float | None)
    meta.supervise(names=["store"])  # type: ignore[call-arg]


def forever(meta: MetaService) -> None:
    assert_type(meta.run_forever(timeout=5), None)
    meta.run_forever(timeout="soon")  # type: ignore[arg-type]


class Ours(MetaService):
    pass


async def inside(ours: Ours) -> None:
    async with ours.running(timeout=5.0) as entered:
        assert_type(entered, Ours)
    async with lifespan():
        pass
    async with ours.running("long"):  # type: ignore[arg-type]
        pass


async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.complete"})


wrapped: Application = Supervised(application, timeout=5.0)


def errors(error: RestartLimitReached | DependencyFailed) -> None:
    if isinstance(error, RestartLimitReached):
        assert_type(error.history, list[tuple[float, str]])


def orchestrating(service: JsOrcService) -> None:
    assert_type(service.poke(), JsOrc)
    assert_type(service.poke().keep_alive, list[str])


def testing() -> None:
    with ManualClock(jitter=1) as clock:
        assert_type(clock.now, float)
        assert_type(clock.settle(), float | None)
        clock.advance("long")  # type: ignore[arg-type]


value: type[ValueError] = DependencyError
unhealthy: type[ServiceNotRunning] = ServiceUnhealthy
