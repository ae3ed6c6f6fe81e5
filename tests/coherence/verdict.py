"""Whether what the processes saw is what they were promised. Pure: a history in, violations out.

**Time.** Nothing is known but intervals: an operation took effect sometime between its begin and its end. One operation
is *after* another only if it began when the other had ended. A write that was not acknowledged has no end: its bytes may
be anywhere, and it may take effect at any time from its begin on, or never.

**What Redis may have held.** Every value is written once. From its write's begin on Redis may hold it, until it is
certainly gone: an acknowledged write after it has ended, or Redis was emptied (a *wipe*: FLUSHALL, a restart without
data) after it. A *swap* puts the whole database aside for a while and then back: what was written meanwhile is in a
database that goes away with the swap's end, and what was there before is there again afterwards. A write whose interval
touches a swap's edge may be in either. Everything is estimated in favour of the accused.

A **violation** is:

- `old`: a read that was told it is fresh, of a value that Redis certainly did not hold at any moment from the bound before
  the read's begin until its end. So a value that was superseded by a write acknowledged more than the bound before;
  a value claimed fresh although Redis was emptied, or put aside, more than the bound before.
- `absent`: a read that was told, as fresh, that there is nothing, although Redis certainly held something all that time.
- `backward`: in one process a read of a value that is certainly older than one which the process has read before, or has
  written with success. Also if either was reported stale: what is known is not unlearned. A forked child knows what its
  parent knew. Not if the newer one was written into a database that a swap has taken away again.
- `forgotten`: a process reads nothing, or a default, for a name that it has read or written before. No excuse.
- `failed`: reading such a name raised.
- `invented`: a value that nobody has written, or not yet.
- `lost`: Redis itself, looked at past the link, holds what it certainly cannot hold, or nothing where it certainly holds
  something, if every acknowledged write has reached it.

What Redis did not keep is nobody's loss: after a wipe the processes go on with what they know, reported stale, until the
name is written again; a value that only Redis knew is gone. That reads become fresh again after a fault cannot be seen
here: the run itself waits for it at its end.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from coherence.history import (
    FAILED,
    FRESH,
    MISSING,
    NEVER,
    Faults,
    Fork,
    Read,
    Span,
    Swap,
    Write,
    occurrences,
)

REDIS = "redis"
"""The process name under which a look at Redis itself is recorded, as fresh reads."""


@dataclass(frozen=True)
class Violation:
    """One thing that must not have happened."""

    kind: str
    name: str
    process: str
    at: int
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.process} {self.name}: {self.what}"


class Database:
    """What one database may have held of one name: the one that is usually there, or the one of a swap."""

    def __init__(self, certain: Iterable[Write], wipes: Iterable[Span], visible: list[Span]) -> None:
        self._certain = sorted(certain, key=lambda write: write.span.begin)
        self._begins = [write.span.begin for write in self._certain]
        # The earliest end among the writes from each on: a later begin does not mean a later end.
        self._earliest_end = [write.span.end for write in self._certain]
        for at in reversed(range(len(self._earliest_end) - 1)):
            self._earliest_end[at] = min(self._earliest_end[at], self._earliest_end[at + 1])
        self._wipes = sorted(wipes)
        self._visible = visible

    def held(self, write: Write) -> Iterator[Span]:
        """When it may have been there to see."""
        yield from self._seen(Span(write.span.begin, self._gone(write.span.end)))

    def empty(self) -> Iterator[Span]:
        """When there may have been nothing to see."""
        for since in [Span(0, 0), *self._wipes]:
            yield from self._seen(Span(since.begin, self._written_after(since.end)))

    def _gone(self, end: int) -> int:
        wiped = min((wipe.end for wipe in self._wipes if wipe.begin > end), default=NEVER)
        return min(wiped, self._written_after(end))

    def _written_after(self, time: int) -> int:
        at = bisect.bisect_right(self._begins, time)
        return self._earliest_end[at] if at < len(self._begins) else NEVER

    def _seen(self, span: Span) -> Iterator[Span]:
        for visible in self._visible:
            if span.overlaps(visible):
                yield Span(max(span.begin, visible.begin), min(span.end, visible.end))


class Timeline:
    """What Redis may have held of one name, moment by moment."""

    def __init__(self, writes: Iterable[Write], faults: Faults) -> None:
        self.writes = {write.value: write for write in writes}
        self._swaps = faults.swaps
        acknowledged = [write for write in self.writes.values() if write.acknowledged]
        usual = [write for write in acknowledged if not any(may_be_in(swap, write) for swap in self._swaps)]
        self._usual = Database(usual, faults.wipes, list(between(self._swaps)))
        self._swapped = {
            swap: Database(
                (write for write in acknowledged if write.span.within(inside(swap))),
                (),
                [Span(swap.away.begin, swap.back.end)],
            )
            for swap in self._swaps
        }
        self._held: dict[str, list[Span]] = {}

    def held(self, value: str) -> list[Span]:
        """When Redis may have held it."""
        if value not in self._held:
            self._held[value] = list(self._find(self.writes[value]))
        return self._held[value]

    def empty(self) -> list[Span]:
        """When Redis may have held nothing."""
        return [*self._usual.empty(), *(span for database in self._swapped.values() for span in database.empty())]

    def is_older(self, value: str, newer: str, seen: int) -> bool:
        """Whether Redis cannot have gone from the one to the other until that moment, so that to read it is to go back."""
        write, other = self.writes[value], self.writes[newer]
        if other.span.begin <= write.span.end:
            return False
        return not any(
            may_be_in(swap, other) and self._may_be_usual(write) and seen >= swap.back.begin for swap in self._swaps
        )

    def _find(self, write: Write) -> Iterator[Span]:
        if self._may_be_usual(write):
            yield from self._usual.held(write)
        for swap, database in self._swapped.items():
            if may_be_in(swap, write):
                yield from database.held(write)

    def _may_be_usual(self, write: Write) -> bool:
        return not any(write.span.within(inside(swap)) for swap in self._swaps)


def may_be_in(swap: Swap, write: Write) -> bool:
    """Whether it may have gone into the database of the swap."""
    return write.span.overlaps(Span(swap.away.begin, swap.back.end))


def inside(swap: Swap) -> Span:
    """When certainly the database of the swap was there."""
    return Span(swap.away.end, swap.back.begin)


def between(swaps: Iterable[Swap]) -> Iterator[Span]:
    """When the usual database may have been there."""
    begin = 0
    for swap in sorted(swaps):
        yield Span(begin, swap.away.end)
        begin = swap.back.begin
    yield Span(begin, NEVER)


class Knowledge:
    """What one process knew of one name, and since when."""

    def __init__(self, timeline: Timeline, seen: Iterable[tuple[int, str]]) -> None:
        self._timeline = timeline
        self._seen = sorted(seen)
        self._times = [time for time, _ in self._seen]
        # The latest begin of a write among what was known by each time.
        self._newest: list[int] = []
        for _, value in self._seen:
            begin = timeline.writes[value].span.begin
            self._newest.append(max(begin, self._newest[-1]) if self._newest else begin)

    def of(self, time: int) -> bool:
        """Whether it knew anything by then."""
        return bool(self._times) and self._times[0] < time

    def newer(self, value: str, span: Span) -> str | None:
        """Something that it knew before it read this, and that makes this a step back."""
        known = bisect.bisect_left(self._times, span.begin)
        if not known or self._newest[known - 1] <= self._timeline.writes[value].span.end:
            return None
        candidates = (newer for _, newer in self._seen[:known])
        return next((newer for newer in candidates if self._timeline.is_older(value, newer, span.end)), None)


def judge(
    name: str,
    writes: Iterable[Write],
    reads: Iterable[Read],
    faults: Faults,
    forks: Mapping[str, Fork],
    bound: int,
) -> list[Violation]:
    """What must not have happened to one name. `bound` is in nanoseconds; `forks` are by the child's name."""
    timeline = Timeline(writes, faults)
    reads = list(reads)
    empty = timeline.empty()
    knowledge = _knowledge(timeline, reads, forks)

    def violations() -> Iterator[tuple[Read, str, str]]:
        for read in reads:
            for found in _judge_read(read, timeline, empty, knowledge[read.process], bound):
                yield read, *found

    return [
        Violation(kind, name, read.process, read.first.begin, f"{_told(read)} {what}")
        for read, kind, what in violations()
    ]


def _knowledge(timeline: Timeline, reads: list[Read], forks: Mapping[str, Fork]) -> dict[str, Knowledge]:
    seen: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for read in reads:
        if read.value in timeline.writes:
            seen[read.process].append((read.first.end, read.value))
    for write in timeline.writes.values():
        if write.acknowledged:
            seen[write.process].append((write.span.end, write.value))
    for child, fork in sorted(forks.items(), key=lambda each: each[1].time):
        seen[child] += [(time, value) for time, value in seen[fork.parent] if time < fork.time]
    return {process: Knowledge(timeline, seen[process]) for process in {read.process for read in reads}}


def _judge_read(
    read: Read, timeline: Timeline, empty: list[Span], knowledge: Knowledge, bound: int
) -> Iterator[tuple[str, str]]:
    if read.value in {MISSING, FAILED}:
        yield from _judge_nothing(read, empty, knowledge, bound)
        return
    write = timeline.writes.get(read.value)
    if write is None or write.span.begin > read.first.end:
        yield "invented", "that nobody had written"
        return
    if read.freshness == FRESH:
        yield from _judge_age(read, timeline.held(read.value), bound)
    if read.process != REDIS and (newer := knowledge.newer(read.value, read.last)):
        yield (
            "backward",
            f"but knew {newer}, whose write began at {timeline.writes[newer].span.begin}, after that of this had ended",
        )


def _judge_nothing(read: Read, empty: list[Span], knowledge: Knowledge, bound: int) -> Iterator[tuple[str, str]]:
    if read.process == REDIS:
        if not _all_possible(read, empty, 0):
            yield "lost", "although something had been acknowledged"
    elif knowledge.of(read.last.begin):
        yield ("failed" if read.value == FAILED else "forgotten"), "although the process knew a value"
    elif read.value == MISSING and read.freshness == FRESH and not _all_possible(read, empty, bound):
        yield "absent", "although Redis held a value all that time"


def _judge_age(read: Read, held: list[Span], bound: int) -> Iterator[tuple[str, str]]:
    allowed = 0 if read.process == REDIS else bound
    if not _all_possible(read, held, allowed):
        last = max((span.end for span in held), default=0)
        yield ("lost" if read.process == REDIS else "old"), f"that Redis held at the latest at {last}"


def _all_possible(read: Read, when: list[Span], bound: int) -> bool:
    spans = (Span(span.begin - bound, span.end) for span in occurrences(read))
    return all(any(span.overlaps(each) for each in when) for span in spans)


def _told(read: Read) -> str:
    return f"read {read.value} ({read.freshness}, from {read.first.begin} to {read.last.end}, {read.count} times)"
