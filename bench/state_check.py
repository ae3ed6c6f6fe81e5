"""What does ``is_running()`` cost, against the same test written in Python?"""

from collections.abc import Iterator
from typing import Any

from jaseci.svc import CommonService, ServiceState

from bench.harness import Answer, Snippet, compare

# Bound, since up to Python 3.11 reading a member off its enum is slow by itself.
RUNNING = ServiceState.RUNNING


class Native(CommonService):
    """A service that runs."""

    def build_config(self, hook: Any) -> dict[str, Any]:
        return {"enabled": True}

    def run(self) -> None:
        self.app = object()


class Plain:
    """Two attributes and a test of them."""

    def __init__(self) -> None:
        self.state = RUNNING
        self.app: Any = object()

    def is_running(self) -> bool:
        return self.state is RUNNING and self.app is not None


def answers() -> Iterator[Answer]:
    service = Native().start()
    statement = "service.is_running()"
    yield compare(
        "service.is_running()", Snippet(statement, {"service": service}), Snippet(statement, {"service": Plain()}), 0.85
    )
    service.stop()
