"""``JsOrc``: keeps services alive, by the supervisor of the process."""

import logging
from typing import TYPE_CHECKING, Any, Self

from jaseci.svc import _supervisor
from jaseci.svc._log import describe, report
from jaseci.svc.errors import ConfigError, RuntimeClosed

if TYPE_CHECKING:
    from jaseci.svc.meta import MetaService


class JsOrc:
    """Keeps the services of ``keep_alive`` running, those that are registered, and what they require.

    A service that is not running and healthy is reset, after the delays of its ``backoff`` and ``interval`` seconds at most;
    it is never given up, and neither a ``stop()`` nor ``restart = "never"`` ends that. A healthy one is left alone, and so
    is a disabled one. Lives from the start of its service to its stop.
    """

    def __init__(self, meta: "MetaService", interval: float, namespace: str, keep_alive: list[str]) -> None:
        self._meta = meta
        self.interval = interval
        self.namespace = namespace
        self.keep_alive = keep_alive
        # What was wrong in the last round, by service, so that it is logged once.
        self._reported: dict[str, str] = {}

    @classmethod
    def of_config(cls, meta: "MetaService", config: dict[str, Any]) -> Self:
        """From ``JSORC_CONFIG``. Raises ``ConfigError`` with the field that cannot be used, and why."""
        interval, namespace, keep_alive = (config.get(field) for field in ("interval", "namespace", "keep_alive"))
        if isinstance(interval, bool) or not isinstance(interval, (int, float)) or not 0 < interval < 1e9:
            raise ConfigError(f"JSORC_CONFIG: 'interval' must be a number of seconds above 0, not {interval!r}")
        if not isinstance(namespace, str) or not namespace:
            raise ConfigError(f"JSORC_CONFIG: 'namespace' must be the name of one, not {namespace!r}")
        if not isinstance(keep_alive, list) or not all(isinstance(name, str) for name in keep_alive):
            raise ConfigError(f"JSORC_CONFIG: 'keep_alive' must be a list of service names, not {keep_alive!r}")
        return cls(meta, float(interval), namespace, keep_alive)

    def look(self) -> None:
        """One round: takes up services that were registered meanwhile, and revives what was left alone.

        A service that cannot be taken up is logged, once for each reason, and the next one is looked at. Raises
        ``RuntimeClosed`` after a shutdown.
        """
        for name in self.keep_alive:
            if name not in self._meta.builders:
                continue
            try:
                _supervisor.keep_alive(self._meta, name, self.interval)
                self._reported.pop(name, None)
            except RuntimeClosed:
                raise
            except Exception as error:
                self._report(name, error)

    def let_go(self) -> None:
        """Leaves the services to their own policies."""
        for name in self.keep_alive:
            _supervisor.let_go(name)

    def _report(self, name: str, error: Exception) -> None:
        told = describe(error)
        if self._reported.get(name) != told:
            self._reported[name] = told
            report(logging.ERROR, f"JsOrc cannot keep service {name!r} alive: {told}")
