"""Timing: two snippets of the same shape, interleaved, the best of several rounds of each."""

import os
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

ROUNDS = 25
# Long enough for the clock, short enough that some rounds meet an idle machine.
ROUND_SECONDS = 0.01


@dataclass(frozen=True)
class Answer:
    """One line of the table. ``target`` is the highest ratio that will do; None: reported only."""

    question: str
    ours: str
    rival: str
    ratio: float
    target: float | None

    @property
    def verdict(self) -> str:
        """How the ratio stands to the target."""
        if self.target is None:
            return "reported"
        return "met" if self.ratio <= self.target else "MISSED"


@dataclass(frozen=True)
class Snippet:
    """A statement to time, and the names in it. The loop around it is compiled in: no call per turn."""

    statement: str
    names: dict[str, Any] = field(default_factory=dict)

    def timer(self) -> Callable[[int], float]:
        """What times a number of turns."""
        return timeit.Timer(self.statement, globals=self.names).timeit


def best(*snippets: Snippet) -> list[float]:
    """Seconds per turn of each, taken in turns, so that a busy moment of the machine meets all of them."""
    return best_of_timers(*(snippet.timer() for snippet in snippets))


def best_of_timers(*timers: Callable[[int], float]) -> list[float]:
    """As ``best``, for what times a number of turns by itself."""
    turns = [_turns_per_round(timer) for timer in timers]
    least = [float("inf")] * len(timers)
    for _ in range(ROUNDS):
        for at, (timer, number) in enumerate(zip(timers, turns, strict=True)):
            least[at] = min(least[at], timer(number) / number)
    return least


def compare(question: str, ours: Snippet, rival: Snippet, target: float | None) -> Answer:
    """The answer to a question of time."""
    mine, theirs = best(ours, rival)
    return Answer(question, duration(mine), duration(theirs), mine / theirs, target)


def duration(seconds: float) -> str:
    """For people."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e9:.1f} ns"


@contextmanager
def one_core() -> Iterator[None]:
    """Keeps this process, and what it starts, on one core: waking another one takes long, and
    whether it has to be is chance."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def registered(meta: Any, **classes: type) -> Iterator[None]:
    """Registers services for one question and takes them out again."""
    for name, cls in classes.items():
        meta.add_service_builder(name, cls, replace=True)
    try:
        yield
    finally:
        for name in classes:
            kept = meta.app.background.pop(name, None)
            if kept is not None:
                kept.stop()
            del meta.app.services[name]


def _turns_per_round(timer: Callable[[int], float]) -> int:
    turns = 1
    while (taken := timer(turns)) < ROUND_SECONDS / 2:
        turns *= 2 if taken > ROUND_SECONDS / 20 else 10
    return max(1, round(turns * ROUND_SECONDS / taken))
