"""A process whose Redis is a private one."""

import pytest
from jaseci.svc import MetaService, ServiceState
from shared_process import Shared, configure


@pytest.fixture
def shared(redis_server, lifecycle_events):
    configure(redis_server)
    shared = Shared(MetaService(), redis_server, lifecycle_events)
    shared.hook()
    shared.wait_for(ServiceState.RUNNING)
    return shared
