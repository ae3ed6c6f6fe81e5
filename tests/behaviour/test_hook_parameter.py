"""Section 3: `run` and `post_run` with or without the hook parameter, and never as a coroutine."""

import functools

import pytest
from jaseci.svc import CommonService

from behaviour.services import Plain


def log_calls(function):
    """A decorator as users write them."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def without(self):
    self.got = "nothing"


def positional(self, hook):
    self.got = hook


def defaulted(self, hook=None):
    self.got = hook


def otherwise_named(self, h):
    self.got = h


def positional_only(self, hook, /):
    self.got = hook


def keyword_only(self, *, hook):
    self.got = hook


def keyword_only_defaulted(self, *, hook=None):
    self.got = hook


def catch_all(self, *args):
    self.got = args[0]


def unrelated_keyword(self, *, retries=3):
    self.got = "nothing"


WRITTEN = [
    (without, "nothing"),
    (positional, "hook"),
    (defaulted, "hook"),
    (otherwise_named, "hook"),
    (positional_only, "hook"),
    (keyword_only, "hook"),
    (keyword_only_defaulted, "hook"),
    (catch_all, "hook"),
    (unrelated_keyword, "nothing"),
    (log_calls(without), "nothing"),
    (log_calls(positional), "hook"),
    (log_calls(keyword_only), "hook"),
    (functools.partialmethod(positional), "hook"),
    (staticmethod(lambda hook: None), None),
]


def started(method, function):
    members = {"run": lambda self: setattr(self, "app", 1), method: function}
    if method == "run":
        members["post_run"] = lambda self: None
    return type(CommonService)("Written", (Plain,), members)().start("hook")


@pytest.mark.parametrize("method", ["run", "post_run"])
@pytest.mark.parametrize(("function", "got"), WRITTEN)
def test_the_hook_is_handed_to_who_takes_it(method, function, got):
    """However it is written or decorated."""
    service = started(method, function)
    assert service.error is None
    assert getattr(service, "got", None) == got


def test_a_run_patched_onto_the_instance_is_called():
    """As tests of applications do."""
    service = Plain()
    service.run = lambda: setattr(service, "app", "patched")
    assert service.start().app == "patched"


async def as_coroutine(self):
    self.app = 1


async def as_generator(self):
    self.app = 1
    yield


@pytest.mark.parametrize("method", ["run", "post_run"])
@pytest.mark.parametrize("function", [as_coroutine, as_generator, log_calls(as_coroutine)])
def test_an_async_method_fails_with_a_type_error_that_names_it(method, function):
    """Rather than reading RUNNING with a coroutine dropped."""
    service = started(method, function)
    assert service.has_failed()
    assert isinstance(service.error, TypeError)
    assert f"Written.{method} is 'async def'" in str(service.error)


def test_a_coroutine_that_is_refused_leaves_no_warning(recwarn):
    """It is closed."""
    started("run", as_coroutine)
    assert [str(warning.message) for warning in recwarn] == []
