"""Services as users write them. Checked by mypy and pyright, never run.

Each `type: ignore` is a mistake that a type checker has to find: it is an error where it finds nothing.
"""

from typing import Any, Self, assert_type

from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, ServiceState


class Client:
    """What a service wraps."""

    def __init__(self, address: str) -> None:
        self.address = address


class AsInTheManual(CommonService):
    """Bare: `app` can be anything, and nothing has to be declared."""

    def run(self) -> None:
        self.app = Client(self.config["address"])

    def post_run(self) -> None:
        self.app.anything.goes()

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return hook.service_glob("MANUAL_CONFIG", {"enabled": True, "address": "localhost"})


class WithHook(CommonService[Client]):
    """Knows its app, takes the hook."""

    start_timeout = 5.0
    daemon_grace = 0.5
    fork_safe = False

    def run(self, hook: MemoryHook) -> None:
        self.app = Client(hook.get_glob("ADDRESS"))
        self.app.address.upper()

    def post_run(self, hook: Any = None) -> None:
        self.app = 3  # type: ignore[assignment]

    def build_kube(self, hook: MemoryHook) -> dict[str, Any]:
        return hook.service_glob("WITH_HOOK_KUBE", {"Service": []}) or {}

    def failed(self) -> None:
        assert_type(self.error, BaseException | None)
        super().failed()

    def reset(self, hook: MemoryHook | None = None) -> None:
        super().reset(hook)

    def stop(self) -> None:
        self.app.address.upper()
        self.app.adress.upper()  # type: ignore[union-attr]
        super().stop()


class WithHookByKeyword(CommonService[Client]):
    def run(self, *, hook: MemoryHook) -> None:
        self.app = Client(hook.get_glob("ADDRESS"))

    def post_run(self) -> None:
        del self.app


class OwnConstructor(CommonService[Client]):
    def __init__(self, hook: MemoryHook | None = None, *, tenant: str = "all") -> None:
        self.tenant = tenant
        super().__init__(hook)


class Coroutine(CommonService):
    """A start refuses it, and so does a type checker."""

    async def run(self) -> None:  # type: ignore[override]
        pass

    async def post_run(self, hook: Any = None) -> None:  # type: ignore[override]
        pass


class WrongConfig(CommonService):
    def build_config(self, hook: MemoryHook) -> str:  # type: ignore[override]
        return hook.get_glob("TEXT") or ""


class Fluent(CommonService[Client]):
    """A subclass's own methods are still there after `start()`."""

    def connected(self) -> Self:
        return self.start()


def what_is_read(service: WithHook) -> None:
    assert_type(service.app, Client | Any)
    assert_type(service.app.address, str | Any)
    assert_type(service.poke(), Client)
    assert_type(service.start(), WithHook)
    assert_type(service.start(MemoryHook()).poke().address, str)
    assert_type(OwnConstructor(tenant="one").start().tenant, str)
    assert_type(Fluent().connected().connected().poke(), Client)
    assert_type(AsInTheManual().start().app, Any)
    assert_type(AsInTheManual().poke(), Any)
    if service.app is None:
        # None is possible, so this line is not taken for unreachable.
        service.start()
    print(service.poke().adress)  # type: ignore[attr-defined]
    OwnConstructor(tennant="one")  # type: ignore[call-arg]


async def what_is_awaited(service: WithHook) -> None:
    assert_type(await service.ready(), Client)
    assert_type(await service.ready(timeout=2.5), Client)
    assert_type(await service.start_async(), WithHook)
    print(service.ready().address)  # type: ignore[attr-defined]


def attributes(service: WithHook) -> None:
    assert_type(service.enabled, bool)
    assert_type(service.quiet, bool)
    assert_type(service.config, dict[str, Any])
    assert_type(service.kube, dict[str, Any] | None)
    assert_type(service.error, BaseException | None)
    assert_type(service.is_ready() or service.is_running() or service.has_failed(), bool)
    assert_type(service.state, ServiceState)
    assert_type(service.state.is_running(), bool)
    service.enabled, service.quiet = True, False
    service.config = {"address": "elsewhere"}
    service.kube = service.error = None
    service.app = None
    service.extra = 1  # type: ignore[attr-defined]
    service.enabled = "yes"  # type: ignore[assignment]
    service.config = []  # type: ignore[assignment]
    service.error = "broken"  # type: ignore[assignment]
    service.start(timeout=3)  # type: ignore[call-arg]


def assigning_a_state(service: WithHook) -> None:
    service.state = ServiceState.NOT_STARTED
    service.state = 0  # type: ignore[assignment]


def every_state(state: ServiceState) -> str:
    match state:
        case ServiceState.FAILED | ServiceState.NOT_STARTED:
            return "idle"
        case ServiceState.STARTED | ServiceState.RUNNING:
            return "busy"


def any_service(service: CommonService) -> str:
    """Accepts each of them, whatever its app is."""
    return repr(service)


any_service(WithHook())
any_service(AsInTheManual())
any_service(Client("nowhere"))  # type: ignore[arg-type]
