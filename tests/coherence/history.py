"""What happened: the records of a run, as the processes write them and as the verdict reads them.

All times are nanoseconds of CLOCK_MONOTONIC, which is one clock for all processes of a machine.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FRESH = "fresh"
"""The reader was told that this is no older than the bound."""
STALE = "stale"
"""The reader was told that this may be older."""
UNSAID = "unsaid"
"""The reader did not ask."""

NEVER = 1 << 63
"""A time after all others: the end of a write whose outcome nobody knows, for it may still take effect."""
LONGEST_RUN = 50_000_000
"""Equal reads are recorded as one for so long, in nanoseconds: far less than the bound."""
THREAD = "@"
"""Between the name of a process and of its thread."""
MISSING = "-"
FAILED = "!"

now = time.monotonic_ns


class Span(NamedTuple):
    """From the moment before something was asked for until the moment after it was answered."""

    begin: int
    end: int

    def overlaps(self, other: "Span") -> bool:
        return self.begin <= other.end and other.begin <= self.end

    def within(self, other: "Span") -> bool:
        return other.begin < self.begin and self.end < other.end


@dataclass(frozen=True, slots=True)
class Write:
    """A write of a value that is written once."""

    process: str
    value: str
    span: Span
    """Ends `NEVER` unless it was acknowledged."""

    @property
    def acknowledged(self) -> bool:
        return self.span.end < NEVER


@dataclass(frozen=True, slots=True)
class Read:
    """A run of equal reads of one process, the first and the last of which are known by time."""

    process: str
    value: str
    """What was read, or `MISSING` for nothing or a default, or `FAILED` for an exception."""
    freshness: str
    first: Span
    last: Span
    count: int = 1


class Swap(NamedTuple):
    """The whole database was put aside, an empty one in its place, and after a while back again."""

    away: Span
    back: Span


@dataclass(frozen=True, slots=True)
class Faults:
    """What was done to Redis that changed what it holds."""

    wipes: tuple[Span, ...] = ()
    """It was emptied sometime in each."""
    swaps: tuple[Swap, ...] = ()


class Fork(NamedTuple):
    """Where a process comes from, and until when what its parent knew is what it knows."""

    parent: str
    time: int


class Recorder:
    """Writes down what one thread of a process does, one file for each name. A killed process loses its last run."""

    def __init__(self, folder: Path, process: str, thread: str = "main") -> None:
        self.process = process
        self._folder = folder
        self._ending = f"{process}{THREAD}{thread}"
        self._files: dict[str, int] = {}
        self._runs: dict[str, Read] = {}

    def begin_write(self, name: str, value: str, begin: int) -> None:
        self._line(name, "write", value, begin)

    def end_write(self, name: str, value: str, end: int) -> None:
        self._line(name, "acknowledged", value, end)

    def read(self, name: str, value: str, freshness: str, span: Span) -> None:
        run = self._runs.get(name)
        if run and run.value == value and run.freshness == freshness and span.end - run.first.begin < LONGEST_RUN:
            self._runs[name] = Read(self.process, value, freshness, run.first, span, run.count + 1)
            return
        if run:
            self._write_run(name, run)
        self._runs[name] = Read(self.process, value, freshness, span, span)

    def flush(self) -> None:
        """Writes down the runs that are still going on."""
        for name, run in self._runs.items():
            self._write_run(name, run)
        self._runs.clear()

    def _write_run(self, name: str, run: Read) -> None:
        self._line(name, "read", run.value, run.freshness, *run.first, *run.last, run.count)

    def _line(self, name: str, *words: object) -> None:
        if name not in self._files:
            path = self._folder / f"{name}.{self._ending}"
            self._files[name] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # One system call a line: whatever happens to the process afterwards, it is written.
        os.write(self._files[name], (" ".join(map(str, words)) + "\n").encode())


def load(folder: Path, name: str) -> tuple[list[Write], list[Read]]:
    """All that was done with one name, in no order."""
    writes: list[Write] = []
    reads: list[Read] = []
    for path in folder.glob(f"{name}.*"):
        process, _, _ = path.name.removeprefix(f"{name}.").partition(THREAD)
        lines = (line.split(" ") for line in path.read_text(encoding="utf-8").splitlines())
        _sort_lines(process, lines, writes, reads)
    return writes, reads


def _sort_lines(process: str, lines: Iterable[list[str]], writes: list[Write], reads: list[Read]) -> None:
    begun: dict[str, int] = {}
    for kind, value, *rest in lines:
        match kind:
            case "write":
                begun[value] = int(rest[0])
            case "acknowledged":
                writes.append(Write(process, value, Span(begun.pop(value), int(rest[0]))))
            case "read":
                freshness, *numbers = rest
                first_begin, first_end, last_begin, last_end, count = map(int, numbers)
                reads.append(
                    Read(process, value, freshness, Span(first_begin, first_end), Span(last_begin, last_end), count)
                )
    writes.extend(Write(process, value, Span(begin, NEVER)) for value, begin in begun.items())


def occurrences(read: Read) -> Iterator[Span]:
    """The reads of a run that are known by time."""
    yield read.first
    if read.last != read.first:
        yield read.last
