"""For the tests of whoever uses services: a process-wide state of its own for each test, its life-cycle events, and a clock
that the test moves.

With pytest, name the plugin in the top ``conftest.py``; nothing is loaded by itself::

    pytest_plugins = ["jaseci.svc.testing.plugin"]

With anything else, use ``isolated()`` and ``LifecycleRecorder`` directly.
"""

from jaseci.svc.testing.clock import ManualClock, NoAnswer
from jaseci.svc.testing.isolation import isolated
from jaseci.svc.testing.recorder import LifecycleRecorder

__all__ = ["LifecycleRecorder", "ManualClock", "NoAnswer", "isolated"]
