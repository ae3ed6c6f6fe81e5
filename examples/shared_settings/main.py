"""Two processes share a setting over a Redis that dies and comes back. Run it: `python examples/shared_settings/main.py`."""

import os
import subprocess
import sys
import time
from pathlib import Path

from jaseci.svc import EventReader, MetaService, ServiceState
from jaseci.svc.redis.config import REDIS_CONFIG
from jaseci.svc.testing import PrivateRedis, RedisServerMissing

from follower import Follower

PROGRAM = Path(__file__).with_name("reader.py")
READS = 100_000


class BrokenPromiseError(Exception):
    """The program claimed something that did not hold."""


def main() -> int:
    """Tell the story. 0 if every promise in it held."""
    try:
        # A Redis of our own, which may be killed. Yours is named in the environment; nothing else would change.
        with PrivateRedis() as server:
            os.environ |= server.environment()
            REDIS_CONFIG.update(server.config(quiet=True))
            tell(server)
    except (BrokenPromiseError, RedisServerMissing, TimeoutError) as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1
    print("Every promise held.")
    return 0


def tell(server: PrivateRedis) -> None:
    """The whole story. However it ends, the second process ends, and the services stop before their Redis."""
    meta = MetaService()
    command = [sys.executable, str(PROGRAM)]
    try:
        set_number(meta, 1)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            follower = Follower(process)
            try:
                share(meta, follower)
                go_through_an_outage(meta, server, follower)
                promise("it was never told a wrong, an older, or no value", follower.end().wrong == 0)
                say(f"it has asked {follower.last.reads} times")
            finally:
                process.kill()
    finally:
        meta.shutdown(timeout=10)


def share(meta: MetaService, follower: Follower) -> None:
    """A change here is seen there; a read asks nobody."""
    promise("the second process has the setting", follower.wait_for(1, stale=False))
    set_number(meta, 2)
    began = time.monotonic()
    promise("it sees a change", follower.wait_for(2, stale=False))
    say(f"after {(time.monotonic() - began) * 1000:.1f} ms")

    began = time.perf_counter()
    for _ in range(READS):
        number(meta)
    say(f"{READS} requests have read it here, {(time.perf_counter() - began) / READS * 1e6:.1f} us each")


def go_through_an_outage(meta: MetaService, server: PrivateRedis, follower: Follower) -> None:
    """Redis is killed, and comes back with its data."""
    events = meta.events()
    server.kill()
    wait_for(events, ServiceState.FAILED)
    say("Redis was killed")
    promise("the last value is in force here", number(meta) == 2)
    promise("and there, and is said to be stale", follower.wait_for(2, stale=True))
    promise("a change is refused, not swallowed", not set_number(meta, 3))

    server.restart()
    wait_for(events, ServiceState.RUNNING)
    say("Redis has come back")
    promise("the value is fresh again there", follower.wait_for(2, stale=False))
    promise("a change is accepted", set_number(meta, 3))
    promise("and seen", follower.wait_for(3, stale=False))


def set_number(meta: MetaService, value: int) -> bool:
    """Change the setting as an administrator does; false if that is refused."""
    [answer] = meta.build_super_master().config_set("SHOP_CONFIG", {"number": value}, do_check=False)
    return str(answer).endswith("set!")


def number(meta: MetaService) -> int:
    """What a request reads: on a hook of its own."""
    value: int = meta.build_hook().service_glob("SHOP_CONFIG", {"number": 0})["number"]
    return value


def wait_for(events: EventReader, state: ServiceState) -> None:
    """Until Redis is lost, or back."""
    while (event := events.next(timeout=20)) is not None:
        if (event.service, event.after) == ("redis", state):
            return
    raise TimeoutError(f"Redis was not {state.name} in time")


def say(text: str) -> None:
    """One line of narration."""
    print(f"     {text}", flush=True)


def promise(text: str, held: bool) -> None:
    """A line that is printed only if it is true."""
    if not held:
        raise BrokenPromiseError(text)
    print(f"[ok] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
