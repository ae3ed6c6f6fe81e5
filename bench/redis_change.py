"""How soon is a change seen in another process, against a message of redis-py's pub/sub? From the beginning of the write."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median, quantiles

import redis
from jaseci.svc.testing import PrivateRedis

from bench.harness import Answer, duration
from bench.redis_server import served, shared

NAME = "BENCH_CHANGE"
CHANGES = 500
# So that one change has settled before the next begins, as changes of settings do.
PAUSE = 0.002


def answers() -> Iterator[Answer]:
    with served() as server, redis.Redis(port=server.port, db=server.db) as client:
        with shared(server) as meta:
            ours = _delays(server, "settings", lambda text: meta.build_hook().commit_setting(NAME, text))
        theirs = _delays(server, "messages", lambda text: client.publish(NAME, text))
    yield _compared("a change, until seen elsewhere: median", median(ours), median(theirs))
    yield _compared("a change, until seen elsewhere: 99 %", _most(ours), _most(theirs))


def _compared(question: str, ours: float, theirs: float) -> Answer:
    return Answer(question, duration(ours), duration(theirs), ours / theirs, None)


def _most(delays: list[float]) -> float:
    return quantiles(delays, n=100)[-1]


def _delays(server: PrivateRedis, what: str, change: Callable[[str], object]) -> list[float]:
    """Seconds from the beginning of each change until another process has seen it."""
    watcher = subprocess.Popen(
        [sys.executable, "-m", "bench.redis_watcher", what, str(server.port), str(server.db), NAME, str(CHANGES)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with watcher:
        assert watcher.stdout is not None
        watcher.stdout.readline()  # it is ready
        delays = []
        for number in range(CHANGES):
            time.sleep(PAUSE)
            began = time.monotonic()
            change(str(number))
            delays.append(float(watcher.stdout.readline()) - began)
    return delays
