"""A WSGI application with a service of which every worker process has its own."""

import os
from collections.abc import Callable
from typing import Any

from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, MetaService


class Counter(CommonService):
    """Its app belongs to one process, like a socket: a worker that is forked starts its own."""

    fork_safe = False

    def build_config(self, hook: MemoryHook) -> dict[str, Any]:
        return {"enabled": True}

    def run(self) -> None:
        self.app = {"made in": os.getpid(), "answers": 0}

    def stop(self) -> None:
        super().stop()
        print(f"counter stopped in {os.getpid()}", flush=True)


MetaService().add_service_builder("counter", Counter)


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Says who answers, and whose service it is."""
    counter = MetaService().get_service("counter").poke()
    counter["answers"] += 1
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"worker {os.getpid()}, service of {counter['made in']}\n".encode()]
