"""``MetaService``: the process-wide registry of services and contexts."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, Self

from jaseci.svc import _forever, _short_cuts, _shutdown, _supervisor
from jaseci.svc._core import (
    ApplicationContext,
    Event,
    EventReader,
    MetaCore,
    close_roster,
    counts_of,
    is_closed,
    open_roster,
)
from jaseci.svc._events import Subscription
from jaseci.svc._health import last_verdict
from jaseci.svc._log import describe, report
from jaseci.svc._policy import check_builder
from jaseci.svc._running import running
from jaseci.svc._starting import execute_start, start_by_reading
from jaseci.svc.common import CommonService, MetaProperties, ProxyService
from jaseci.svc.errors import BuilderExists, RuntimeClosed, ServiceNotRunning
from jaseci.svc.state import ServiceState

__all__ = ["ContextEntry", "MetaService", "ServiceInfo"]

# Where these run, they start and heal the others.
ORCHESTRATORS = ("kube", "jsorc")
# What a hook has. Redis comes before those whose settings may lie in it.
HOOK_SERVICES = (*ORCHESTRATORS, "redis", "promon", "task", "mail")


class ContextEntry(dict[str, Any]):
    """A registered class with its stored arguments: ``class``, ``args``, ``kwargs``. Called, it is the class."""

    def __init__(self, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__({"class": cls, "args": args, "kwargs": kwargs})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the class with just these arguments."""
        return self["class"](*args, **kwargs)


class ServiceInfo(NamedTuple):
    """One line of ``MetaService().services()``."""

    name: str
    cls: type[CommonService[Any]]
    state: ServiceState
    error: BaseException | None
    since: float | None
    """When the state was entered, in seconds since the epoch; None before the service is built."""
    healthy: bool | None = None
    """What the last health check has found; None: the generation in force has not been checked."""
    health_reason: str | None = None
    """What is wrong by that check; without secrets."""
    health_age: float | None = None
    """How many seconds ago that was found."""
    starts: int = 0
    """How often its ``run`` was begun."""
    failures: int = 0
    """How often a start of it has failed."""
    restarts: int = 0
    """How often the supervisor has restarted it, or a daemon of it."""
    start_duration: float | None = None
    """How many seconds the last start took that went well."""


class MetaService(MetaCore, CommonService[ApplicationContext], MetaProperties):
    """The registry of a process: which services and contexts there are, and the kept services.

    All instances share everything but ``run_svcs``, so construct it wherever it is needed. The first one populates it
    (``populate_context``, ``populate_services``); it lives until ``shutdown()``, after which the next construction
    populates it anew. ``run_svcs=False``: hooks built through this instance get disabled stand-ins.

    >>> class Numbers(CommonService):
    ...     def build_config(self, hook):
    ...         return {"enabled": True}
    ...
    ...     def run(self):
    ...         self.app = [1, 2, 3]
    >>> MetaService().add_service_builder("numbers", Numbers)
    >>> MetaService().get_service("numbers").app
    [1, 2, 3]
    >>> MetaService().get_service("numbers") is MetaService().get_service("numbers")
    True
    """

    def __init__(self, run_svcs: bool = True) -> None:
        self.run_svcs = run_svcs
        if not self.is_running():
            self._populate()

    def _populate(self) -> None:
        if is_closed():
            if _shutdown.is_exiting():
                return
            open_roster()
        self.enabled = True
        self.quiet = False
        # A population that failed is tried again by the next construction.
        ticket = self._begin_start(self.start_timeout, "anew")
        if ticket is not None:
            execute_start(self, ticket, None)

    def run(self) -> None:
        """Populates the registry."""
        self.error = None
        self.app = ApplicationContext()
        self.populate_context()
        self.populate_services()
        self.app._put_in_force()

    # ------------------------------------------------------------------ to be overridden

    def populate_context(self) -> None:
        """Registers the contexts ``hook``, ``master`` and ``super_master``."""
        from jaseci.element.master import Master
        from jaseci.element.super_master import SuperMaster
        from jaseci.hook import RedisHook

        self.add_context("hook", RedisHook)
        self.add_context("master", Master)
        self.add_context("super_master", SuperMaster)

    def populate_services(self) -> None:
        """Registers the shipped services."""
        from jaseci.svc.jsorc import JsOrcService
        from jaseci.svc.redis import RedisService

        self.add_service_builder("redis", RedisService)
        self.add_service_builder("jsorc", JsOrcService)

    # ------------------------------------------------------------------ contexts

    # The slash: a class may take a `name` or a `cls` of its own, as Master does.
    def add_context(self, name: str, cls: Any, /, *args: Any, **kwargs: Any) -> None:
        """Registers a class, with arguments to construct it with; replaces what the name had."""
        self._registry().context[name] = ContextEntry(cls, args, kwargs)

    def get_context(self, name: str) -> ContextEntry | None:
        """The registered class and its arguments; None if there is none."""
        entry: ContextEntry | None = self._registry().context.get(name)
        return entry

    def build_context(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Constructs the registered class: given arguments first, then the stored ones. Unknown: a log record, None."""
        entry = self.get_context(name)
        if entry is None:
            report(logging.ERROR, f"Context {name!r} is not registered; add it with MetaService().add_context")
            return None
        return entry["class"](*args, *entry["args"], **kwargs, **entry["kwargs"])

    # ------------------------------------------------------------------ services

    def add_service_builder(self, name: str, cls: type[CommonService[Any]], replace: bool = False) -> None:
        """Registers a service class under a name.

        Raises ``TypeError`` for what is no service class and ``BuilderExists`` for a name that has one (a shipped class
        under its own name may be registered once more), unless ``replace`` is true: then a kept service of the name is
        stopped and the next ``get_service`` builds the new one. Raises ``TypeError`` or ``ValueError`` for attributes that
        are no policy, and ``DependencyError`` where the class closes a circle of ``requires`` and ``wants``. Names in these
        may be registered later.
        """
        _check_service_class(name, cls)
        registry = self._registry()
        check_builder(name, cls, registry.services)
        existing = registry.services.get(name)
        if existing is cls and _is_shipped(cls):
            return  # as the manual's example has it, where populating has registered it already
        if existing is not None and not replace:
            raise BuilderExists(
                f"{name} already exists! It is {existing.__module__}.{existing.__qualname__}; replace=True replaces it"
            )
        registry.services[name] = cls
        kept = registry.background.pop(name, None)
        if kept is not None:
            kept._kept_as = None
            kept.stop()

    add_service_build = add_service_builder

    def build_service(self, name: str, background: bool, *args: Any, **kwargs: Any) -> Any:
        """Constructs a service: a new one each time, or with ``background`` the one that is kept under the name.

        An unknown name: a log record, and None. Raises what the constructor raises.
        """
        if background:
            return self._get_or_construct(name, args, kwargs)
        return self._construct(name, args, kwargs)

    def _get_or_construct(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        background = self._registry().background
        while (kept := background.get(name)) is None:
            construction = self._begin_construction(name, self.start_timeout)
            if construction is None:
                continue
            try:
                # Whoever had the right before may have kept one by now.
                if name not in background:
                    service = self._construct(name, args, kwargs)
                    if service is None:
                        return None
                    service._kept_as = name
                    background[name] = service
            finally:
                construction.end()
        return kept

    def _construct(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        cls = self._registry().services.get(name)
        if cls is None:
            known = ", ".join(sorted(map(str, self._registry().services))) or "none"
            report(logging.ERROR, f"Service {name!r} is not registered; registered are: {known}")
            return None
        service = cls(*args, **kwargs)
        service._name = name
        return service

    def services(self) -> list[ServiceInfo]:
        """Every registered service: name, class, state, error, since. What is not built is NOT_STARTED."""
        registry = self._registry()
        kept = dict(registry.background)
        infos = []
        for name, cls in dict(registry.services).items():
            service = kept.pop(name, None)
            if service is None:
                infos.append(ServiceInfo(name, cls, ServiceState.NOT_STARTED, None, None))
            else:
                infos.append(_info(name, service))
        return infos + [_info(name, service) for name, service in kept.items()]

    @contextmanager
    def override(self, name: str, cls: type[CommonService[Any]]) -> Iterator[None]:
        """For tests: inside the ``with``, the name stands for another class. What was kept comes back untouched.

        >>> class FakeMail(CommonService):
        ...     def build_config(self, hook):
        ...         return {"enabled": True}
        ...
        ...     def run(self):
        ...         self.app = "outbox"
        >>> with MetaService().override("mail", FakeMail):
        ...     MetaService().get_service("mail").app
        'outbox'
        """
        _check_service_class(name, cls)
        registry = self._registry()
        builder = registry.services.get(name)
        kept = registry.background.pop(name, None)
        registry.services[name] = cls
        try:
            yield
        finally:
            substitute = registry.background.pop(name, None)
            if builder is None:
                registry.services.pop(name, None)
            else:
                registry.services[name] = builder
            if kept is not None:
                registry.background[name] = kept
            if substitute is not None:
                substitute._kept_as = None
                substitute.stop()

    # ------------------------------------------------------------------ common builders

    def build_hook(self) -> Any:
        """A new hook with the default services as attributes, and ``meta``."""
        hook = self.build_context("hook")
        hook.meta = self
        if not self.run_svcs:
            for name in HOOK_SERVICES:
                setattr(hook, name, ProxyService())
            return hook
        registry = self._registry()
        builders, kept = registry.services, registry.background
        is_orchestrated = True
        for name in HOOK_SERVICES:
            service = kept.get(name)
            if service is None:
                service = self.get_service(name, hook) if name in builders else _stand_in(name)
            setattr(hook, name, service)
            if name in ORCHESTRATORS:
                is_orchestrated = is_orchestrated and _runs(service, hook)
            elif not is_orchestrated:
                _runs(service, hook)
        return hook

    def build_master(self, *args: Any, **kwargs: Any) -> Any:
        """A new master on a new hook, or on the one given as ``h``."""
        return self._build_on_hook("master", args, kwargs)

    def build_super_master(self, *args: Any, **kwargs: Any) -> Any:
        """A new super master on a new hook, or on the one given as ``h``."""
        return self._build_on_hook("super_master", args, kwargs)

    def _build_on_hook(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if "h" not in kwargs:
            kwargs["h"] = self.build_hook()
        return self.build_context(name, *args, **kwargs)

    # ------------------------------------------------------------------ supervision

    def supervise(self, timeout: float | None = None) -> list[ServiceInfo]:
        """Starts every registered service that is enabled, each after those that it needs and all others at the same time,
        and keeps them from then on, until the shutdown.

        Returns how all stand, once each is RUNNING or has failed. A service that has failed is tried again, by its policy.
        Called again, it takes in what was registered meanwhile, and starts what was stopped or given up.

        Raises ``DependencyError`` for ``requires`` that are not registered and for circles; nothing is started then.
        Raises ``TimeoutError`` if it takes more than ``timeout`` seconds (None: as long as it takes), and ``RuntimeClosed``
        if the runtime is shut down meanwhile, or was before.
        """
        self._registry()
        _supervisor.supervise(self, timeout)
        return self.services()

    def run_forever(self, timeout: float = 30.0) -> None:
        """Supervises until SIGTERM or SIGINT comes or somebody calls ``shutdown()``, then stops everything, the last started
        first, and returns, so that the program ends with its own exit code, 0 if nothing else is said.

        ``timeout``: how many seconds the stopping may take; what hangs is left behind then. The second signal ends the process
        at once, with 128 + its number. Services that fail do not end it.

        Signals are heard from here to the return; handlers that were installed before are called too, and are put back at the
        end. What they raise is raised here, after the stopping. Where systemd asks for it (``NOTIFY_SOCKET``, ``WATCHDOG_USEC``)
        it is told when everything has started and when the end begins, and gets signs of life from the supervisor.

        For the main thread: ``RuntimeError`` on any other. Raises ``ValueError`` for no number of seconds, ``DependencyError``
        as ``supervise()`` does, and ``RuntimeClosed`` if the runtime was shut down before.
        """
        _forever.run_forever(self, timeout)

    def running(self, timeout: float = 30.0) -> AbstractAsyncContextManager[Self]:
        """For asyncio: supervised inside an ``async with``. Entering starts what ``supervise()`` starts, leaving shuts
        everything down within ``timeout`` seconds, both without blocking the event loop.

        However it is left, also by a cancellation in the middle of the start or of the stop, everything is stopped before
        that goes on. Raises on entering what ``supervise()`` raises.

        >>> import asyncio
        >>> async def program():
        ...     async with MetaService().running() as meta:
        ...         return meta.is_running()
        >>> asyncio.run(program())
        True
        """
        return running(self, timeout)

    # ------------------------------------------------------------------ observing and ending

    def events(self, replay: bool = False) -> EventReader:
        """A reader of the life-cycle events from now on, or with ``replay`` from the oldest that is kept."""
        return EventReader(replay)

    def subscribe(self, callback: Callable[[Event], object], replay: bool = False) -> Subscription:
        """Calls ``callback`` with every event, in order, on a thread of its own."""
        return Subscription(callback, replay)

    def shutdown(self, timeout: float = 30.0) -> None:
        """Stops every started service once, the last started first, within ``timeout`` seconds, and empties the
        registry. After that a start raises ``RuntimeClosed`` until ``MetaService()`` is constructed again."""
        deadline = _shutdown.Deadline(timeout)
        # Whoever populates the registry at this moment is given up in time to stop the services.
        ticket = self._begin_end(deadline.share(), False)
        try:
            # Again after the closing, in case somebody has begun one in between.
            supervisions = [_supervisor.take()]
            close_roster()
            supervisions.append(_supervisor.take())
            _shutdown.stop_everything(deadline)
            for supervision in supervisions:
                if supervision is not None:
                    supervision.join()
            registry = self._app
            if registry is not None:
                registry._take_out_of_force()
                for service in registry.background.values():
                    service._kept_as = None
                registry.background.clear()
            _stand_in.cache_clear()
            ticket.clear()
        finally:
            ticket.end()

    def stop(self) -> None:
        """``shutdown()``: the registry ends with all that it started."""
        self.shutdown()

    def reset(self, hook: Any = None) -> None:
        """Stops everything and populates the registry anew."""
        self.shutdown()
        self._populate()

    def _registry(self) -> ApplicationContext:
        registry = self._app
        if registry is not None:
            return registry
        if self.error is not None and self.has_failed():
            raise ServiceNotRunning(
                f"MetaService is FAILED, populating it raised {describe(self.error)}; "
                "mend the cause, the next MetaService() tries again"
            )
        if _shutdown.is_exiting():
            raise RuntimeClosed("MetaService is shut down, the interpreter is exiting")
        raise RuntimeClosed("MetaService was shut down; construct MetaService() to populate it anew")

    # So that an instance whose attributes somebody may have changed is known.
    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        return self._own_attributes()

    def __reduce__(self) -> Any:
        return _rebuild_meta, (type(self), self.run_svcs)


def _runs(service: Any, hook: Any) -> bool:
    """Whether a service runs, started if need be."""
    running: bool = service.is_running() or (service.enabled and service.start(hook).is_running())
    return running


@lru_cache(maxsize=len(HOOK_SERVICES))
def _stand_in(name: str) -> ProxyService:
    """What hooks have where no service is registered under a name; like a kept service the same one for all of them."""
    stand_in = ProxyService()
    stand_in._name = name
    return stand_in


def _check_service_class(name: str, cls: object) -> None:
    if not isinstance(cls, type) or not issubclass(cls, CommonService):
        shown = cls.__qualname__ if isinstance(cls, type) else f"an instance of {type(cls).__qualname__}"
        raise TypeError(f"the builder of service {name!r} must be a subclass of CommonService, not {shown}")


def _is_shipped(cls: type) -> bool:
    return cls.__module__.startswith(("jaseci.svc.", "jaseci_serv.svc."))


def _info(name: str, service: CommonService[Any]) -> ServiceInfo:
    healthy, reason, age = last_verdict(service)
    starts, failures, restarts, took = counts_of(service)
    return ServiceInfo(
        name,
        type(service),
        service.state,
        service.error,
        service._since,
        healthy,
        reason,
        age,
        starts,
        failures,
        restarts,
        took,
    )


def _rebuild_meta(cls: type[MetaService], run_svcs: bool) -> MetaService:
    meta = cls()
    meta.run_svcs = run_svcs
    return meta


def kept_service(name: str) -> Any:
    """The kept service of a name, or None; populates and builds nothing."""
    registry = MetaService.__new__(MetaService)._app
    return None if registry is None else registry.background.get(name)


def _build_and_keep(meta: MetaService, name: str, *args: Any, **kwargs: Any) -> Any:
    return meta.build_service(name, True, *args, **kwargs)


def shut_down_process(timeout: float) -> None:
    """At the exit: shuts down what was populated, without populating anything for it."""
    meta = MetaService.__new__(MetaService)
    meta.shutdown(timeout)


_short_cuts.install({"start_by_reading": start_by_reading, "build_and_keep": _build_and_keep}, MetaService)
