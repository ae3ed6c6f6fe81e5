"""What `jaseci.svc.testing` offers to users' tests. Checked, never run."""

from typing import assert_type

from jaseci.svc import Event, MetaService, ServiceState
from jaseci.svc.testing import LifecycleRecorder, isolated

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
