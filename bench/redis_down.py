"""What does a hook cost while Redis is down, against while it is up?"""

import logging
import timeit
from collections.abc import Iterator

from jaseci.svc import MetaService, ServiceState

from bench.harness import Answer, best_of_timers, duration
from bench.redis_server import served, shared

HOOKS = 1000


def answers() -> Iterator[Answer]:
    logging.getLogger("jaseci.svc").setLevel(logging.CRITICAL)
    with served() as server, shared(server) as meta:
        meta.build_hook().service_glob("BENCH_CONFIG", {"n": 1})
        [up] = best_of_timers(lambda turns: _seconds(meta, turns))
        events = meta.events()
        server.kill()
        while (event := events.next(timeout=20)) is not None and event.after is not ServiceState.FAILED:
            pass
        [down] = best_of_timers(lambda turns: _seconds(meta, turns))
    yield Answer(f"{HOOKS} hooks and a config, Redis down", duration(down), duration(up), down / up, 1.5)


def _seconds(meta: MetaService, turns: int) -> float:
    return timeit.timeit(lambda: _hooks(meta), number=turns)


def _hooks(meta: MetaService) -> None:
    for _ in range(HOOKS):
        meta.build_hook().service_glob("BENCH_CONFIG", {"n": 1})
