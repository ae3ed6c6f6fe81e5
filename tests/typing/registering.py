"""MetaService, as it is and as subclasses make it. Checked, never run."""

from typing import TYPE_CHECKING, Any, Literal, assert_type, overload

from jaseci.hook import MemoryHook
from jaseci.svc import ApplicationContext, CommonService, MetaService, ProxyService, ServiceInfo, ServiceState
from jaseci.svc.meta import ContextEntry


class Mailer(CommonService[str]):
    pass


class OtherMailer(Mailer):
    pass


class NoService:
    pass


class OwnMeta(MetaService):
    """Its own constructor, its own services, and a class that a type checker knows for each of their names."""

    def __init__(self, tenant: str = "all", run_svcs: bool = False) -> None:
        self.tenant = tenant
        super().__init__(run_svcs)

    def populate_context(self) -> None:
        super().populate_context()
        self.add_context("hook", MemoryHook)

    def populate_services(self) -> None:
        super().populate_services()
        self.add_service_builder("mailer", Mailer)

    if TYPE_CHECKING:

        @overload
        def get_service(self, name: Literal["mailer"], *args: Any, **kwargs: Any) -> Mailer: ...
        @overload
        def get_service(self, name: str, *args: Any, **kwargs: Any) -> Any: ...
        def get_service(self, name: str, *args: Any, **kwargs: Any) -> Any: ...


def services(meta: MetaService) -> None:
    meta.add_service_builder("mailer", Mailer)
    meta.add_service_builder("mailer", OtherMailer, replace=True)
    meta.add_service_build("proxy", ProxyService)
    meta.add_service_builder("mailer", NoService)  # type: ignore[arg-type]
    meta.add_service_builder("mailer", Mailer())  # type: ignore[arg-type]

    # Which class a name stands for is not known here, so the one who asks says it.
    mailer: Mailer = meta.get_service("mailer", MemoryHook())
    assert_type(mailer.start().poke(), str)
    assert_type(meta.get_service("mailer"), Any)
    assert_type(meta.build_service("mailer", True, MemoryHook(), sender="me"), Any)
    meta.build_service("mailer")  # type: ignore[call-arg]
    meta.get_service()  # type: ignore[call-arg]


def own_meta() -> None:
    assert_type(OwnMeta("one").tenant, str)
    assert_type(OwnMeta().get_service("mailer"), Mailer)
    assert_type(OwnMeta().get_service("mailer").poke(), str)
    assert_type(OwnMeta().get_service("another"), Any)
    assert_type(OwnMeta().run_svcs, bool)
    OwnMeta(1)  # type: ignore[arg-type]


def overriding(meta: MetaService) -> None:
    with meta.override("mailer", OtherMailer) as nothing:
        assert_type(nothing, None)
    with meta.override("mailer", NoService):  # type: ignore[arg-type]
        pass


def looking(meta: MetaService) -> None:
    assert_type(meta.services(), list[ServiceInfo])
    for name, cls, state, error, since, *_ in meta.services():
        assert_type(name, str)
        assert_type(cls, type[CommonService[Any]])
        assert_type(state, ServiceState)
        assert_type(error, BaseException | None)
        assert_type(since, float | None)
    assert_type(meta.poke(), ApplicationContext)
    assert_type(meta.poke().background, dict[str, CommonService[Any]])
    assert_type(meta.builders, dict[str, type[CommonService[Any]]])
    assert_type(meta.kept, dict[str, CommonService[Any]])
    assert_type(meta.start(), MetaService)
    assert_type(OwnMeta().start(), OwnMeta)


def contexts(meta: MetaService) -> None:
    meta.add_context("hook", MemoryHook, 1, two=2)
    entry = meta.get_context("hook")
    assert_type(entry, ContextEntry | None)
    entry["class"]  # type: ignore[index]
    if entry is not None:
        assert_type(entry["class"], Any)
        assert_type(entry(), Any)
    assert_type(meta.build_context("hook", 3), Any)
    assert_type((meta.build_hook(), meta.build_master(h=None), meta.build_super_master()), tuple[Any, Any, Any])


def ending(meta: MetaService) -> None:
    meta.shutdown()
    meta.shutdown(timeout=2.5)
    meta.shutdown("soon")  # type: ignore[arg-type]
    meta.stop()
    meta.reset()
