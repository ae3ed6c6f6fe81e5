"""Section 3: what `start` does, and when it does nothing."""

import pytest
from jaseci.hook import RedisHook
from jaseci.svc import CommonService, MetaService, ServiceState

from behaviour.services import Broken, Disabled, Plain

NOT_STARTED, STARTED, RUNNING, FAILED = (
    ServiceState.NOT_STARTED,
    ServiceState.STARTED,
    ServiceState.RUNNING,
    ServiceState.FAILED,
)


class Observed(Plain):
    """Notes the state in which its code is called."""

    def __init__(self, hook=None):
        self.seen = []
        super().__init__(hook)

    def run(self, hook=None):
        self.seen.append(("run", self.state, hook))
        super().run(hook)

    def post_run(self, hook=None):
        self.seen.append(("post_run", self.state, hook))


def test_a_start_runs_in_started_and_post_runs_in_running(lifecycle_events):
    """STARTED, run(hook), RUNNING, post_run(hook)."""
    service = Observed()
    service.start("hook")
    assert service.seen == [("run", STARTED, "hook"), ("post_run", RUNNING, "hook")]
    assert lifecycle_events.of("Observed") == [(NOT_STARTED, STARTED, None), (STARTED, RUNNING, None)]


def test_start_returns_the_service_that_ended_running():
    """So that RedisService().start() is a service."""
    service = Plain()
    assert service.start() is service
    assert service.is_running()


def test_start_returns_the_service_that_ended_failed():
    """It raises nothing for it."""
    service = Broken()
    assert service.start() is service
    assert service.has_failed()


def test_a_disabled_service_does_not_start():
    """run is ignored."""
    service = Disabled()
    assert service.start() is service
    assert (service.state, service.app) == (NOT_STARTED, None)


@pytest.mark.parametrize("state", [STARTED, RUNNING, FAILED])
def test_a_service_that_is_not_not_started_does_not_start(state):
    """Enabled but in another state: run is ignored."""
    service = Observed()
    service.state = state
    service.start()
    assert (service.state, service.seen) == (state, [])


def test_a_service_with_an_app_does_not_start():
    """Only with no app."""
    service = Observed()
    service.app = "assigned"
    service.start()
    assert (service.app, service.seen, service.state) == ("assigned", [], NOT_STARTED)


def test_a_second_start_does_nothing():
    """It is RUNNING."""
    service = Observed().start()
    app = service.app
    service.start()
    assert service.app is app
    assert len(service.seen) == 2


def test_the_base_run_says_what_to_do():
    """Not properly configured! Please override run method!"""

    class Unfinished(CommonService):
        def build_config(self, hook):
            return {"enabled": True}

    service = Unfinished().start()
    assert service.has_failed()
    assert str(service.error) == "Not properly configured! Please override run method!"


def test_a_run_that_starts_itself_does_not_deadlock():
    """It comes back to what it is doing."""

    class Eager(Plain):
        def run(self):
            assert self.start() is self
            super().run()

    assert Eager().start().is_running()


def test_a_run_without_an_app_is_running_but_is_running_is_false():
    """is_running asks for an app, too."""

    class Empty(Plain):
        def run(self):
            pass

    service = Empty().start()
    assert service.state is RUNNING
    assert not service.is_running()


def test_without_a_hook_settings_come_from_the_processs_default_hook():
    """So that RedisService().start() works."""

    class Stored(Plain):
        def build_config(self, hook):
            return hook.service_glob("STORED_CONFIG", {"enabled": True, "host": "default"})

    hook = MetaService().build_context("hook")
    hook.save_glob("STORED_CONFIG", '{"enabled": true, "host": "stored"}')
    service = Stored().start()
    assert service.is_running()
    assert service.config == {"host": "stored"}


def test_a_start_without_a_hook_uses_the_hook_it_was_built_with():
    """run and post_run get a hook in any case."""
    hook = MetaService().build_context("hook")
    service = Observed(hook)
    service.start()
    assert [each[2] for each in service.seen] == [hook, hook]


def test_a_service_without_any_hook_gets_a_default_one_in_run():
    """A run(self, hook) never meets None."""
    service = Observed()
    service.start()
    assert all(type(each[2]) is RedisHook for each in service.seen)
