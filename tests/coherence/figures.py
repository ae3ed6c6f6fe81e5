"""The closing figures of a run."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from coherence.history import FAILED, FRESH, MISSING, STALE, Read, Span, Write
from coherence.verdict import REDIS

AFTERMATH = 1_500_000_000  # nanoseconds after a fault that are not calm yet


@dataclass
class Figures:
    """What is counted; one name after the other is added. Times are in nanoseconds."""

    faults: list[tuple[str, Span]] = field(default_factory=list)
    writes: int = 0
    acknowledged: int = 0
    reads: Counter[str] = field(default_factory=Counter)
    stale_in_calm: int = 0
    """Reads that were told to be stale although nothing was broken any more."""
    visible: list[int] = field(default_factory=list)
    """From the begin of a write until another process had read it, polling, while nothing was broken."""

    def add(self, writes: Iterable[Write], reads: list[Read]) -> None:
        """Counts one name."""
        acknowledged = {write.value: write for write in writes if write.acknowledged}
        self.acknowledged += len(acknowledged)
        self.writes += len(list(writes))
        first: dict[tuple[str, str], Read] = {}
        for read in sorted(reads, key=lambda read: read.first.begin):
            if read.process != REDIS:
                self.reads[read.value if read.value in {MISSING, FAILED} else read.freshness] += read.count
                first.setdefault((read.process, read.value), read)
                if read.freshness == STALE and self._is_calm(read.first.begin, read.last.end):
                    self.stale_in_calm += read.count
        self.visible += self._latencies(acknowledged, first.values())

    def lines(self) -> Iterator[str]:
        """The figures, to read."""
        yield f"writes: {self.writes}, of which {self.acknowledged} acknowledged"
        total = sum(self.reads.values())
        told = f"{self.reads[FRESH]} fresh, {self.reads[STALE]} stale, {self.reads[MISSING]} of nothing yet"
        yield f"reads: {total}, {told}"
        yield f"stale later than {AFTERMATH / 1e9:g} s after a fault: {self.stale_in_calm}"
        yield f"faults: {len(self.faults)}"
        for kind, count in sorted(Counter(kind for kind, _ in self.faults).items()):
            yield f"  {kind}: {count}"
        if self.visible:
            p50, p99 = (percentile(self.visible, share) / 1e6 for share in (0.5, 0.99))
            yield f"from a write's begin until another process has read it: p50 {p50:.1f} ms, p99 {p99:.1f} ms"

    def fault_before(self, time: int) -> str:
        """The last fault that had begun by then, and how long before."""
        begun = [(span, kind) for kind, span in self.faults if span.begin <= time]
        if not begun:
            return "before all faults"
        span, kind = max(begun)
        return f"{(time - span.begin) / 1e6:.1f} ms after the begin of {kind!r}, {(time - span.end) / 1e6:.1f} after its end"

    def _latencies(self, acknowledged: dict[str, Write], reads: Iterable[Read]) -> Iterator[int]:
        for read in reads:
            write = acknowledged.get(read.value)
            if write is None or read.process == write.process or read.freshness != FRESH:
                continue
            if self._is_calm(write.span.begin, read.first.end):
                yield read.first.end - write.span.begin

    def _is_calm(self, since: int, until: int) -> bool:
        """Whether no fault touches the time, nor ended shortly before it."""
        span = Span(since - AFTERMATH, until)
        return not any(span.overlaps(fault) for _, fault in self.faults)


def percentile(values: list[int], share: float) -> int:
    """The value that so great a share of them does not exceed."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
