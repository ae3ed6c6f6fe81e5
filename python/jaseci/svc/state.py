"""Where a service stands in its life."""

from enum import Enum


class ServiceState(Enum):
    """The four states of a service; their numbers are public interface."""

    FAILED = -1
    NOT_STARTED = 0
    STARTED = 1
    RUNNING = 2

    def is_ready(self) -> bool:
        """NOT_STARTED."""
        return self is ServiceState.NOT_STARTED

    def is_running(self) -> bool:
        """RUNNING."""
        return self is ServiceState.RUNNING

    def has_failed(self) -> bool:
        """FAILED."""
        return self is ServiceState.FAILED
