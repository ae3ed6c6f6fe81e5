"""One process of a run: `python -m coherence.worker <orders>`, reading or writing until it is told to finish.

Orders are lines of JSON on standard input, as are the answers on standard output:
`{"do": "fork", "child": name, "seconds": 1.5}` forks a child that reads for so long; `{"do": "finish", "expect": {name: value}}`
stops the writes, goes on reading until every name is fresh and has the value, and ends the process.
"""

import json
import os
import random
import select
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coherence.history import FAILED, FRESH, MISSING, UNSAID, Recorder, Span, now
from coherence.subjects import SUBJECTS, Subject

SECOND = 1_000_000_000
PAUSES = {
    "writer": 0.001,
    "reader": 0.005,
}  # seconds between two rounds: nine processes leave each other room on two cores
PAUSE_AFTER_FAILURE = 0.02
WRITES = 4  # of a writer's unit of work
CONVERGENCE = 30  # seconds from the last write until everything is seen


class Worker:
    """Does the work of a process and writes it down."""

    def __init__(self, subject: Subject, recorder: Recorder, names: list[str], seed: str) -> None:
        self._subject = subject
        self._recorder = recorder
        self._names = names
        self._random = random.Random(seed)
        self._written = 0

    def write_all(self) -> dict[str, str]:
        """Writes every name until it is acknowledged; the values."""
        return {name: self._write_until_acknowledged(name) for name in self._names}

    def write_some(self) -> None:
        """A unit of work that writes, and one that reads all of it."""
        self._subject.unit()
        names = self._random.sample(self._names, WRITES)
        for name in names:
            _, acknowledged = self._write(name)
            if not acknowledged:
                select.select([], [], [], PAUSE_AFTER_FAILURE)
        # Another: to the first, its own writes are what was written last, whatever others do meanwhile.
        self._subject.unit()
        for name in names:
            self._read(name)

    def read_all(self) -> dict[str, tuple[str, str]]:
        """A unit of work that reads every name once."""
        self._subject.unit()
        return {name: self._read(name) for name in self._random.sample(self._names, len(self._names))}

    def fork(self, child: str, seconds: float, folder: Path) -> None:
        """Forks a child that reads for so long, over its own connections and with what its parent knew."""
        self._recorder.flush()
        time = now()
        if os.fork():
            with (folder / "forks").open("a", encoding="utf-8") as forks:
                forks.write(f"{child} {self._recorder.process} {time}\n")
            return
        try:
            self._recorder = Recorder(folder, child)
            self._random = random.Random(child)
            self.read_for(seconds)
            self._recorder.flush()
        finally:
            os._exit(0)

    def read_for(self, seconds: float) -> None:
        """Reads every name again and again."""
        end = now() + int(seconds * SECOND)
        while now() < end:
            self.read_all()
            select.select([], [], [], PAUSES["reader"])

    def converge(self, expect: Mapping[str, str]) -> list[str]:
        """Reads until every name is fresh and as expected; what is not, in the end."""
        deadline = now() + CONVERGENCE * SECOND
        while True:
            seen = self.read_all()
            wrong = [
                name
                for name, (value, freshness) in seen.items()
                if freshness != UNSAID and (value, freshness) != (expect[name], FRESH)
            ]
            asked = any(freshness != UNSAID for _, freshness in seen.values())
            if (asked and not wrong) or now() > deadline:
                self.flush()
                return [f"{name}: {seen[name]}, not {expect[name]}" for name in wrong]
            select.select([], [], [], PAUSES["reader"])

    def flush(self) -> None:
        """Writes down what is not yet."""
        self._recorder.flush()

    def _write_until_acknowledged(self, name: str) -> str:
        deadline = now() + CONVERGENCE * SECOND
        while now() < deadline:
            value, acknowledged = self._write(name)
            if acknowledged:
                return value
        raise TimeoutError(f"{name} could not be written within {CONVERGENCE} s")

    def _write(self, name: str) -> tuple[str, bool]:
        self._written += 1
        value = f"{self._recorder.process}/{self._written}"
        self._recorder.begin_write(name, value, now())
        acknowledged = self._subject.write(name, json.dumps({"value": value}))
        if acknowledged:
            self._recorder.end_write(name, value, now())
        return value, acknowledged

    def _read(self, name: str) -> tuple[str, str]:
        begin = now()
        try:
            text, freshness = self._subject.read(name)
            value = MISSING if text is None else json.loads(text)["value"]
        except Exception as error:
            print(f"{self._recorder.process} {name}: {error!r}", file=sys.stderr, flush=True)
            value, freshness = FAILED, UNSAID
        self._recorder.read(name, value, freshness, Span(begin, now()))
        return value, freshness


class Orders:
    """The lines on standard input."""

    def __init__(self) -> None:
        self._buffer = b""

    def next(self, timeout: float) -> dict[str, Any] | None:
        """The next order, if one comes within so many seconds. Ends the process if none can come any more."""
        while b"\n" not in self._buffer:
            if not select.select([0], [], [], timeout)[0]:
                return None
            data = os.read(0, 65536)
            if not data:
                os._exit(1)  # the run is over, in whatever way
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        order: dict[str, Any] = json.loads(line)
        return order


def say(answer: object) -> None:
    print(json.dumps(answer), flush=True)


class SecondReader:
    """Another thread of a reader, which reads as its main thread does. Lives until `stop()`."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends it after its round."""
        self._stopped.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stopped.wait(PAUSES["reader"]):
            self._worker.read_all()
        self._worker.flush()


def main(role: str, subject: str, process: str, folder: Path, names: list[str], begin: bool) -> None:
    """Works until told to finish. `begin`: writes, or reads, every name once before it says that it is ready."""
    worker = Worker(SUBJECTS[subject](), Recorder(folder, process), names, process)
    if begin:
        (worker.write_all if role == "writer" else worker.read_all)()
    second = SecondReader(Worker(SUBJECTS[subject](), Recorder(folder, process, "second"), names, f"{process} second"))
    say("ready")
    orders = Orders()
    work = worker.write_some if role == "writer" else worker.read_all
    while True:
        order = orders.next(PAUSES[role])
        match order and order["do"]:
            case None:
                work()
            case "fork":
                worker.fork(order["child"], order["seconds"], folder)
            case "write_all":
                work = worker.read_all
                say(worker.write_all())
            case "read":
                work = worker.read_all
                say("reading")
            case "finish":
                say(worker.converge(order["expect"]))
                second.stop()
                return


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    main(folder=Path(arguments.pop("folder")), **arguments)
