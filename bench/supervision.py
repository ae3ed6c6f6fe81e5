"""What does supervision cost, and how fast is it?"""

import logging
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaseci.svc import CommonService, MetaService

from bench.harness import Answer, duration

SERVICES = 1000
# Two intervals, after the first one has passed: until then nobody is checked.
WATCHED_SECONDS = 20.0
INTERVAL = 10.0
CPU_BUDGET = 0.01

REVIVALS = 50
DELAY = 0.001

LAYERS, WIDTH, START_SECONDS = 10, 20, 0.02
STARTS = 3


class Service(CommonService):
    """Enabled, and asked how it is by a method of its own."""

    health_interval = INTERVAL
    backoff = (DELAY, DELAY)
    restart_cap = (10**6, 60.0)
    pause = 0.0

    def build_config(self, hook: Any) -> dict[str, Any]:
        return {"enabled": True, "quiet": True}

    def run(self) -> None:
        if self.pause:
            time.sleep(self.pause)
        self.app = object()

    def health(self) -> bool:
        return self.app is not None


class NoServices(MetaService):
    """Registers none of the shipped services."""

    def populate_services(self) -> None:
        pass


@contextmanager
def supervised(classes: dict[str, type[Service]]) -> Iterator[MetaService]:
    """A process of its own, as it were, with these services under supervision."""
    MetaService().shutdown()
    meta = NoServices()
    # The restarts are on purpose.
    logging.getLogger("jaseci.svc").setLevel(logging.CRITICAL)
    for name, cls in classes.items():
        meta.add_service_builder(name, cls)
    try:
        yield meta
    finally:
        meta.shutdown()
        MetaService()


def cpu_share() -> Answer:
    """Of checking a thousand services every ten seconds, beside a process that does nothing else."""
    with supervised({f"s{number}": Service for number in range(SERVICES)}) as meta:
        meta.supervise()
        time.sleep(INTERVAL)
        began = time.process_time()
        time.sleep(WATCHED_SECONDS)
        share = (time.process_time() - began) / WATCHED_SECONDS
        assert all(info.healthy for info in meta.services())
    question = f"CPU share of checking {SERVICES} services"
    return Answer(question, f"{share:.2%}", f"{CPU_BUDGET:.0%} budget", share / CPU_BUDGET, 1.0)


def revival() -> Answer:
    """From the moment at which a service is FAILED to the one at which it is RUNNING again, against the mere delay."""
    with supervised({"service": Service}) as meta:
        meta.supervise()
        service = meta.get_service("service")
        running = threading.Event()
        took = []
        with meta.subscribe(lambda event: running.set() if event.after.is_running() else None):
            for _ in range(REVIVALS):
                running.clear()
                began = time.perf_counter()
                service.failed()
                assert running.wait(10)
                took.append(time.perf_counter() - began)
    median = statistics.median(took)
    return Answer("from FAILED to RUNNING, median", duration(median), f"{duration(DELAY)} delay", median / DELAY, None)


def layers() -> dict[str, type[Service]]:
    """Services in layers, each of which requires two of the layer before it."""
    classes = {}
    for layer in range(LAYERS):
        for place in range(WIDTH):
            below = [f"s{layer - 1}_{(place + step) % WIDTH}" for step in (0, 1)] if layer else []
            attributes = {"requires": tuple(below), "pause": START_SECONDS}
            classes[f"s{layer}_{place}"] = type("Layered", (Service,), attributes)
    return classes


def start_in_layers() -> Iterator[Answer]:
    """Against one start after the other, and against the longest chain of starts that wait for each other."""
    took = []
    for _ in range(STARTS):
        with supervised(layers()) as meta:
            began = time.perf_counter()
            meta.supervise()
            took.append(time.perf_counter() - began)
            assert all(info.state.is_running() for info in meta.services())
    sequential = time.perf_counter()
    for cls in layers().values():
        cls().start().stop()
    sequential = time.perf_counter() - sequential
    best, chain = min(took), LAYERS * START_SECONDS
    count = LAYERS * WIDTH
    yield Answer(
        f"start {count} services, to one by one", duration(best), duration(sequential), best / sequential, None
    )
    yield Answer(f"start {count} services, to the chain", duration(best), duration(chain), best / chain, 1.15)


def answers() -> Iterator[Answer]:
    yield from start_in_layers()
    yield revival()
    yield cpu_share()
