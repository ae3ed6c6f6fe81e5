"""Every example of the service manual that the core covers, as a test. Headings are the manual's."""

from types import SimpleNamespace

import pytest
from jaseci.element.master import Master
from jaseci.element.super_master import SuperMaster
from jaseci.hook import RedisHook
from jaseci.svc import CommonService, MetaService, RedisService, ServiceState
from jaseci.svc.redis.config import REDIS_CONFIG
from jaseci.svc.redis.kube import REDIS_KUBE

from behaviour.services import waits_for_stop

CONFIG = {"enabled": True, "quiet": True, "field1": "val1", "field2": "val2", "field3": "val3"}
KUBE = {"ServiceAccount": [{"apiVersion": "v1", "kind": "ServiceAccount", "imagePullSecrets": []}]}
STRIPE_CONFIG = {"enabled": True, "key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"}
stripe = SimpleNamespace(api_key=None)  # the library: a module with a key


class Life(CommonService):
    """Service Life Cycle: each method as the manual writes it."""

    def __init__(self, hook=None):
        super().__init__(hook)
        self.terminated = getattr(self, "terminated", [])

    def build_kube(self, hook) -> dict:
        return hook.service_glob("REDIS_KUBE", REDIS_KUBE)

    def build_config(self, hook) -> dict:
        return hook.service_glob("REDIS_CONFIG", REDIS_CONFIG)

    def connect(self):
        return SimpleNamespace(terminate=lambda: self.terminated.append(1))

    def __convert_config(self, hook):
        self.converted = hook

    def run(self, hook=None):
        self.__convert_config(hook)
        self.app = self.connect()

    def post_run(self, hook=None):
        self.spawn_daemon(worker=waits_for_stop(self), scheduler=waits_for_stop(self))

    def failed(self):
        super().failed()
        self.terminate_daemon("worker", "scheduler")

    def reset(self, hook):
        if self.is_running():
            self.app.terminate()

        super().reset(hook)


class Structured(CommonService):
    """Service Settings: the structures of the manual."""

    def build_kube(self, hook) -> dict:
        return hook.service_glob("STRUCTURED_KUBE", KUBE)

    def build_config(self, hook) -> dict:
        return hook.service_glob("STRUCTURED_CONFIG", CONFIG)


class StripeService(CommonService):
    """Example Usage (StripeService)."""

    def run(self):
        self.app = stripe
        self.app.api_key = self.config.get("key")

    def build_config(self, hook) -> dict:
        return hook.service_glob("STRIPE_CONFIG", STRIPE_CONFIG)

    def other_method_for_automation1(self):
        return "run_payment"


@pytest.fixture
def hook():
    return MetaService().build_hook()


def test_service_settings_config_and_kube(hook):
    """Config: enabled and quiet are the service's, the rest is config. Kube: grouped by kind."""
    service = Structured(hook)
    fields = {"field1": "val1", "field2": "val2", "field3": "val3"}
    assert (service.enabled, service.quiet, service.config) == (True, True, fields)
    assert service.kube == KUBE


def test_the_settings_of_redis_are_built_as_the_manual_builds_them(hook):
    """hook.service_glob("REDIS_KUBE", REDIS_KUBE), hook.service_glob("REDIS_CONFIG", REDIS_CONFIG)."""
    service, redis = Life(hook), RedisService(hook)
    assert service.kube == redis.kube == REDIS_KUBE
    assert service.config == redis.config
    assert {"enabled": service.enabled, "quiet": service.quiet} | service.config == REDIS_CONFIG


@pytest.mark.usefixtures("redis_in_force")
def test_redis_service_start():
    """RedisService().start()."""
    service = RedisService()
    assert service.is_ready()
    assert service.start().is_running()
    assert service.app.ping()


def test_common_methods(hook):
    """start, is_ready, is_running, has_failed, spawn_daemon, terminate_daemon."""
    service = Life(hook)
    assert service.is_ready()
    assert service.start().is_running()
    assert not service.has_failed()
    service.spawn_daemon(jsorc=waits_for_stop(service))
    service.terminate_daemon("jsorc", "other_daemon_name")
    assert {daemon.name for daemon in service.daemons() if daemon.alive} == {"worker", "scheduler"}


def test_service_life_cycle(hook):
    """__init__, build_kube, build_config, run, post_run, reset, failed, as written there."""
    service = Life(hook).start(hook)
    assert service.converted is hook
    service.reset(hook)
    assert service.is_running()
    service.failed()
    assert service.state is ServiceState.FAILED
    assert not any(daemon.alive for daemon in service.daemons())


def test_add_context_and_get_context():
    """Every handle sees them; the last one replaces."""

    class OrmHook(RedisHook):
        pass

    args, kwargs = (), {}
    ms1 = MetaService()
    ms1.add_context("hook", RedisHook, *args, **kwargs)

    ms2 = MetaService()
    assert ms2.get_context("hook")["class"] == RedisHook
    assert ms2.get_context("hook")["args"] == args
    assert ms2.get_context("hook")["kwargs"] == kwargs

    MetaService().add_context("hook2", RedisHook, *args, **kwargs)
    ms3 = MetaService()
    ms3.add_context("hook", OrmHook, *args, **kwargs)
    assert ms2.get_context("hook")["class"] == OrmHook
    assert isinstance(ms1.build_context("hook2"), RedisHook)


@pytest.mark.usefixtures("redis_in_force")
def test_add_service_builder_build_service_and_get_service():
    """Disposable or reusable."""
    ms1 = MetaService()
    ms1.add_service_builder("redis", RedisService)
    assert ms1.build_service("redis", False) is not ms1.build_service("redis", False)
    redis = ms1.get_service("redis")
    assert ms1.build_service("redis", True) is redis
    assert ms1.get_service("redis") is redis
    assert redis.start().is_running()


@pytest.mark.usefixtures("redis_in_force")
def test_build_hook():
    """hook will be RedisHook instance, with the default services."""
    ms1 = MetaService()
    ms1.add_context("hook", RedisHook)
    hook = ms1.build_hook()
    assert type(hook) is RedisHook
    assert all(hasattr(hook, name) for name in ("kube", "jsorc", "promon", "redis", "task", "mail"))
    assert (type(hook.redis), hook.redis.is_running()) == (RedisService, True)
    assert hook.meta is ms1


@pytest.mark.parametrize(("build", "cls"), [("build_master", Master), ("build_super_master", SuperMaster)])
def test_common_builders(build, cls):
    """A master with its hook, the hook with its services and meta."""
    ms1 = MetaService()
    master = getattr(ms1, build)()
    _h = master._h
    assert isinstance(master, cls)
    assert all(hasattr(_h, name) for name in ("kube", "jsorc", "promon", "redis", "task", "mail"))
    assert _h.meta is ms1


def test_stripe_disposable(hook):
    """stripe_service.app right after build_service."""
    meta = MetaService()
    meta.add_service_build("stripe", StripeService)
    stripe_service = meta.build_service("stripe", False, hook)
    assert stripe_service.app.api_key == STRIPE_CONFIG["key"]


def test_stripe_reusable(hook):
    """stripe_service1 == stripe_service2 == stripe_service3."""
    meta = MetaService()
    meta.add_service_build("stripe", StripeService)
    stripe_service1 = meta.get_service("stripe", hook)
    stripe_service2 = meta.get_service("stripe", hook)
    stripe_service3 = meta.get_service("stripe", hook)
    assert stripe_service1 == stripe_service2 == stripe_service3
    assert stripe_service1.app is stripe
    assert stripe_service2.other_method_for_automation1() == "run_payment"
