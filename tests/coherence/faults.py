"""What goes wrong in a run: one fault after the other, each mended before the next, drawn from a seed."""

import contextlib
import random
import signal
import time
from collections.abc import Callable, Iterator

from jaseci.svc.testing import PrivateRedis

from coherence.crew import Crew, Member
from coherence.history import Faults, Span, Swap, now

SHORT = (0.05, 0.8)  # seconds
LONG = (2.5, 4.5)  # longer than the bound
CALM = (0.5, 3.5)
SHARE_OF_LONG = 0.25
OTHER_DB = 9


class Trouble:
    """Makes the faults and remembers what they did. Lives for one run; one thread."""

    def __init__(self, server: PrivateRedis, crew: Crew, seed: int) -> None:
        self._server = server
        self._crew = crew
        self._random = random.Random(seed)
        self._deck: list[str] = []
        self._wipes: list[Span] = []
        self._swaps: list[Swap] = []
        self.made: list[tuple[str, Span]] = []
        """Each fault by its kind, from its begin until it was mended."""

    @property
    def faults(self) -> Faults:
        return Faults(tuple(self._wipes), tuple(self._swaps))

    def make_one(self) -> None:
        """A fault and its end. Every kind comes before any comes again."""
        if not self._deck:
            self._deck = self._random.sample(sorted(KINDS), len(KINDS))
        kind = self._deck.pop()
        begin = now()
        KINDS[kind](self)
        self.made.append((kind, Span(begin, now())))

    def calm(self) -> None:
        """A while in which nothing new goes wrong."""
        time.sleep(self._random.uniform(*CALM))

    def _last(self) -> None:
        """The while that a fault lasts."""
        time.sleep(self._duration())

    def _duration(self) -> float:
        return self._random.uniform(*(LONG if self._random.random() < SHARE_OF_LONG else SHORT))

    def _some(self, role: str | None = None) -> Member:
        return self._random.choice(self._crew.all(role))

    @contextlib.contextmanager
    def _wiping(self) -> Iterator[None]:
        begin = now()
        yield
        self._wipes.append(Span(begin, now()))

    # --- The server

    def kill_and_restart(self) -> None:
        self._server.kill()
        self._last()
        self._server.restart()

    def kill_and_restart_without_data(self) -> None:
        with self._wiping():
            self._server.kill()
            self._last()
            self._server.restart(keep_data=False)

    def stop_and_continue(self) -> None:
        self._server.pause()
        self._last()
        self._server.resume()

    def hold_clients(self) -> None:
        """The server lives, and answers nobody for a while."""
        seconds = self._duration()
        self._server.command("CLIENT", "PAUSE", int(seconds * 1000), "ALL")
        self._server.command("PING", timeout=2 * LONG[1])  # is answered when it is over

    # --- The link

    def cut(self) -> None:
        self._server.cut()
        self._last()
        self._server.restore()

    def flap(self) -> None:
        """The link goes and comes again and again, for moments."""
        for _ in range(self._random.randint(3, 10)):
            self._server.cut()
            self._server.restore()
            time.sleep(self._random.uniform(0, 0.05))

    def black_hole(self) -> None:
        self._server.black_hole()
        self._last()
        self._server.restore()

    def slow(self) -> None:
        self._server.slow(self._random.uniform(0.02, 0.3))
        self._last()
        self._server.restore()

    # --- The data

    def flush(self) -> None:
        with self._wiping():
            self._server.command("FLUSHALL")

    def delete(self) -> None:
        """Somebody removes all settings, and what is kept beside them."""
        with self._wiping():
            self._server.command("DEL", "global", "{global}:versions")

    def swap(self) -> None:
        """The database goes away, an empty one is in its place; then it is back as it was."""
        away = self._timed("SWAPDB", self._server.db, OTHER_DB)
        self._last()
        back = self._timed("SWAPDB", self._server.db, OTHER_DB)
        self._swaps.append(Swap(away, back))
        self._server.command("FLUSHDB", db=OTHER_DB)

    def _timed(self, *words: str | int) -> Span:
        begin = now()
        self._server.command(*words)
        return Span(begin, now())

    # --- The processes

    def pause_a_process(self) -> None:
        member = self._some()
        member.signal(signal.SIGSTOP)
        self._last()
        member.signal(signal.SIGCONT)

    def pause_a_process_while_redis_dies(self) -> None:
        member = self._some()
        member.signal(signal.SIGSTOP)
        self.kill_and_restart()
        member.signal(signal.SIGCONT)

    def kill_a_process(self) -> None:
        self._crew.replace(self._some())

    def fork(self) -> None:
        """Some processes fork, and something else goes wrong while the children live."""
        seconds = self._random.uniform(*LONG)
        for member in self._random.sample(self._crew.all(), 3):
            self._crew.fork(member, seconds)
        self._random.choice([Trouble.cut, Trouble.kill_and_restart, Trouble.flush, Trouble.stop_and_continue])(self)


KINDS: dict[str, Callable[[Trouble], None]] = {
    method.__name__.replace("_", " "): method
    for method in (
        Trouble.kill_and_restart,
        Trouble.kill_and_restart_without_data,
        Trouble.stop_and_continue,
        Trouble.hold_clients,
        Trouble.cut,
        Trouble.flap,
        Trouble.black_hole,
        Trouble.slow,
        Trouble.flush,
        Trouble.delete,
        Trouble.swap,
        Trouble.pause_a_process,
        Trouble.pause_a_process_while_redis_dies,
        Trouble.kill_a_process,
        Trouble.fork,
    )
}
