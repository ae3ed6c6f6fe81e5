"""The pytest plugin: ``pytest_plugins = ["jaseci.svc.testing.plugin"]`` in the top ``conftest.py``.

Every test gets a process-wide state of its own. Fixtures: ``lifecycle_events``, ``manual_clock``, ``meta``. Nothing here is loaded
unless it is named, and without pytest the module is empty: applications import all modules they find.
"""

from collections.abc import Iterator

from jaseci.svc.meta import MetaService
from jaseci.svc.testing.clock import ManualClock
from jaseci.svc.testing.isolation import isolated
from jaseci.svc.testing.recorder import LifecycleRecorder

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
