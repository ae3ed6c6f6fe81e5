"""What `jaseci.svc.testing` offers to users' tests. Checked, never run."""

from collections.abc import Callable
from typing import Any, assert_type

from jaseci.svc import Event, MetaService, ServiceState
from jaseci.svc.testing import LifecycleRecorder, PrivateRedis, PrivateSentinel, isolated

pytest_plugins = ["jaseci.svc.testing.plugin"]


def test_with_fixtures(meta: MetaService, lifecycle_events: LifecycleRecorder) -> None:
    meta.get_service("mailer").start()
    assert_type(lifecycle_events.all(), list[Event])
    assert_type(lifecycle_events.of("mailer"), list[tuple[ServiceState, ServiceState, str | None]])
    assert_type(lifecycle_events.wait_for("mailer", ServiceState.RUNNING, timeout=1.0), Event)
    lifecycle_events.wait_for("mailer", "RUNNING")  # type: ignore[arg-type]


def without_pytest() -> None:
    with isolated() as nothing:
        assert_type(nothing, None)
    with isolated(timeout=1.0):
        pass
    isolated("soon")  # type: ignore[arg-type]


def test_with_a_redis(redis_server: PrivateRedis, new_redis_server: Callable[..., PrivateRedis]) -> None:
    assert_type(redis_server.port, int)
    assert_type(redis_server.config(quiet=True), dict[str, Any])
    assert redis_server.command("SET", "name", 1, "EX", 2.5) == "OK"
    redis_server.restart(keep_data=False)
    redis_server.restart(False)  # type: ignore[call-arg]
    new_redis_server(replica_of=redis_server, acl=["user app on nopass ~* +@all"])


def test_behind_a_sentinel(redis_sentinel: PrivateSentinel) -> None:
    redis_sentinel.fail_over(timeout=10.0)
    assert_type(redis_sentinel.primary, PrivateRedis)
    PrivateRedis(maxmemory="much")  # type: ignore[arg-type]
