"""Section 3: what becomes of a start that fails."""

import logging

import pytest
from jaseci.svc import CommonService, ServiceState

from behaviour.services import Broken, Plain

FAILED = ServiceState.FAILED


def failing(method, error, **config):
    def fail(self):
        if method == "post_run":
            assert self.is_running()
        raise error

    members = {method: fail, "build_config": lambda self, hook: {"enabled": True, **config}}
    return type(CommonService)("Failing", (Plain,), members)()


def errors_in(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


@pytest.mark.parametrize("method", ["run", "post_run"])
def test_an_exception_ends_in_failed_with_the_error_kept(method):
    """State FAILED, error set, app dropped."""
    error = OSError("no route")
    service = failing(method, error).start()
    assert (service.state, service.error, service.app) == (FAILED, error, None)


@pytest.mark.parametrize("method", ["run", "post_run"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_a_base_exception_does_the_same_and_propagates(method, error):
    """Ctrl-C is not swallowed."""
    service = failing(method, error)
    with pytest.raises(type(error)) as raised:
        service.start()
    assert raised.value is error
    assert (service.state, service.error, service.app) == (FAILED, error, None)


def test_failed_is_called_once_with_error_set_in_state_failed():
    """Before anybody else sees the failure as over."""
    calls = []

    class Sorry(Broken):
        def failed(self):
            calls.append((self.state, type(self.error)))
            super().failed()

    Sorry().start()
    assert calls == [(FAILED, OSError)]


def test_a_failure_is_logged_once_with_type_and_message(caplog):
    """Skipping <Class> due to initialization failure!"""
    failing("run", OSError("no route")).start()
    [message] = errors_in(caplog)
    assert message.startswith("Skipping Failing due to initialization failure!")
    assert "OSError: no route" in message


def test_a_quiet_service_fails_quietly(caplog):
    """If not quiet."""
    service = failing("run", OSError("no route"), quiet=True).start()
    assert service.has_failed()
    assert errors_in(caplog) == []


def test_an_exception_out_of_failed_is_logged_and_swallowed(caplog):
    """It does not hide the failure itself."""

    class Worse(Broken):
        def failed(self):
            raise ValueError("and this, too")

    service = Worse().start()
    assert isinstance(service.error, OSError)
    assert any("Worse.failed() raised ValueError: and this, too" in message for message in errors_in(caplog))


def test_the_app_is_dropped_although_failed_raised():
    """FAILED, and nothing half started is left to be used."""

    class Worse(Plain):
        def post_run(self):
            raise OSError

        def failed(self):
            raise ValueError

    assert Worse().start().app is None


def test_failed_may_forget_super():
    """The state is FAILED, and the app gone, even so."""

    class Forgetful(Plain):
        def post_run(self):
            raise OSError

        def failed(self):
            self.told = True

    service = Forgetful().start()
    assert (service.told, service.state, service.app) == (True, FAILED, None)


def test_failed_may_be_called_by_the_application():
    """App dropped, FAILED."""
    service = Plain().start()
    service.failed()
    assert (service.state, service.app) == (FAILED, None)


def test_a_failed_service_does_not_start_again():
    """Neither by start nor by reading; reset is the way out."""
    service = Broken().start()
    error = service.error
    assert service.start().app is None
    assert service.error is error


def test_the_event_of_a_failure_tells_the_reason(lifecycle_events):
    """Type and message."""
    Broken().start()
    assert lifecycle_events.of("Broken")[-1] == (
        ServiceState.STARTED,
        FAILED,
        "OSError: no route to the library",
    )


def test_an_error_whose_message_cannot_be_made_is_contained():
    """Users' exceptions are users' code."""

    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    service = failing("run", Mute()).start()
    assert isinstance(service.error, Mute)
