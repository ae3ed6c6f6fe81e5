"""Redis behind sentinels: the primary is found, and found again when another one takes over."""

import time

from jaseci.svc import ServiceState
from shared_process import PATIENCE, configure


def wait_until_replicated(sentinel, key, text):
    """Replication is asynchronous: what the replica does not have yet, a failover loses. The last write comes last."""
    deadline = time.monotonic() + PATIENCE
    while sentinel.replica.command("GET", key) != text:
        assert time.monotonic() < deadline, "nothing is replicated"


def test_a_failover_is_followed(redis_sentinel, meta, lifecycle_events):
    """Settings live on at the new primary; so does the client."""
    nodes = [[redis_sentinel.host, redis_sentinel.port]]
    configure(redis_sentinel.primary, sentinel={"master": redis_sentinel.name, "nodes": nodes})
    hook = meta.build_hook()
    assert hook.redis.is_running(), hook.redis.error
    hook.commit_setting("A_CONFIG", "1")
    hook.redis.set("b", "2")
    wait_until_replicated(redis_sentinel, "b", "2")
    redis_sentinel.fail_over()
    lifecycle_events.wait_for("redis", ServiceState.FAILED)
    lifecycle_events.wait_for("redis", ServiceState.RUNNING)
    hook = meta.build_hook()
    assert (hook.explain("A_CONFIG").stale, hook.get_glob("A_CONFIG"), hook.redis.get("b")) == (False, "1", "2")
    hook.commit_setting("A_CONFIG", "2")
    assert meta.build_hook().get_glob("A_CONFIG") == "2"
