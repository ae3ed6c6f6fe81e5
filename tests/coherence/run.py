"""One run of the checker, from an empty Redis to the verdict. `make soak` prints its closing figures.

python -m coherence.run --seconds 600 --seed 17
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jaseci.svc.testing import PrivateRedis

from coherence.crew import Crew
from coherence.faults import Trouble
from coherence.figures import Figures
from coherence.history import FRESH, MISSING, Fork, Recorder, Span, load, now
from coherence.verdict import REDIS, Violation, judge

BOUND = 2_000_000_000  # nanoseconds: the bound that the runtime promises
NAMES = [f"SHARED_{number}" for number in range(8)]
WRITERS = 2
READERS = 6
SHOWN = 5  # violations of a kind in full


@dataclass
class Outcome:
    """What a run has found."""

    seed: int
    violations: list[Violation] = field(default_factory=list)
    not_converged: list[str] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)

    def __str__(self) -> str:
        lines = [f"seed {self.seed}", *self.figures.lines()]
        lines += [f"violations: {len(self.violations)}"]
        by_kind = Counter(violation.kind for violation in self.violations)
        for kind, count in by_kind.most_common():
            lines += [f"  {kind}: {count}"]
            shown = [each for each in self.violations if each.kind == kind][:SHOWN]
            lines += [f"    {each}; {self.figures.fault_before(each.at)}" for each in shown]
        lines += [f"not fresh again at the end: {each}" for each in self.not_converged]
        return "\n".join(lines)


class Run:
    """The parts of a run, in the order in which they come."""

    def __init__(self, server: PrivateRedis, crew: Crew, folder: Path, seed: int) -> None:
        self._server = server
        self._crew = crew
        self._folder = folder
        self._seed = seed
        self._look = Recorder(folder, REDIS)
        self._trouble = Trouble(server, crew, seed)

    def whole(self, seconds: float) -> Outcome:
        """Everything."""
        self._crew.hire("writer", WRITERS)
        self._crew.hire("reader", READERS)
        self._break_things_for(seconds)
        outcome = Outcome(self._seed)
        outcome.not_converged = self._wait_until_all_is_well()
        self._judge(outcome)
        return outcome

    def _break_things_for(self, seconds: float) -> None:
        end = now() + int(seconds * 1e9)
        while now() < end:
            self._trouble.calm()
            self._look_at_redis()
            self._trouble.make_one()
            self._look_at_redis()
            self._crew.check()

    def _wait_until_all_is_well(self) -> list[str]:
        """One writer writes everything once more, and everybody waits until they see it."""
        last, *others = self._crew.all("writer")
        for other in others:
            other.order("read")
        for other in others:
            other.answer()
        last.order("write_all")
        expect = last.answer()
        self._look_at_redis()
        members = self._crew.all()
        for member in members:
            member.order("finish", expect=expect)
        return [f"{member.process} {wrong}" for member in members for wrong in member.answer()]

    def _look_at_redis(self) -> None:
        begin = now()
        flat = self._server.command("HGETALL", "global")
        span = Span(begin, now())
        held = dict(zip(flat[::2], flat[1::2], strict=True))
        for name in NAMES:
            value = json.loads(held[name])["value"] if name in held else MISSING
            self._look.read(name, value, FRESH, span)

    def _judge(self, outcome: Outcome) -> None:
        self._look.flush()
        forks = self._forks()
        outcome.figures.faults = self._trouble.made
        for name in NAMES:
            writes, reads = load(self._folder, name)
            outcome.figures.add(writes, reads)
            outcome.violations += judge(name, writes, reads, self._trouble.faults, forks, BOUND)

    def _forks(self) -> dict[str, Fork]:
        path = self._folder / "forks"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return {child: Fork(parent, int(time)) for child, parent, time in map(str.split, lines)}


@contextlib.contextmanager
def prepared(subject: str, seed: int) -> Iterator[Run]:
    """A run, ready to begin; nothing is left of it afterwards."""
    with tempfile.TemporaryDirectory() as name, PrivateRedis() as server:
        shared = {"subject": subject, "folder": name, "names": NAMES}
        with contextlib.closing(Crew(shared, server.environment())) as crew:
            yield Run(server, crew, Path(name), seed)


def run(seconds: float, seed: int, subject: str = "runtime") -> Outcome:
    """Breaks things for so long, then judges."""
    with prepared(subject, seed) as prepared_run:
        return prepared_run.whole(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description="Break a Redis while processes use it, and judge what they saw.")
    parser.add_argument("--seconds", type=float, default=600, help="how long things are broken (default %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(1_000_000), help="a run's faults are drawn from it"
    )
    parser.add_argument(
        "--subject", default="runtime", choices=["runtime", "direct", "hasty"], help="what is put to the test"
    )
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.seconds:g} s", flush=True)
    outcome = run(options.seconds, options.seed, options.subject)
    print(outcome)
    return 1 if outcome.violations or outcome.not_converged else 0


if __name__ == "__main__":
    sys.exit(main())
