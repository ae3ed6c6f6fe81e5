"""Section 3: reading `.app` starts a service, but never from inside its own code."""

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, MetaService, ServiceState

from behaviour.services import PATIENCE, Broken, Disabled, Held, Plain
from behaviour.threads import Going

NOT_STARTED = ServiceState.NOT_STARTED


def test_reading_app_starts_an_enabled_service():
    """As the manual's Stripe example does."""
    service = Plain()
    assert service.app is not None
    assert service.is_running()


def test_reading_app_of_a_disabled_service_starts_nothing():
    """It is None."""
    service = Disabled()
    assert (service.app, service.state) == (None, NOT_STARTED)


def test_reading_app_of_a_service_that_fails_gives_none():
    """The error is in `error`."""
    service = Broken()
    assert service.app is None
    assert service.has_failed()


def test_a_lazy_start_uses_the_hook_it_was_built_with():
    """Not another one."""
    got = []

    class Noting(Plain):
        def run(self, hook):
            got.append(hook)
            super().run(hook)

    hook = MemoryHook()
    assert Noting(hook).app is not None
    assert got == [hook]


@pytest.mark.parametrize(
    "look", ["state", "is_ready", "is_running", "has_failed", "repr", "error", "config", "enabled"]
)
def test_looking_at_anything_else_starts_nothing(look):
    """Neither state, is_*, nor repr."""
    service = Plain()
    if look == "repr":
        repr(service)
    else:
        value = getattr(service, look)
        if callable(value):
            value()
    assert service.state is NOT_STARTED


def test_hasattr_and_vars_start_nothing_but_app_does():
    """dir and vars are for looking."""
    service = Plain()
    dir(service)
    vars(service)
    assert service.state is NOT_STARTED


def reads_app(self, *args):
    """Code of a service that looks at its own app."""
    self.__dict__.setdefault("read", []).append(self.app)
    return {"enabled": True}


def own_code(*methods):
    return type(CommonService)("Reading", (Plain,), dict.fromkeys(methods, reads_app))


@pytest.mark.parametrize("method", ["build_kube", "build_config"])
def test_inside_the_building_of_settings_reading_app_starts_nothing(method):
    """None, and the constructor comes to its end."""
    service = own_code(method)()
    assert (service.read, service.state) == ([None], NOT_STARTED)


def test_inside_run_reading_app_gives_what_run_has_set_so_far():
    """None, at first."""

    class Reading(Plain):
        def run(self):
            before = self.app
            self.app = "half"
            self.read = (before, self.app)

    assert Reading().start().read == (None, "half")


def test_inside_post_run_reading_app_gives_the_app():
    """It is RUNNING already."""
    service = own_code("post_run")().start()
    assert service.read == [service.app]


@pytest.mark.parametrize("method", ["failed", "stop"])
def test_inside_its_end_reading_app_starts_nothing(method):
    """Before super() has been called, on a service that was never started."""
    service = own_code(method)()
    getattr(service, method)()
    assert (service.read, service.state) == ([None], NOT_STARTED)


def test_inside_reset_before_super_reading_app_starts_nothing():
    """Code of an override before super().reset() sees the service as it was."""
    seen = []

    class Reading(Plain):
        def reset(self, hook):
            seen.append((self.app, self.state))
            super().reset(hook)

    service = Reading()
    service.reset(MemoryHook())
    assert seen == [(None, NOT_STARTED)]
    assert service.is_running()


def test_inside_reset_of_a_running_service_reading_app_gives_the_app():
    """The manual: app needs to be terminated before calling the actual reset."""
    ended = []

    class Reading(Plain):
        def reset(self, hook):
            if self.is_running():
                ended.append(self.app)
            super().reset(hook)

    service = Reading().start()
    app = service.app
    service.reset(MemoryHook())
    assert ended == [app]
    assert service.app is not app


class Mixin:
    """A mixin that reads the app in its own reset, before anybody's super()."""

    def reset(self, hook):
        self.app_in_mixin = self.app
        super().reset(hook)


def test_inside_reset_of_a_mixin_reading_app_starts_nothing():
    """It is code of the service all the same."""

    class Reading(Mixin, Plain):
        pass

    service = Reading()
    service.reset(MemoryHook())
    assert service.app_in_mixin is None


def test_inside_a_method_called_by_run_reading_app_starts_nothing():
    """At any depth."""

    class Reading(Plain):
        def connect(self):
            return [self.app for _ in range(1)]

        def run(self):
            self.app = self.connect()

    assert Reading().app == [None]


def test_another_service_is_started_by_reading_its_app_inside_run():
    """Only one's own app is left alone."""
    other = Plain()

    class Leaning(Plain):
        def run(self):
            self.app = other.app

    assert Leaning().app is other.app
    assert other.is_running()


def test_a_run_named_method_of_something_else_does_not_keep_app_from_starting():
    """`run` of an application's own object is not the service's run."""

    class Job:
        def run(self, service):
            return service.app

    assert Job().run(Plain()) is not None


def test_a_daemon_of_post_run_reads_the_app_without_waiting_for_post_run():
    """While RUNNING, reading never waits; only start waits for post_run."""

    class Working(Held):
        def run(self, hook=None):
            self.app = "app"

        def post_run(self):
            self.spawn_daemon(reader=self.read)
            assert self.release.wait(PATIENCE)

        def read(self):
            self.read_by_daemon = self.app
            self.release.set()

    service = Working().start()
    assert service.read_by_daemon == "app"
    assert service.is_running()


def test_a_reader_on_another_thread_waits_for_run():
    """It gets what run has set in the end, not what it has set so far."""

    class Late(Held):
        def run(self, hook=None):
            self.app = "half"
            self.entered.set()
            assert self.release.wait(PATIENCE)
            self.app = "whole"

    service = Late()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    reader = Going(lambda: service.app)
    service.release.set()
    assert (reader.ended(), starter.ended()) == ("whole", service)


def test_a_kept_service_is_started_by_reading_its_app():
    """get_service, then app, as the manual does."""
    meta = MetaService()
    meta.add_service_builder("plain", Plain)
    assert meta.get_service("plain").app is not None


def test_app_can_be_assigned_and_dropped():
    """It is an attribute."""
    service = Disabled()
    service.app = "mine"
    assert service.app == "mine"
    service.app = None
    assert service.app is None
