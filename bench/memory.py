"""How much memory does a kept service take, over an empty Python object that is kept?

``tracemalloc`` does not see what Rust allocates, so this is the growth of the resident set, in a process of its own for
each kind.
"""

import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psutil

from bench.harness import Answer

COUNT = 100_000
KIB = 1024


def answers() -> Iterator[Answer]:
    empty = _in_own_process("empty")
    for kind, question in (("kept", "memory of a kept service"), ("running", "... that runs, with a config of 7 keys")):
        ours = _in_own_process(kind)
        yield Answer(
            question,
            f"{ours:.0f} B",
            f"{empty:.0f} B + 1 KiB",
            (ours - empty) / KIB,
            1.0 if kind == "kept" else None,
        )


def _in_own_process(kind: str) -> float:
    command = [sys.executable, "-m", "bench.memory", kind]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure(kind: str) -> float:
    """Bytes per object, the dict that keeps them included."""
    keep = {"empty": _keep_empty, "kept": _keep_services, "running": _keep_running}[kind]
    names = [f"bench-{number}" for number in range(COUNT)]
    for name in names:
        hash(name)
    gc.collect()
    before = psutil.Process().memory_info().rss
    held = keep(names)
    gc.collect()
    after = psutil.Process().memory_info().rss
    del held
    return (after - before) / COUNT


def _keep_empty(names: list[str]) -> Any:
    class Empty:
        pass

    return {name: Empty() for name in names}


def _keep_services(names: list[str]) -> Any:
    from jaseci.svc import CommonService, MetaService

    class Kept(CommonService):
        pass

    meta = MetaService()
    for name in names:
        meta.add_service_builder(name, Kept)
        meta.get_service(name)
    return meta


def _keep_running(names: list[str]) -> Any:
    from jaseci.hook import MemoryHook
    from jaseci.svc import MetaService

    from bench.build_and_start import Native

    meta = MetaService()
    hook = MemoryHook()
    for name in names:
        meta.add_service_builder(name, Native)
        meta.get_service(name, hook).start()
    return meta


if __name__ == "__main__":
    print(_measure(sys.argv[1]))
    sys.stdout.flush()
