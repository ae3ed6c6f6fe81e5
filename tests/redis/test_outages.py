"""Redis goes away and comes back: last values, said to be stale; errors where nothing is known; no default is stored."""

import json
import logging
import os
import threading

import pytest
from jaseci.hook import RedisHook
from jaseci.svc import CommonService, MetaService, ServiceNotRunning, ServiceState, SourceRefused, SourceUnavailable
from shared_process import configure


def test_running_never_lies(shared):
    """FAILED as soon as Redis is lost, with the reason; RUNNING again by itself."""
    service, app = shared.service, shared.service.app
    with shared.outage():
        assert (service.state, service.app, service.is_running()) == (ServiceState.FAILED, None, False)
        assert isinstance(service.error, SourceUnavailable)
        with pytest.raises(ServiceNotRunning, match=r"'redis'.*FAILED.*127.0.0.1"):
            service.get("a")
    assert (service.is_running(), service.error, service.app) == (True, None, app)
    service.set("a", "1")
    assert service.get("a") == "1"


def test_a_value_that_was_read_is_read_on_and_said_to_be_stale(shared):
    """Last good value, reported."""
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    with shared.outage():
        told = shared.explain("A_CONFIG")
        assert (told.value, told.layer, told.stale, told.bound) == ('{"n": 1}', "redis", True, None)
        assert f"127.0.0.1:{shared.server.port}" in told.reason
        assert shared.hook().service_glob("A_CONFIG", {"n": 0}) == {"n": 1}
    told = shared.explain("A_CONFIG")
    assert (told.value, told.stale, told.bound, told.reason) == ('{"n": 1}', False, 2.0, None)


def test_a_name_of_which_nothing_is_known_is_an_error_and_not_absent(shared):
    """ "Absent" and "cannot tell" are different answers."""
    with shared.outage():
        with pytest.raises(SourceUnavailable, match=r"127.0.0.1"):
            shared.read("NEVER_READ")
        told = shared.explain("NEVER_READ")
        assert (told.value, told.layer, told.stale) == (None, None, True)
    assert shared.read("NEVER_READ") is None


def test_a_write_is_refused_while_redis_is_away_and_changes_nothing(shared):
    """A write is acknowledged when its durable layer has it."""
    hook = shared.hook()
    hook.commit_setting("A_CONFIG", '{"n": 1}')
    admin = shared.meta.build_super_master(h=hook)
    with shared.outage():
        [answer] = admin.config_set("A_CONFIG", '{"n": 2}', do_check=False)
        assert answer.startswith("Config of 'A_CONFIG' is not set: Redis at 127.0.0.1")
        with pytest.raises(SourceUnavailable):
            hook.save_glob("A_CONFIG", '{"n": 2}')
        with pytest.raises(SourceUnavailable):
            hook.destroy_glob("A_CONFIG")
        assert hook.get_glob("A_CONFIG") == '{"n": 1}'
    assert shared.read("A_CONFIG") == '{"n": 1}'


class Shop(CommonService):
    """Runs on what its config says, or on its default."""

    def build_config(self, hook):
        return hook.service_glob("SHOP_CONFIG", {"enabled": True, "n": 0})

    def run(self):
        self.app = self.config


def test_a_service_runs_on_its_default_and_takes_the_real_settings_as_soon_as_they_can_be_told(shared):
    """Provisional, stored nowhere; the real one wins as soon as its layer answers."""
    shared.meta.add_service_builder("shop", Shop)
    shared.server.cut()
    shared.wait_for(ServiceState.FAILED)
    shop = shared.meta.get_service("shop", shared.hook()).start()
    assert shop.app == {"n": 0}
    told = shared.explain("SHOP_CONFIG")
    assert (told.provisional, told.value) == (True, None)
    shared.write_elsewhere("SHOP_CONFIG", '{"enabled": true, "n": 7}')
    shared.server.restore()
    wait_until(lambda: shop.is_running() and shop.app == {"n": 7})
    assert not shared.explain("SHOP_CONFIG").provisional


def test_a_provisional_default_is_stored_nowhere(shared):
    """Nothing is defaulted."""
    with shared.outage():
        assert shared.hook().service_glob("SHOP_CONFIG", {"n": 0}) == {"n": 0}
    assert shared.raw("SHOP_CONFIG") is None


def wait_until(is_so):
    deadline = threading.Event()
    for _ in range(2000):
        if is_so():
            return
        deadline.wait(0.01)
    raise AssertionError("it never came")


def test_a_redis_that_was_never_reached_is_no_part_of_the_chain(redis_server, meta, caplog):
    """A newcomer without one works at once; one record says why, a second hook says nothing."""
    configure(redis_server)
    redis_server.kill()
    with caplog.at_level(logging.ERROR, "jaseci.svc"):
        hook = meta.build_hook()
        meta.build_hook()
    [record] = caplog.records
    assert "refuses connections; is it running?" in record.getMessage()
    assert hook.redis.has_failed()
    assert hook.service_glob("A_CONFIG", {"n": 1}) == {"n": 1}
    assert meta.build_hook().explain("A_CONFIG").layer == "process"


def test_a_redis_that_was_not_there_at_the_start_is_reached_when_it_is(redis_server, meta, lifecycle_events):
    """By itself; until then what the process has is provisional, for Redis may have something else."""
    configure(redis_server)
    redis_server.command("HSET", "global", "A_CONFIG", '{"n": 2}')
    redis_server.kill()
    hook = meta.build_hook()
    assert hook.service_glob("A_CONFIG", {"n": 1}) == {"n": 1}
    told = meta.build_hook().explain("A_CONFIG")
    assert (told.layer, told.provisional) == ("process", True)
    assert "refuses connections" in told.reason
    redis_server.restart()
    lifecycle_events.wait_for("redis", ServiceState.RUNNING)
    told = meta.build_hook().explain("A_CONFIG")
    assert (told.layer, told.value, told.provisional) == ("redis", '{"n": 2}', False)


def test_a_reset_finds_a_redis_that_was_not_there_before(redis_server, meta):
    """The way out of FAILED; what the process kept meanwhile goes up."""
    configure(redis_server)
    redis_server.kill()
    hook = meta.build_hook()
    hook.service_glob("A_CONFIG", {"n": 1})
    redis_server.restart()
    hook.redis.reset(hook)
    assert hook.redis.is_running()
    assert redis_server.command("HGET", "global", "A_CONFIG") == '{"n": 1}'


def test_a_reset_during_an_outage_fails_and_it_comes_back_all_the_same(shared):
    """What was reached once comes back by itself."""
    service = shared.service
    shared.hook().commit_setting("A_CONFIG", "{}")
    shared.server.kill()
    shared.wait_for(ServiceState.FAILED)
    service.reset()
    assert service.has_failed()
    assert shared.explain("A_CONFIG").stale
    shared.server.restart()
    shared.wait_for(ServiceState.RUNNING)
    assert not shared.explain("A_CONFIG").stale


def test_a_redis_that_freezes_costs_a_bounded_time_once(shared):
    """Not per hook: a thousand of them are built while it is frozen."""
    shared.hook().commit_setting("A_CONFIG", "{}")
    shared.server.pause()
    shared.wait_for(ServiceState.FAILED)
    for _ in range(1000):
        assert shared.read("A_CONFIG") == "{}"
    assert shared.explain("A_CONFIG").stale
    shared.server.resume()
    shared.wait_for(ServiceState.RUNNING)


@pytest.mark.parametrize("break_it", ["cut", "black_hole"])
def test_a_link_that_is_cut_is_noticed_and_mends(shared, break_it):
    """Link loss flushes the cache; what was changed meanwhile is read afterwards."""
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    getattr(shared.server, break_it)()
    shared.wait_for(ServiceState.FAILED)
    shared.write_elsewhere("A_CONFIG", '{"n": 2}')
    assert shared.read("A_CONFIG") == '{"n": 1}'
    shared.server.restore()
    shared.wait_for(ServiceState.RUNNING)
    assert shared.read("A_CONFIG") == '{"n": 2}'


class TestLostData:
    """FLUSHALL by somebody, or a restart without data."""

    @pytest.fixture(params=["FLUSHALL", "restart"])
    def lose(self, request, shared):
        def lose():
            if request.param == "FLUSHALL":
                shared.server.command("FLUSHALL")
                return
            shared.server.kill()
            shared.wait_for(ServiceState.FAILED)
            shared.server.restart(keep_data=False)
            shared.wait_for(ServiceState.RUNNING)

        return lose

    def test_is_kept_and_reported_and_not_created_again(self, shared, lose):
        shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
        lose()
        wait_until(lambda: shared.explain("A_CONFIG").stale)
        assert "has lost it" in shared.explain("A_CONFIG").reason
        assert shared.hook().service_glob("A_CONFIG", {"n": 0}) == {"n": 1}
        assert "A_CONFIG" in shared.hook().list_glob()
        assert shared.raw("A_CONFIG") is None

    def test_is_over_once_somebody_sets_it_again(self, shared, lose):
        shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
        lose()
        shared.hook().commit_setting("A_CONFIG", '{"n": 2}')
        told = shared.explain("A_CONFIG")
        assert (told.value, told.stale) == ('{"n": 2}', False)

    def test_does_not_make_another_name_that_was_written_since_look_like_a_deletion(self, shared, lose):
        shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
        lose()
        shared.hook().commit_setting("B_CONFIG", "{}")
        assert shared.hook().service_glob("A_CONFIG", {"n": 0}) == {"n": 1}


def test_a_swapped_database_is_noticed_within_the_bound(shared):
    """SWAPDB announces nothing: entries are asked for again at the age bound."""
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    shared.server.command("HSET", "global", "A_CONFIG", '{"n": 2}', db=5)
    shared.server.command("SWAPDB", 1, 5)
    shared.wait_until_read("A_CONFIG", '{"n": 2}')


@pytest.mark.interpreters
def test_a_forked_child_starts_redis_again_and_leaves_the_parents_connections_alone(shared):
    """Neither closed nor spoken on."""
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        told = "raised"
        try:
            before = shared.service.state.name
            told = json.dumps([before, shared.read("A_CONFIG"), shared.service.state.name])
            shared.hook().commit_setting("A_CONFIG", '{"n": 2}')
        finally:
            os.write(write_end, told.encode())
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as told:
        assert json.load(told) == ["NOT_STARTED", '{"n": 1}', "RUNNING"]
    os.waitpid(child, 0)
    shared.wait_until_read("A_CONFIG", '{"n": 2}')
    assert shared.service.is_running()


@pytest.mark.interpreters
def test_a_child_forked_during_an_outage_knows_what_its_parent_knew(shared):
    """No value once read becomes a default."""
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    with shared.outage():
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            told = "raised"
            try:
                told = json.dumps(shared.hook().service_glob("A_CONFIG", {"n": 0}))
            finally:
                os.write(write_end, told.encode())
                os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as told:
            assert json.load(told) == {"n": 1}
        os.waitpid(child, 0)


class TestRefusals:
    """A Redis that answers, and refuses."""

    def test_a_full_one_refuses_writes_by_name_and_is_read_on(self, shared):
        shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
        shared.server.command("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(SourceRefused, match=r"127.0.0.1.*is full.*OOM"):
            shared.hook().commit_setting("A_CONFIG", '{"n": 2}')
        assert shared.read("A_CONFIG") == '{"n": 1}'

    def test_a_replica_refuses_writes_by_name_and_is_read_on(self, shared):
        shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
        shared.server.set_read_only()
        with pytest.raises(SourceRefused, match=r"read-only replica.*READONLY"):
            shared.hook().commit_setting("A_CONFIG", '{"n": 2}')
        assert shared.read("A_CONFIG") == '{"n": 1}'

    def test_a_default_that_cannot_be_stored_is_none(self, shared):
        """Nothing is defaulted: the service is disabled, with the reason."""
        shared.meta.add_service_builder("shop", Shop)
        shared.server.command("CONFIG", "SET", "maxmemory", "1")
        shop = shared.meta.get_service("shop", shared.hook())
        assert (shop.enabled, type(shop.error)) == (False, SourceRefused)

    def test_somebody_elses_key_of_our_name_is_named(self, shared):
        shared.server.command("SET", "global", "theirs")
        with pytest.raises(SourceRefused, match=r"another type.*WRONGTYPE"):
            shared.read("A_CONFIG")
        with pytest.raises(SourceRefused, match="WRONGTYPE"):
            shared.hook().redis.clear()
        assert shared.server.command("GET", "global") == "theirs"


def test_where_changes_are_not_pushed_each_read_asks_and_that_is_said_once(new_redis_server, lifecycle_events, caplog):
    """An ACL without `client`."""
    server = new_redis_server(acl=["user app on >hush ~* +@all -client"])
    configure(server, username="app", password="hush")
    meta = MetaService()
    with caplog.at_level(logging.WARNING, "jaseci.svc"):
        hook = meta.build_hook()
        hook.commit_setting("A_CONFIG", "1")
        for number in range(100):
            server.command("HSET", "global", "A_CONFIG", str(number))
            assert meta.build_hook().get_glob("A_CONFIG") == str(number)
        wait_until(lambda: caplog.records)
    [record] = caplog.records
    assert "does not push what changes" in record.getMessage()
    assert "hush" not in record.getMessage()
    assert meta.build_hook().explain("A_CONFIG").bound == 0.0


def test_a_strict_acl_that_does_not_let_us_count_is_lived_with(new_redis_server, meta):
    """Keys named one by one."""
    server = new_redis_server(acl=["user app on >hush ~global ~urn:* +@all"])
    configure(server, username="app", password="hush")
    hook = meta.build_hook()
    hook.commit_setting("A_CONFIG", "1")
    assert (meta.build_hook().get_glob("A_CONFIG"), hook.explain("A_CONFIG").version) == ("1", None)
    assert "A_CONFIG" in server.command("HKEYS", "global")
    assert server.command("KEYS", "*") == ["global"]


class TestReaching:
    """TLS, password, URL, socket, sentinel."""

    def reaches(self, meta, server, **config):
        configure(server, **config)
        hook = meta.build_hook()
        assert hook.redis.is_running(), hook.redis.error
        hook.save_glob("a", "1")
        hook.redis.set("b", "2")
        assert (server.command("HGET", "global", "a"), server.command("GET", "b")) == ("1", "2")
        assert meta.build_hook().explain("a").bound == 2.0

    def test_with_a_password(self, meta, new_redis_server):
        self.reaches(meta, new_redis_server(password="hush"))

    def test_as_an_acl_user(self, meta, new_redis_server):
        server = new_redis_server(acl=["user app on >hush ~* &* +@all"])
        self.reaches(meta, server, username="app", password="hush")

    def test_over_tls(self, meta, new_redis_server):
        self.reaches(meta, new_redis_server(tls=True))

    def test_over_tls_by_url(self, meta, new_redis_server):
        server = new_redis_server(tls=True, password="hush")
        self.reaches(meta, server, url=server.url)

    def test_over_a_unix_socket(self, meta, redis_server):
        self.reaches(meta, redis_server, unix_socket_path=str(redis_server.unix_socket))

    def test_not_over_tls_with_a_certificate_that_nobody_vouches_for(self, meta, new_redis_server):
        server = new_redis_server(tls=True)
        configure(server, ssl_ca_certs=None)
        hook = meta.build_hook()
        assert hook.redis.has_failed()
        assert "certificate" in str(hook.redis.error).lower()

    def test_a_wrong_password_is_named_and_not_shown(self, meta, new_redis_server, caplog):
        server = new_redis_server(password="hush-hush")
        configure(server, password="guess-guess")
        hook = meta.build_hook()
        assert "refuses the configured user or password" in str(hook.redis.error)
        assert isinstance(hook.redis.error, SourceRefused)
        assert "guess-guess" not in caplog.text + str(hook.redis.error)

    def test_an_unknown_option_is_named(self, meta, redis_server):
        configure(redis_server, prot=7)
        assert "'prot'" in str(meta.build_hook().redis.error)


def test_a_config_that_redis_cannot_use_is_refused(shared):
    """A value that its service cannot use is refused with the reason, and the old one stays."""
    admin = shared.meta.build_super_master()
    before = admin.config_get("REDIS_CONFIG")
    for value, reason in [({"port": 70000}, "port"), ({"url": "http://x"}, "url"), ({"prot": 1}, "prot")]:
        [answer] = admin.config_set("REDIS_CONFIG", value)
        assert reason in answer
        assert "cannot be used" in answer
    assert admin.config_get("REDIS_CONFIG") == before


def test_redis_hook_without_any_redis_is_a_memory_hook():
    """A newcomer's."""
    hook = RedisHook()
    hook.save_glob("a", "1")
    assert (hook.get_glob("a"), hook.list_glob(), RedisHook().get_glob("a")) == ("1", ["a"], None)
