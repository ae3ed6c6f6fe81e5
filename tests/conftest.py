"""What every test here gets: a process-wide state of its own, and the fixtures that users' tests get.

The default Redis of the tests, and of the processes that they start, is one that nobody runs: whoever has one on the
usual port keeps it to himself. A test that wants one takes the fixture `redis_server` or `redis_in_force`.
"""

import json
import os

import pytest

# Before `jaseci.svc` is imported, which takes its defaults from there. tcpmux: refused at once, by any machine of today.
os.environ |= {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"}
os.environ.pop("REDIS_DB", None)

pytest_plugins = ["jaseci.svc.testing.plugin"]


@pytest.fixture(scope="module")
def module_redis():
    """One Redis for the tests of a module, which do it no harm."""
    from jaseci.svc.testing import plugin
    from jaseci.svc.testing.redis_server import PrivateRedis

    plugin._need_a_redis_server()
    with PrivateRedis() as server:
        yield server


@pytest.fixture
def redis_in_force(redis_server):
    """A Redis of the test's own, which the settings of this process name. What uses it is stopped before it ends."""
    from jaseci.hook import MemoryHook
    from jaseci.svc.testing import isolated

    with isolated():
        MemoryHook().save_glob("REDIS_CONFIG", json.dumps(redis_server.config()))
        yield redis_server
