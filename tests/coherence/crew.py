"""The processes of a run, as the one who breaks things sees them."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
PATIENCE = 60.0  # seconds for an answer: a process may be in the middle of an outage


class Member:
    """One process. Lives until `close()`; a killed one is replaced by another member."""

    def __init__(self, place: str, options: dict[str, Any], environment: dict[str, str]) -> None:
        self.place = place
        self.role: str = options["role"]
        self.process: str = options["process"]
        self._is_ready = False
        self._program = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "coherence.worker", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # nothing waits in a buffer where `select` does not see it
            env=os.environ | {"PYTHONPATH": str(TESTS)} | environment,
        )

    def order(self, do: str, **arguments: Any) -> None:
        """Tells it to do something."""
        assert self._program.stdin is not None
        self._program.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")

    def ready(self) -> None:
        """Waits until it works."""
        if not self._is_ready:
            self._is_ready = self._next_answer() == "ready"

    def answer(self) -> Any:
        """What it answers to an order; raises if it ended, or says nothing for too long."""
        self.ready()
        return self._next_answer()

    def _next_answer(self) -> Any:
        assert self._program.stdout is not None
        if not select.select([self._program.stdout], [], [], PATIENCE)[0]:
            self._program.send_signal(signal.SIGABRT)  # faulthandler writes the stacks of all threads
            raise TimeoutError(f"{self.process} says nothing for {PATIENCE} s")
        line = self._program.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process} has ended with {self._program.wait()}")
        return json.loads(line)

    def signal(self, number: int) -> None:
        self._program.send_signal(number)

    def has_ended(self) -> int | None:
        """Its exit code, or None."""
        return self._program.poll()

    def close(self) -> None:
        self._program.kill()
        self._program.communicate()


class Crew:
    """Writers and readers. Lives for one run."""

    def __init__(self, shared: dict[str, Any], environment: dict[str, str]) -> None:
        self._shared = shared
        self._environment = environment
        self._members: dict[str, Member] = {}
        self._incarnations = 0

    def hire(self, role: str, count: int) -> None:
        """Starts processes and waits until each has done its first round."""
        places = [f"{role}{number}" for number in range(count)]
        new = [self._start(role, place, place, begin=True) for place in places]
        for member in new:
            member.ready()

    def all(self, role: str | None = None) -> list[Member]:
        return [member for member in self._members.values() if role in {None, member.role}]

    def replace(self, member: Member) -> None:
        """Kills a process and starts another in its place, which knows nothing. Does not wait until it is ready."""
        member.close()
        self._incarnations += 1
        self._start(member.role, member.place, f"{member.place}+{self._incarnations}", begin=False)

    def fork(self, member: Member, seconds: float) -> None:
        """Has a process fork a child that reads for so long."""
        self._incarnations += 1
        member.order("fork", child=f"{member.process}~{self._incarnations}", seconds=seconds)

    def check(self) -> None:
        """Raises if a process has ended by itself."""
        ended = {member.process: member.has_ended() for member in self.all() if member.has_ended() is not None}
        if ended:
            raise RuntimeError(f"processes have ended by themselves: {ended}")

    def close(self) -> None:
        for member in self.all():
            member.close()

    def _start(self, role: str, place: str, process: str, begin: bool) -> Member:
        options = {"role": role, "process": process, "begin": begin, **self._shared}
        self._members[place] = member = Member(place, options, self._environment)
        return member
