"""What does it cost to build a service and start it, against the same class in plain Python?"""

import json
import threading
from collections.abc import Iterator
from typing import Any

from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, ServiceState

from bench.config_read import CONFIG
from bench.harness import Answer, Snippet, compare

APP = object()


class Native(CommonService):
    """Written as the manual says."""

    def build_config(self, hook: Any) -> dict[str, Any]:
        return hook.service_glob("BENCH_CONFIG", CONFIG)

    def run(self) -> None:
        self.app = APP

    def post_run(self) -> None:
        pass


class PlainHook:
    """Globs in a dict, settings parsed on every read."""

    def __init__(self) -> None:
        self.globs: dict[str, str] = {}

    def service_glob(self, name: str, default: dict[str, Any]) -> dict[str, Any]:
        if name not in self.globs:
            self.globs[name] = json.dumps(default)
        return json.loads(self.globs[name])


class PlainService:
    """The least that starts once under a lock: no waiting with a deadline, no events, no roster, no generations."""

    def __init__(self, hook: Any = None) -> None:
        self.lock = threading.RLock()
        self.app: Any = None
        self.enabled = False
        self.quiet = True
        self.state = ServiceState.NOT_STARTED
        self.config: dict[str, Any] = {}
        self.kube: Any = None
        self.error: BaseException | None = None
        self.daemons: dict[str, threading.Thread] = {}
        self.build_settings(hook)

    def build_settings(self, hook: Any) -> None:
        try:
            self.kube = self.build_kube(hook)
            config = self.build_config(hook)
            self.enabled = config.pop("enabled", False)
            self.quiet = config.pop("quiet", False)
            self.config = config
        except Exception as error:
            self.error = error
            self.enabled = False

    def build_kube(self, hook: Any) -> dict[str, Any] | None:
        return None

    def build_config(self, hook: Any) -> dict[str, Any]:
        return {}

    def start(self, hook: Any = None) -> "PlainService":
        with self.lock:
            if self.enabled and self.app is None and self.state is ServiceState.NOT_STARTED:
                try:
                    self.state = ServiceState.STARTED
                    self.run()
                    self.state = ServiceState.RUNNING
                    self.post_run()
                except Exception as error:
                    self.error = error
                    self.app = None
                    self.state = ServiceState.FAILED
        return self

    def run(self) -> None:
        raise NotImplementedError

    def post_run(self) -> None:
        pass


class Plain(PlainService):
    """The same service on it."""

    def build_config(self, hook: Any) -> dict[str, Any]:
        return hook.service_glob("BENCH_CONFIG", CONFIG)

    def run(self) -> None:
        self.app = APP

    def post_run(self) -> None:
        pass


def answers() -> Iterator[Answer]:
    statement = "Service(hook).start(hook)"
    hook = MemoryHook()
    yield compare(
        "build and start, 7 keys",
        Snippet(statement, {"Service": Native, "hook": hook}),
        Snippet(statement, {"Service": Plain, "hook": PlainHook()}),
        0.5,
    )
    hook.destroy_glob("BENCH_CONFIG")
