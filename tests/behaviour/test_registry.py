"""Section 4: MetaService: contexts, builders, kept services, hooks."""

import logging

import pytest
from jaseci.element.master import Master
from jaseci.element.super_master import SuperMaster
from jaseci.hook import MemoryHook, RedisHook
from jaseci.svc import (
    ApplicationContext,
    BuilderExists,
    CommonService,
    MetaService,
    ProxyService,
    RedisService,
    ServiceNotRunning,
    ServiceState,
)

from behaviour.services import Broken, Plain


class Made:
    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


class Sized(Plain):
    def __init__(self, hook=None, size=1):
        super().__init__(hook)
        self.size = size


def test_everything_but_run_svcs_is_shared_by_all_instances_and_subclasses(meta):
    """Held once per process."""

    class Mine(MetaService):
        pass

    other = Mine(run_svcs=False)
    meta.add_context("made", Made)
    assert other.get_context("made")["class"] is Made
    assert other.app is meta.app
    assert (meta.run_svcs, other.run_svcs) == (True, False)


def test_a_context_is_a_mapping_with_class_args_and_kwargs(meta):
    """args a tuple, kwargs a dict."""
    meta.add_context("made", Made, 1, 2, a=3)
    assert meta.get_context("made") == {"class": Made, "args": (1, 2), "kwargs": {"a": 3}}


def test_a_context_can_be_called_like_the_class_itself(meta):
    """Old callers call the result, and their arguments are all."""
    meta.add_context("made", Made, 1, a=3)
    made = meta.get_context("made")("x", b=4)
    assert (made.args, made.kwargs) == (("x",), {"b": 4})


def test_add_context_replaces(meta):
    """The manual: will override hook From RedisHook to OrmHook."""
    meta.add_context("made", Made)
    meta.add_context("made", dict)
    assert meta.get_context("made")["class"] is dict


def test_an_unknown_context_is_none(meta, caplog):
    """get_context answers None, build_context logs once and answers None."""
    assert meta.get_context("nobody") is None
    assert meta.build_context("nobody") is None
    assert len(caplog.records) == 1


def test_build_context_puts_given_arguments_before_the_stored_ones(meta):
    """cls(*call_args, *stored_args, **call_kwargs, **stored_kwargs)."""
    meta.add_context("made", Made, 1, a=2)
    made = meta.build_context("made", 3, b=4)
    assert (made.args, made.kwargs) == ((3, 1), {"b": 4, "a": 2})


def test_a_second_builder_of_a_name_is_refused(meta):
    """And the first one stays; the refusal names it."""
    meta.add_service_builder("plain", Plain)
    with pytest.raises(BuilderExists, match=r"^plain already exists!.*Plain"):
        meta.add_service_builder("plain", Broken)
    assert type(meta.build_service("plain", False)) is Plain


def test_a_shipped_class_may_be_registered_once_more_under_its_name(meta):
    """As the manual's example has it, although populating has registered it already; another class may not."""
    kept = meta.get_service("redis")
    meta.add_service_builder("redis", RedisService)
    assert meta.get_service("redis") is kept
    with pytest.raises(BuilderExists, match=r"^redis already exists!.*RedisService"):
        meta.add_service_builder("redis", Plain)


def test_add_service_build_is_the_same_method(meta):
    """As the manual's example spells it."""
    meta.add_service_build("plain", Plain)
    assert type(meta.get_service("plain")) is Plain


def test_a_builder_may_be_replaced_on_request(meta):
    """For notebooks and reloads: what was kept is stopped."""
    meta.add_service_builder("x", Plain)
    old = meta.get_service("x").start()
    meta.add_service_builder("x", Sized, replace=True)
    assert type(meta.get_service("x")) is Sized
    assert not old.is_running()


@pytest.mark.parametrize("wrong", [dict, Plain, "text", None], ids=["another class", "an instance", "text", "None"])
def test_what_is_no_service_class_is_refused_at_once(meta, wrong):
    """TypeError, with the name."""
    wrong = Plain() if wrong is Plain else wrong
    with pytest.raises(TypeError, match="service 'x' must be a subclass of CommonService"):
        meta.add_service_builder("x", wrong)


def test_a_disposable_service_is_a_new_one_each_time(meta):
    """background=False."""
    meta.add_service_builder("sized", Sized)
    first, second = meta.build_service("sized", False, None, size=2), meta.build_service("sized", False)
    assert first is not second
    assert (first.size, second.size) == (2, 1)


def test_a_background_service_is_built_once_and_kept(meta):
    """background=True, and get_service finds it."""
    meta.add_service_builder("sized", Sized)
    kept = meta.build_service("sized", True, None, size=2)
    assert meta.build_service("sized", True, None, size=3) is kept
    assert meta.get_service("sized", None, size=4) is kept
    assert kept.size == 2


def test_a_service_has_the_name_that_it_was_built_under(meta, lifecycle_events):
    """In events and daemons' threads."""
    meta.add_service_builder("named", Plain)
    meta.get_service("named").start()
    assert lifecycle_events.of("named")


def test_an_unknown_service_is_one_error_record_and_none(meta, caplog):
    """Neither an exception nor silence."""
    assert meta.build_service("nobody", False) is None
    [record] = caplog.records
    assert (record.levelno, "nobody" in record.getMessage()) == (logging.ERROR, True)
    assert meta.get_service("nobody") is None


def test_an_exception_of_a_constructor_goes_to_who_asked(meta):
    """And the next one tries again."""

    class Moody(Plain):
        def __init__(self, hook=None):
            if hook is None:
                raise LookupError
            super().__init__(hook)

    meta.add_service_builder("moody", Moody)
    with pytest.raises(LookupError):
        meta.get_service("moody")
    assert meta.get_service("moody", MemoryHook()) is meta.get_service("moody")


def test_get_service_without_a_hook_keeps_a_service_that_works(meta):
    """get_service("mail") without a hook cached a broken service for the process's life."""

    class Mail(CommonService):
        def build_config(self, hook):
            return hook.service_glob("SOME_MAIL_CONFIG", {"enabled": True})

        def run(self, hook):
            self.app = hook.get_glob("SOME_MAIL_CONFIG")

    meta.add_service_builder("some_mail", Mail)
    assert meta.get_service("some_mail").start().app == '{"enabled": true}'


def test_app_is_the_application_context(meta):
    """services, background, context."""
    meta.add_service_builder("plain", Plain)
    kept = meta.get_service("plain")
    assert isinstance(meta.app, ApplicationContext)
    assert (meta.app.services["plain"], meta.app.background) == (Plain, {"plain": kept})
    assert set(meta.app.context) == {"hook", "master", "super_master"}


def test_services_lists_name_class_state_error_and_since(meta):
    """Built or not."""
    meta.add_service_builder("broken", Broken)
    meta.add_service_builder("unbuilt", Plain)
    broken = meta.get_service("broken").start()
    infos = {info.name: info for info in meta.services()}
    assert infos["broken"][:4] == ("broken", Broken, ServiceState.FAILED, broken.error)
    assert infos["broken"].since is not None
    assert infos["unbuilt"][:5] == ("unbuilt", Plain, ServiceState.NOT_STARTED, None, None)


def test_an_override_stands_for_the_name_inside_the_with_only(meta):
    """For tests: what was kept comes back untouched, the substitute is stopped."""
    meta.add_service_builder("x", Plain)
    kept = meta.get_service("x").start()
    with meta.override("x", Sized):
        substitute = meta.get_service("x").start()
        assert type(substitute) is Sized
    assert meta.get_service("x") is kept
    assert kept.is_running()
    assert not substitute.is_running()


def test_an_override_ends_with_an_exception_too(meta):
    """And of a name that had no builder nothing is left."""
    with pytest.raises(LookupError), meta.override("x", Plain):
        raise LookupError
    assert "x" not in meta.builders


def test_a_failed_population_is_the_error_and_is_tried_again():
    """A failed populate left MetaService half-built for ever."""

    class Failing(MetaService):
        def populate_services(self):
            raise OSError("no list")

    failed = Failing()
    assert (failed.state, str(failed.error)) == (ServiceState.FAILED, "no list")
    with pytest.raises(ServiceNotRunning, match="MetaService is FAILED, populating it raised OSError: no list"):
        failed.get_context("hook")
    assert MetaService().get_context("hook")["class"] is RedisHook


def test_a_population_that_succeeds_leaves_no_error():
    """error is that which made it FAILED."""

    class Failing(MetaService):
        def populate_context(self):
            raise OSError("no list")

    Failing()
    assert MetaService().error is None


def test_build_hook_makes_a_new_hook_with_meta(meta):
    """From the context `hook`."""
    first, second = meta.build_hook(), meta.build_hook()
    assert first is not second
    assert isinstance(first, MemoryHook)
    assert first.meta is meta


def test_build_hook_attaches_the_kept_services_and_starts_them(meta):
    """promon, mail, redis and task, where kube and jsorc do not run."""
    for name in ("kube", "jsorc", "promon", "redis", "task", "mail"):
        cls = Plain if name in ("promon", "redis", "task", "mail") else Broken
        meta.add_service_builder(name, cls, replace=True)
    hook = meta.build_hook()
    assert all(
        getattr(hook, name) is meta.get_service(name) for name in ("kube", "jsorc", "promon", "redis", "task", "mail")
    )
    assert all(getattr(hook, name).is_running() for name in ("promon", "redis", "task", "mail"))


def test_with_kube_and_jsorc_running_jsorc_starts_the_others(meta):
    """They are not started here."""
    for name in ("kube", "jsorc", "redis"):
        meta.add_service_builder(name, Plain, replace=True)
    hook = meta.build_hook()
    assert hook.jsorc.is_running()
    assert hook.redis.state is ServiceState.NOT_STARTED


def test_without_run_svcs_a_hook_has_disabled_proxies():
    """ProxyServices under these names."""
    hook = MetaService(run_svcs=False).build_hook()
    for name in ("kube", "jsorc", "promon", "redis", "task", "mail"):
        assert isinstance(getattr(hook, name), ProxyService)
        assert not getattr(hook, name).enabled


@pytest.mark.parametrize(("build", "cls"), [("build_master", Master), ("build_super_master", SuperMaster)])
def test_a_master_is_built_on_a_new_hook_or_on_the_one_given(meta, build, cls):
    """kwargs["h"] defaults to build_hook()."""
    hook = MemoryHook()
    assert type(getattr(meta, build)()) is cls
    assert getattr(meta, build)()._h.meta is meta
    assert getattr(meta, build)(h=hook)._h is hook
