"""Do eight threads slow ``get_service`` more than they slow a plain dict lookup?"""

import threading
import timeit
from collections.abc import Callable, Iterator
from typing import Any

from jaseci.svc import CommonService, MetaService

from bench.harness import Answer, best_of_timers, registered

THREADS = 8


class Stripe(CommonService):
    """A service to be kept."""


def _crowd(statement: str, names: dict[str, Any]) -> Callable[[int], float]:
    """Times turns that are shared out among the threads: the wall time of all of them together."""

    def timed(turns: int) -> float:
        together = threading.Barrier(THREADS + 1)

        def work() -> None:
            timer = timeit.Timer(statement, globals=names)
            together.wait()
            timer.timeit(max(1, turns // THREADS))

        threads = [threading.Thread(target=work) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        together.wait()
        begin = timeit.default_timer()
        for thread in threads:
            thread.join()
        return timeit.default_timer() - begin

    return timed


def answers() -> Iterator[Answer]:
    meta: Any = MetaService()
    with registered(meta, stripe=Stripe):
        names = {"meta": meta, "plain": {"stripe": meta.get_service("stripe")}}
        ours, rival = "meta.get_service('stripe')", "plain.get('stripe')"
        alone, alone_rival, crowd, crowd_rival = best_of_timers(
            timeit.Timer(ours, globals=names).timeit,
            timeit.Timer(rival, globals=names).timeit,
            _crowd(ours, names),
            _crowd(rival, names),
        )
    slowed, slowed_rival = crowd / alone, crowd_rival / alone_rival
    yield Answer(
        "slow-down of get_service by 8 threads",
        f"x {slowed:.2f}",
        f"x {slowed_rival:.2f}",
        slowed / slowed_rival,
        1.15,
    )
