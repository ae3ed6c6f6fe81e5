"""What does a config cost that processes share over Redis, against asking Redis for it with redis-py?"""

import json
from collections.abc import Iterator

import redis

from bench.config_read import CONFIG
from bench.harness import Answer, Snippet, compare, one_core
from bench.redis_server import served, shared

NAME = "BENCH_CONFIG"
OURS = "meta.build_hook().service_glob(NAME, CONFIG)"


def answers() -> Iterator[Answer]:
    acl = ["user untold on >untold ~* +@all -client"]
    with (
        one_core(),
        served(acl=acl) as server,
        redis.Redis(port=server.port, db=server.db, decode_responses=True) as client,
    ):
        rival = Snippet("json.loads(client.hget('global', NAME))", {"json": json, "client": client, "NAME": NAME})
        with shared(server) as meta:
            ours = Snippet(OURS, {"meta": meta, "NAME": NAME, "CONFIG": CONFIG})
            meta.build_hook().service_glob(NAME, CONFIG)
            yield compare("new hook and a shared config, cached", ours, rival, 0.1)
        # A user who may not be told of changes is who reads past the cache.
        with shared(server, username="untold", password="untold") as meta:
            ours = Snippet(OURS, {"meta": meta, "NAME": NAME, "CONFIG": CONFIG})
            yield compare("new hook and a shared config, uncached", ours, rival, 0.5)
