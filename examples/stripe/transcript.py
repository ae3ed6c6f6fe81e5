"""How the story is told: numbered chapters, facts, and promises that are checked as they are printed."""

import os
import sys
import time
from collections.abc import Iterable, Sequence

BOLD, GREEN, DIM = "1", "32", "2"


class BrokenPromiseError(Exception):
    """The program claimed something that did not hold. The whole run fails with it."""


def chapter(number: int, title: str) -> None:
    """Open a numbered chapter."""
    heading = f"{number}. {title}"
    _print("")
    _print(_painted(BOLD, heading))
    _print(_painted(DIM, "-" * len(heading)))


def say(text: str) -> None:
    """One line of narration."""
    _print(f"   {text}")


def fact(label: str, value: object) -> None:
    """Something that was asked of the runtime or of the server, beside its name."""
    _print(f"     {label:<20} {value}")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under a header, each column as wide as its widest cell."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        _print("     " + (_painted(DIM, text) if number == 0 else text))


def clock(when: float | None) -> str:
    """The time of day of `when`, in seconds since the epoch; "-" for never."""
    return "-" if when is None else time.strftime("%H:%M:%S", time.localtime(when))


def promise(text: str, held: bool) -> None:
    """State a promise of the runtime. It is printed only if it holds.

    Raises:
        BrokenPromiseError: if it does not.
    """
    if not held:
        raise BrokenPromiseError(text)
    _print(f"   {_painted(GREEN, '[ok]')} {text}")


def _print(line: str) -> None:
    # Flushed at once: a reader follows the story as it happens, through a pipe too.
    print(line.rstrip(), flush=True)


def _painted(code: str, text: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{code}m{text}\x1b[0m"
