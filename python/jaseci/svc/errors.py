"""What the runtime raises. Every message names the service or config, the reason and what to do; none holds a secret."""


class ServiceError(Exception):
    """Anything that the service runtime raises by itself."""


class ServiceNotRunning(ServiceError):
    """``poke()`` or ``ready()`` found no running app; the message says in which state the service is, and why."""


class StartCycle(ServiceError):
    """Services wait for each other in a circle; the message shows it, as in ``a -> b -> a``."""


class StartTimeout(ServiceError, TimeoutError):
    """Another thread has been starting, resetting or building the service for too long; the message names it."""


class RuntimeClosed(ServiceError):
    """A start after ``MetaService().shutdown()`` or at the interpreter's exit."""


class ConfigError(ServiceError, ValueError):
    """Settings that cannot be used: no JSON object, an ``enabled`` that is no boolean, too deep, too long."""


class SourceUnavailable(ServiceError):
    """A layer of the configuration chain cannot be asked: it cannot be reached, does not answer in time, or is not ready.

    It passes by itself. After a write it is not known whether the write took place."""


class SourceRefused(ServiceError):
    """A layer of the configuration chain answers, and refuses; the message says what to mend."""


class BuilderExists(ServiceError):
    """A second builder for a name that has one; ``replace=True`` replaces it."""


class ManifestError(ConfigError):
    """A YAML text that is no manifest: the message says where and why; ``line`` and ``column`` count from 1."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.line = line
        self.column = column


class ServiceUnhealthy(ServiceNotRunning):
    """``poke()`` or ``ready()`` found a service that is RUNNING, and whose last health check says that it is not well."""


class DependencyError(ServiceError, ValueError):
    """``requires`` and ``wants`` that allow no order: a circle, shown with its path, or a name that is not registered."""


class DependencyFailed(ServiceError):
    """The ``error`` of a service that was not started, or was stopped, because of one that it requires."""


class RestartLimitReached(ServiceError):
    """The ``error`` of a service that was restarted too often and is left FAILED; ``history`` has its last restarts, the
    oldest first: how many seconds before the end each was, and why."""

    def __init__(self, message: str, history: list[tuple[float, str]] | None = None) -> None:
        super().__init__(message)
        self.history = history or []
