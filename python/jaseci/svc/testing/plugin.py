"""The pytest plugin: ``pytest_plugins = ["jaseci.svc.testing.plugin"]`` in the top ``conftest.py``.

Every test gets a process-wide state of its own. Fixtures: ``lifecycle_events``, ``manual_clock``, ``meta``, ``redis_server``,
``new_redis_server``, ``redis_sentinel``. Nothing here is loaded unless it is named, and without pytest the module is
empty: applications import all modules they find.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from jaseci.svc.meta import MetaService
from jaseci.svc.testing.clock import ManualClock
from jaseci.svc.testing.isolation import isolated
from jaseci.svc.testing.recorder import LifecycleRecorder
from jaseci.svc.testing.redis_sentinel import PrivateSentinel
from jaseci.svc.testing.redis_server import PrivateRedis, RedisServerMissing, find_redis_server

try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture(autouse=True)
    def isolated_services() -> Iterator[None]:
        """The runtime as in a process that has just begun, before the test and after it. For every test."""
        with isolated():
            yield

    @pytest.fixture
    def lifecycle_events(isolated_services: None) -> LifecycleRecorder:  # noqa: ARG001  # for its effect
        """A recorder of what services go through in this test."""
        return LifecycleRecorder()

    @pytest.fixture
    def manual_clock(isolated_services: None) -> Iterator[ManualClock]:  # noqa: ARG001  # for its effect
        """The clock of this test's supervision, which stands still until the test moves it."""
        with ManualClock() as clock:
            yield clock

    @pytest.fixture
    def meta(isolated_services: None) -> MetaService:  # noqa: ARG001  # for its effect
        """This test's ``MetaService``, populated. Its services are stopped when the test ends."""
        return MetaService()

    @pytest.fixture
    def new_redis_server() -> Iterator[Callable[..., PrivateRedis]]:
        """Starts a Redis of the test's own: ``new_redis_server(password="x")`` with the options of ``PrivateRedis``.

        All end with the test, the last one first. Without a Redis server on this machine the test is skipped, and
        where ``CI`` is set it fails.
        """
        _need_a_redis_server()
        with contextlib.ExitStack() as stack:

            def new(**options: Any) -> PrivateRedis:
                return stack.enter_context(PrivateRedis(**options))

            yield new

    @pytest.fixture
    def redis_server(new_redis_server: Callable[..., PrivateRedis]) -> PrivateRedis:
        """A Redis of the test's own, which the test may break. It ends with the test."""
        return new_redis_server()

    @pytest.fixture
    def redis_sentinel() -> Iterator[PrivateSentinel]:
        """A sentinel over a primary and a replica, the test's own. They end with the test."""
        _need_a_redis_server()
        with PrivateSentinel() as sentinel:
            yield sentinel

    def _need_a_redis_server() -> None:
        try:
            find_redis_server()
        except RedisServerMissing as missing:
            if os.environ.get("CI"):
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))
