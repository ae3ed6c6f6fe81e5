"""The other process of `bench.redis_change`: says when it has seen each change, by the clock that processes share."""

import sys
import time

import redis
from jaseci.svc.testing import PrivateRedis

from bench.redis_server import shared


def main(what: str, port: str, db: str, name: str, changes: str) -> None:
    """Prints a line when it is ready, then the moment of each change."""
    server = PrivateRedis()
    server.port, server.db = int(port), int(db)
    if what == "settings":
        watch_settings(server, name, int(changes))
    else:
        watch_messages(server, name, int(changes))


def watch_settings(server: PrivateRedis, name: str, changes: int) -> None:
    """Reads the setting on new hooks, as requests would."""
    with shared(server) as meta:
        print("ready", flush=True)
        for number in range(changes):
            while meta.build_hook().get_glob(name) != str(number):
                pass
            print(time.monotonic(), flush=True)


def watch_messages(server: PrivateRedis, name: str, changes: int) -> None:
    """Waits for the messages, as a subscriber does."""
    with redis.Redis(port=server.port, db=server.db) as client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(name)
        pubsub.get_message(timeout=1.0)
        print("ready", flush=True)
        messages = pubsub.listen()
        for _ in range(changes):
            next(messages)
            print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
