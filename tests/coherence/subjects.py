"""What is put to the test, and what the test itself is put to: ways for a process to read and write a shared Redis.

Each lives as long as its thread. `unit()` begins a unit of work; `read` tells a value and whether it claims to be fresh.
"""

import os
import random
import threading
import time
from typing import ClassVar, Protocol

from coherence.history import FRESH, STALE, UNSAID

TIMEOUT = 1.0  # seconds for one answer of Redis, where the subject is ours


class Subject(Protocol):
    def unit(self) -> None: ...

    def read(self, name: str) -> tuple[str | None, str]:
        """The value, or None for nothing or a default, and its freshness."""

    def write(self, name: str, text: str) -> bool:
        """Whether it was acknowledged; if not, nobody knows."""


class Runtime:
    """The runtime, as an application uses it: a new hook for each unit of work."""

    def __init__(self) -> None:
        from jaseci.svc import MetaService

        self._meta = MetaService()
        self.unit()

    def unit(self) -> None:
        self._hook = self._meta.build_hook()

    def read(self, name: str) -> tuple[str | None, str]:
        if random.random() < 0.25:
            return self._hook.get_glob(name), UNSAID
        told = self._hook.explain(name)
        if told.layer == "default":
            return None, FRESH
        return told.value, STALE if told.stale or told.provisional else FRESH

    def write(self, name: str, text: str) -> bool:
        from jaseci.svc import SourceUnavailable

        try:
            if random.random() < 0.5:
                (answer,) = self._meta.build_super_master().config_set(name, text, do_check=False)
                return answer.endswith(" set!")
            self._hook.commit_setting(name, text)
        except SourceUnavailable:
            return False
        return True


class Direct:
    """No cache: every read asks Redis, and what it does not tell is what it last told, as stale. Slow, and right."""

    known: ClassVar[dict[str, str]] = {}
    """What the process knows; who reads or writes holds the lock meanwhile, so that all its threads go one way."""
    lock = threading.Lock()

    def __init__(self) -> None:
        import redis

        self.client = redis.Redis(
            host=os.environ["REDIS_HOST"],
            port=int(os.environ["REDIS_PORT"]),
            db=int(os.environ["REDIS_DB"]),
            decode_responses=True,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=None,
        )
        self.error = redis.RedisError

    def unit(self) -> None:
        pass

    def read(self, name: str) -> tuple[str | None, str]:
        with Direct.lock:
            try:
                text = self.client.hget("global", name)
            except self.error:
                return self.known.get(name), STALE
            if text is None:
                return self.known.get(name), STALE if name in self.known else FRESH
            self.known[name] = text
            return text, FRESH

    def write(self, name: str, text: str) -> bool:
        with Direct.lock:
            try:
                self.client.hset("global", name, text)
            except self.error:
                return False
            self.known[name] = text
            return True


def _new_lock() -> None:
    Direct.lock = threading.Lock()


# In a child nobody is left who could release it.
os.register_at_fork(after_in_child=_new_lock)


class Hasty(Direct):
    """Keeps what it has read for four seconds and calls it fresh, takes an outage for nothing, and forgets at times."""

    KEPT = 4.0

    def __init__(self) -> None:
        super().__init__()
        self._cached: dict[str, tuple[float, str | None]] = {}

    def read(self, name: str) -> tuple[str | None, str]:
        since, text = self._cached.get(name, (0.0, None))
        if time.monotonic() - since < self.KEPT:
            return text, FRESH
        try:
            text = self.client.hget("global", name)
        except self.error:
            return None, FRESH
        self._cached[name] = (time.monotonic(), text)
        return text, FRESH


SUBJECTS = {"runtime": Runtime, "direct": Direct, "hasty": Hasty}
