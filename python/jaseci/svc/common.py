"""``CommonService``: the base of every service.

A service wraps a library (a Celery app, a Stripe client). It lives from its construction to its collection and, in
between, through generations: each begins with a construction or a reset and ends with a reset or a stop.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self

from jaseci.svc import _daemons
from jaseci.svc._arguments import with_hook, without_hook
from jaseci.svc._core import ApplicationContext, DaemonInfo, ServiceCore, beat, is_closed
from jaseci.svc._forking import construct_anew
from jaseci.svc._health import ailment
from jaseci.svc._layout import ServiceType
from jaseci.svc._log import describe
from jaseci.svc._settings import build_settings
from jaseci.svc._starting import execute_start
from jaseci.svc.errors import RuntimeClosed, ServiceNotRunning, ServiceUnhealthy

__all__ = ["ApplicationContext", "CommonService", "MetaProperties", "ProxyService"]

if TYPE_CHECKING:
    # With a default, which Python has from 3.13 on: a bare `CommonService`, as the manual writes it, is complete.
    from typing_extensions import TypeVar

    AppT = TypeVar("AppT", default=Any)
else:
    from typing import TypeVar

    AppT = TypeVar("AppT")


class CommonService(ServiceCore[AppT], Generic[AppT], metaclass=ServiceType):
    """The base of every service: override ``run`` and ``build_config``.

    ``hook`` is the view of one unit of work on configuration and objects; without one, settings come from a hook that
    the process's ``MetaService`` builds. Settings that cannot be used leave the service disabled, with ``error`` set
    and a log record; the constructor raises nothing because of them.

    ``CommonService[stripe.StripeClient]`` tells a type checker what ``app`` is.

    >>> class Greeter(CommonService):
    ...     def build_config(self, hook):
    ...         return hook.service_glob("GREETER_CONFIG", {"enabled": True, "greeting": "Hello"})
    ...
    ...     def run(self):
    ...         self.app = f"{self.config['greeting']}, {{}}!".format
    >>> greeter = Greeter()
    >>> greeter.app("Ada")  # reading app starts it
    'Hello, Ada!'
    >>> greeter.state
    <ServiceState.RUNNING: 2>
    """

    start_timeout: float = 30.0
    """How long a caller waits for another one's start, reset or stop, in seconds."""

    daemon_grace: float = 2.0
    """How long a daemon may take to stop when asked, and once more when interrupted, in seconds."""

    fork_safe: bool = True
    """Whether a forked child may go on using ``app``. False: the child's service is NOT_STARTED."""

    requires: ClassVar[tuple[str, ...]] = ()
    """The services without which it does not run: under supervision it starts after them and is stopped before them."""

    wants: ClassVar[tuple[str, ...]] = ()
    """The services after which it starts, if they are registered, whatever becomes of them."""

    restart: Literal["never", "on-failure", "always"] = "on-failure"
    """When the supervisor restarts it: never; when it has failed, is unhealthy, or a daemon of its ended with an error or
    is silent; or always, so that it also comes back after a ``stop()`` and a daemon that returned runs again."""

    on_dependency_loss: Literal["restart", "keep"] = "restart"
    """When a service that it requires ends or is restarted: it is restarted with it, or keeps going."""

    backoff: tuple[float, float] = (0.5, 30.0)
    """The delay before the first restart, and the longest, in seconds. Each is twice the one before, and shortened at random,
    by half at most. They begin anew when it has run for the seconds of ``restart_cap``."""

    restart_cap: tuple[int, float] = (5, 60.0)
    """How many restarts there may be in how many seconds. One more, and it is left FAILED, with ``RestartLimitReached``."""

    health_interval: float | None = 10.0
    """How many seconds pass from one health check to the next; None: there are none."""

    health_timeout: float = 2.0
    """How many seconds ``health()`` may take to answer."""

    watchdog: ClassVar[Mapping[str, float]] = {}
    """How many seconds a daemon may let pass without a call of ``alive()``, by the daemon's name."""

    def __init__(self, hook: Any = None) -> None:
        self._renew(hook)
        self.build_settings(hook)

    # ------------------------------------------------------------------ to be overridden

    def build_kube(self, hook: Any) -> dict[str, Any] | None:
        """The Kubernetes manifests by kind; called before ``build_config``. None: there are none."""
        return None

    def build_config(self, hook: Any) -> dict[str, Any]:
        """The config: a dict with ``enabled``, ``quiet`` and whatever the service needs."""
        return {}

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises an exception that says why, if the service could not use this config (without ``enabled`` and ``quiet``).

        Asked before ``config_set`` stores a value: one that is refused changes nothing.
        """

    # The parameters are declared loosely: an override may leave `hook` out. The result is not: nothing takes it, and a
    # type checker finds an override that is `async def`, which a start refuses.
    def run(self, *args: Any, **kwargs: Any) -> None:
        """Starts the library: sets ``app``. May be written with or without the parameter ``hook``."""
        raise NotImplementedError("Not properly configured! Please override run method!")

    def post_run(self, *args: Any, **kwargs: Any) -> None:
        """After ``run``, RUNNING already: the place to spawn daemons. With or without the parameter ``hook``."""

    def failed(self) -> None:
        """Called when a start has failed; ``error`` is set. Overrides call ``super().failed()``."""
        self._fail()

    def health(self) -> bool | str | None:
        """How a RUNNING service is: None or True if all is well, else False or a text that says what is wrong.

        Called by the supervisor every ``health_interval`` seconds, on one of its threads and never twice at a time. An
        exception says what is wrong as well, and so does an answer that takes longer than ``health_timeout`` seconds.
        Reading ``app`` in it starts nothing.
        """
        return True if self.is_running() else "it has no app"

    # ------------------------------------------------------------------ life cycle

    def build_settings(self, hook: Any = None) -> None:
        """Reads the settings: ``build_kube``, then ``build_config``."""
        build_settings(self, hook)

    def start(self, hook: Any = None) -> Self:
        """Starts an enabled service that is NOT_STARTED, and waits if another thread is doing so.

        Returns the service, RUNNING or FAILED or as it was. Raises ``StartCycle``, ``StartTimeout`` (after
        ``start_timeout`` seconds), ``RuntimeClosed``, or a ``BaseException`` of ``run`` that is no ``Exception``.
        """
        if self._cut_short:
            CommonService.reset(self, hook)
            return self
        ticket = self._begin_start(self.start_timeout)
        if ticket is not None:
            execute_start(self, ticket, hook)
        return self

    async def start_async(self, hook: Any = None) -> Self:
        """``start`` on a thread, for programs on an event loop."""
        return await asyncio.to_thread(self.start, hook)

    async def ready(self, timeout: float | None = None) -> AppT:
        """The running app, started if need be, without blocking the event loop.

        Raises ``ServiceNotRunning`` if the service does not run, ``TimeoutError`` after ``timeout`` seconds.
        """
        if self.is_running():
            return self.poke()
        return await asyncio.wait_for(asyncio.to_thread(self.poke), timeout)

    def poke(self) -> AppT:
        """The running app, started if need be. Raises ``ServiceNotRunning`` with service, state and cause, or its subclass
        ``ServiceUnhealthy`` if the last health check has found that it is not well."""
        app = self.app
        if app is None or not self.is_running():
            raise ServiceNotRunning(_why_not_running(self))
        wrong = ailment(self)
        if wrong is not None:
            raise ServiceUnhealthy(f"service {self._name!r} ({type(self).__name__}) is RUNNING but unhealthy: {wrong}")
        return app

    def reset(self, hook: Any = None) -> None:
        """Ends the generation, reads the settings again and starts anew. The way out of FAILED.

        Daemons are stopped. A ``run`` that is under way on another thread is waited for, ``start_timeout`` seconds at
        most; after that, whatever it still writes is dropped. The constructor is called again with the original
        arguments and this hook. Raises what ``start`` raises; after a shutdown that is ``RuntimeClosed``, at once.
        Nothing happens if the caller is a daemon or a ``run`` that a stop or another reset has ended meanwhile.
        """
        if is_closed():
            # Before settings are read: without a hook, that would populate the registry anew.
            raise RuntimeClosed(
                f"service {self._name!r} is not reset: the service runtime has been shut down; "
                "construct MetaService() to populate it anew"
            )
        ticket = self._begin_end(self.start_timeout, True)
        try:
            if not ticket.is_in_force():
                return  # the caller's own generation is over
            _daemons.settle(self, *self._terminate_past(self.daemon_grace))
            if not ticket.clear():
                return  # another reset or a stop has given this one up
            args, kwargs = with_hook(self, hook)
            construct_anew(self, args, kwargs)
            self.start(hook)
        finally:
            ticket.end()

    def stop(self) -> None:
        """Ends the generation: daemons stopped, app dropped, NOT_STARTED. Reading ``app`` does not start it again,
        ``start`` and ``reset`` do. Overrides call ``super().stop()``."""
        ticket = self._begin_end(self.start_timeout, False)
        try:
            _daemons.settle(self, *self._terminate_past(self.daemon_grace))
            ticket.clear()
        finally:
            ticket.end()

    # ------------------------------------------------------------------ daemons

    def spawn_daemon(self, **targets: Callable[[], Any]) -> None:
        """Runs each target on a thread of its own, named ``<service>/<name>``; a living daemon is left alone.

        A target that loops asks ``self.stop_requested`` whether to go on.

        >>> class Clock(CommonService):
        ...     def build_config(self, hook):
        ...         return {"enabled": True}
        ...
        ...     def run(self):
        ...         self.app = []
        ...
        ...     def post_run(self):
        ...         self.spawn_daemon(ticking=self.tick)
        ...
        ...     def tick(self):
        ...         while not self.stop_requested.wait(60):
        ...             self.app.append("tick")
        >>> clock = Clock().start()
        >>> clock.daemons()
        [<DaemonInfo ticking: alive>]
        >>> clock.stop()  # the daemon wakes up, and ends, at once
        >>> clock.daemons()
        [<DaemonInfo ticking: ended>]
        """
        for name, target in targets.items():
            _daemons.spawn(self, name, target)

    def terminate_daemon(self, *names: str) -> None:
        """Stops daemons: asks, interrupts with ``SystemExit`` after ``daemon_grace`` seconds, gives up after as many
        again, with a log record. Unknown names are ignored. A daemon may stop itself this way."""
        _daemons.terminate(self, list(names))

    def daemons(self) -> list[DaemonInfo]:
        """The service's daemons, ended ones included: name, alive, since (seconds since the epoch), last error."""
        return self._daemon_infos()

    def alive(self, interval: float | None = None) -> None:
        """Called by a daemon: it is alive. ``interval`` promises the next call within so many seconds.

        One that has promised an interval, here or in ``watchdog``, and lets it pass is reported by the supervisor, ended,
        and run again. Raises ``RuntimeError`` where no daemon of the service calls, ``ValueError`` for no interval.
        """
        if not beat(self, interval):
            raise RuntimeError(f"alive() is for the daemons of service {self._name!r}, and none of them has called it")

    # ------------------------------------------------------------------ as an object

    def __reduce__(self) -> Any:
        """As a reference to what to rebuild: never live sockets or threads."""
        kept_as = self._kept_as
        if kept_as is not None:
            return _rebuild_kept, (kept_as,)
        return _rebuild, (type(self), *without_hook(self))

    def __repr__(self) -> str:
        enabled = "" if self.enabled else ", disabled"
        return f"<{type(self).__name__} {self._name!r}: {self.state.name}{enabled}>"


class ProxyService(CommonService[Any]):
    """A disabled stand-in, where a hook is built without services."""


class MetaProperties:
    """What is process-wide about a ``MetaService``, to look at. Changes go through its methods."""

    app: Any

    @property
    def builders(self) -> dict[str, type[CommonService[Any]]]:
        """The registered classes by name; a copy."""
        return dict(self.app.services)

    @property
    def kept(self) -> dict[str, CommonService[Any]]:
        """The kept services by name; a copy."""
        return dict(self.app.background)

    @property
    def contexts(self) -> dict[str, Any]:
        """The context entries by name; a copy."""
        return dict(self.app.context)


def _why_not_running(service: CommonService[Any]) -> str:
    error = service.error
    cause = f": {describe(error)}" if error is not None else ""
    named = f"service {service._name!r} ({type(service).__name__})"
    state = service.state
    if state.has_failed():
        return f"{named} is FAILED{cause}; mend the cause and reset it"
    if not service.enabled:
        return f"{named} is disabled{cause}; enable it in its config and reset it"
    if state.is_running():
        return f"{named} is RUNNING without an app; its run() has set none"
    return f"{named} is {state.name}{cause}; start it"


def _rebuild_kept(name: str) -> Any:
    from jaseci.svc.meta import MetaService

    if is_closed():
        raise RuntimeClosed(
            f"service {name!r} is not unpickled: the service runtime has been shut down; "
            "construct MetaService() to populate it anew"
        )
    return MetaService().get_service(name)


def _rebuild(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return cls(*args, **kwargs)
