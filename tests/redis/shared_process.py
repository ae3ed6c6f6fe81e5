"""A process whose Redis is a private one, as its units of work see it."""

import json
import time
from contextlib import contextmanager

from jaseci.hook import MemoryHook
from jaseci.svc import ServiceState

PATIENCE = 20  # seconds until what a test waits for is called missing


def configure(server, **more):
    """From now on the process's Redis is this one, unless it runs already."""
    MemoryHook().commit_setting("REDIS_CONFIG", json.dumps(server.config(**more)))


class Shared:
    """A process that shares settings over a Redis, as its units of work see it."""

    def __init__(self, meta, server, events):
        self.meta, self.server, self._events = meta, server, events

    @property
    def service(self):
        return self.meta.get_service("redis")

    def hook(self):
        """A new unit of work."""
        return self.meta.build_hook()

    def read(self, name):
        return self.hook().get_glob(name)

    def explain(self, name):
        return self.hook().explain(name)

    def raw(self, name):
        """What Redis itself has."""
        return self.server.command("HGET", "global", name)

    def write_elsewhere(self, name, text):
        """As another process writes, past this one."""
        self.server.command("HSET", "global", name, text)

    def wait_for(self, state):
        """Until the service enters a state."""
        self._events.wait_for("redis", state, PATIENCE)

    def wait_until_read(self, name, text):
        """Until a new hook reads this; the push that announces it is no event that a test could await."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.read(name)) != text:
            assert time.monotonic() < deadline, f"{name} is still {found!r}"

    @contextmanager
    def outage(self):
        """Redis is killed, and comes back with its data."""
        self.server.kill()
        self.wait_for(ServiceState.FAILED)
        try:
            yield
        finally:
            self.server.restart()
            self.wait_for(ServiceState.RUNNING)
