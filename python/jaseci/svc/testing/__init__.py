"""For the tests of whoever uses services: a process-wide state of its own for each test, its life-cycle events, a clock that
the test moves, and a Redis that it may break.

With pytest, name the plugin in the top ``conftest.py``; nothing is loaded by itself::

    pytest_plugins = ["jaseci.svc.testing.plugin"]

With anything else, use ``isolated()``, ``LifecycleRecorder``, ``PrivateRedis`` and ``PrivateSentinel`` directly.
"""

from jaseci.svc.testing.clock import ManualClock, NoAnswer
from jaseci.svc.testing.isolation import isolated
from jaseci.svc.testing.recorder import LifecycleRecorder
from jaseci.svc.testing.redis_sentinel import PrivateSentinel
from jaseci.svc.testing.redis_server import CommandRefused, PrivateRedis, RedisServerMissing, find_redis_server

__all__ = [
    "CommandRefused",
    "LifecycleRecorder",
    "ManualClock",
    "NoAnswer",
    "PrivateRedis",
    "PrivateSentinel",
    "RedisServerMissing",
    "find_redis_server",
    "isolated",
]
