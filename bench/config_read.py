"""What does a fresh dict of a config cost that is in memory, against parsing its text?"""

import json
from collections.abc import Iterator

from jaseci.hook import MemoryHook

from bench.harness import Answer, Snippet, compare

CONFIG = {
    "enabled": True,
    "quiet": True,
    "broker_url": "redis://localhost:6379/1",
    "result_backend": "redis://localhost:6379/1",
    "broker_connection_retry_on_startup": True,
    "task_track_started": True,
    "worker_redirect_stdouts": False,
}


def answers() -> Iterator[Answer]:
    hook = MemoryHook()
    hook.save_glob("BENCH_CONFIG", json.dumps(CONFIG))
    names = {"hook": hook, "config": CONFIG, "loads": json.loads, "text": json.dumps(CONFIG)}
    yield compare(
        "hook.service_glob of 7 keys",
        Snippet("hook.service_glob('BENCH_CONFIG', config)", names),
        Snippet("loads(text)", names),
        1 / 7,
    )
    hook.destroy_glob("BENCH_CONFIG")
