"""Globs over Redis: every hook of every process reads what was written, wherever that was."""

import json

import pytest
from jaseci.hook import RedisHook
from jaseci.svc import CommonService, ConfigError, MetaService

from behaviour.services import Plain


def test_a_glob_is_in_redis_at_once(shared):
    """save_glob reaches memory and Redis; the layout is public: hash `global`, field = name, value = text."""
    shared.hook().save_glob("GLOB_SENTINEL", "urn:1")
    assert shared.raw("GLOB_SENTINEL") == "urn:1"
    assert shared.read("GLOB_SENTINEL") == "urn:1"


def test_a_glob_that_another_process_wrote_is_read_by_the_next_hook(shared):
    """The cache is told of the change."""
    shared.write_elsewhere("MAIL_CONFIG", "1")
    assert shared.read("MAIL_CONFIG") == "1"
    shared.write_elsewhere("MAIL_CONFIG", "2")
    shared.wait_until_read("MAIL_CONFIG", "2")


def test_a_hook_keeps_what_it_has_read_for_its_unit_of_work(shared):
    """Memory is `mem` itself: a view of one moment."""
    shared.write_elsewhere("a", "1")
    hook = shared.hook()
    assert hook.get_glob("a") == "1"
    shared.write_elsewhere("a", "2")
    shared.wait_until_read("a", "2")
    assert hook.get_glob("a") == "1"
    del hook.mem["global"]["a"]
    assert hook.get_glob("a") == "2"


def test_what_a_process_writes_its_next_hook_reads_at_once_a_thousand_times(shared):
    """At once, in the process that wrote: no push has to arrive first."""
    for number in range(1000):
        shared.hook().save_glob("a", str(number))
        assert shared.read("a") == str(number)


def test_a_deleted_glob_is_gone_everywhere(shared):
    """destroy_glob."""
    hook = shared.hook()
    hook.save_glob("a", "1")
    hook.destroy_glob("a")
    assert (shared.raw("a"), shared.read("a"), hook.has_glob("a")) == (None, None, False)


def test_a_glob_that_somebody_deleted_past_us_is_gone(shared):
    """As the predecessor's processes delete: the field goes, nothing is counted."""
    shared.hook().save_glob("a", "1")
    shared.hook().save_glob("b", "1")
    shared.server.command("HDEL", "global", "a")
    shared.wait_until_read("a", None)


def test_the_names_are_those_in_redis_and_those_of_the_hook(shared):
    """list_glob; REDIS_CONFIG stays with the process."""
    shared.write_elsewhere("theirs", "1")
    hook = shared.hook()
    hook.save_glob("mine", "1")
    assert {"theirs", "mine", "REDIS_CONFIG"} <= set(hook.list_glob())


def test_what_redis_is_reached_with_is_never_read_from_it(shared):
    """REDIS_CONFIG is read from memory, database and environment."""
    shared.write_elsewhere("REDIS_CONFIG", json.dumps({"host": "elsewhere.invalid"}))
    assert json.loads(shared.read("REDIS_CONFIG"))["port"] == shared.server.port


def test_a_number_is_kept_as_its_text_and_other_things_are_refused(shared):
    """Redis keeps texts."""
    hook = shared.hook()
    hook.save_glob("n", 5)
    assert shared.raw("n") == "5"
    with pytest.raises(ConfigError, match="'n' is of type list"):
        hook.save_glob("n", [1])
    assert (shared.raw("n"), hook.get_glob("n")) == ("5", 5)


def test_a_glob_of_fifty_megabytes_is_kept_whole(shared):
    """Never cut."""
    text = "x" * 50_000_000
    shared.hook().save_glob("huge", text)
    assert shared.read("huge") == text


def test_settings_of_more_than_four_mebibytes_are_refused_and_stay_as_they_are(shared):
    """A setting is written by people; what is longer is a mistake."""
    text = json.dumps({"enabled": True, "x": "x" * 5_000_000})
    shared.write_elsewhere("A_CONFIG", text)
    with pytest.raises(ConfigError, match=r"A_CONFIG.*bytes long"):
        shared.hook().service_glob("A_CONFIG", {})
    assert shared.raw("A_CONFIG") == text


def test_a_text_that_is_not_utf8_is_refused_by_name(shared):
    """Refused, never cut."""
    shared.write_elsewhere("a", b"ab\xff")
    with pytest.raises(Exception, match=r"glob \"a\" of Redis at 127.0.0.1:\d+ .*is not UTF-8 at byte 2"):
        shared.read("a")


def test_a_default_is_stored_once_and_the_first_one_wins(shared):
    """service_glob stores it durably if the glob exists nowhere."""
    assert shared.hook().service_glob("A_CONFIG", {"n": 1}) == {"n": 1}
    assert shared.raw("A_CONFIG") == '{"n": 1}'
    assert shared.hook().service_glob("A_CONFIG", {"n": 2}) == {"n": 1}


def test_building_a_hook_creates_no_default_again(shared):
    """While its services are kept."""
    shared.hook().destroy_glob("REDIS_KUBE")
    shared.server.command("HDEL", "global", "A_CONFIG")
    before = shared.server.command("HKEYS", "global")
    shared.hook()
    assert shared.server.command("HKEYS", "global") == before


def test_without_a_hook_settings_come_from_redis_too(shared):
    """The process-wide default hook finds the kept Redis."""
    shared.write_elsewhere("A_CONFIG", '{"enabled": true, "n": 7}')

    class Service(Plain):
        def build_config(self, hook):
            return hook.service_glob("A_CONFIG", {})

    assert Service().config == {"n": 7}


def test_a_hook_of_another_redis_reads_that_one(shared, new_redis_server):
    """A hook's `redis` says which."""
    other = new_redis_server()
    other.command("HSET", "global", "a", "theirs")
    shared.write_elsewhere("a", "ours")

    class OtherRedis(type(shared.service)):
        def build_config(self, hook):
            return other.config()

    hook = RedisHook()
    hook.redis = OtherRedis().start()
    assert (hook.get_glob("a"), shared.read("a")) == ("theirs", "ours")
    hook.redis.stop()


def test_a_disposable_service_beside_the_kept_one_leaves_it_its_connection(shared):
    """Both name the same Redis."""
    shared.hook().commit_setting("A_CONFIG", "1")
    disposable = shared.meta.build_service("redis", False, shared.hook())
    assert disposable.app.ping()
    disposable.stop()
    assert shared.service.is_running()
    shared.write_elsewhere("A_CONFIG", "2")
    shared.wait_until_read("A_CONFIG", "2")
    assert not shared.explain("A_CONFIG").stale


def test_what_was_deleted_while_redis_was_left_on_purpose_is_gone(shared):
    """Of what was borrowed from a Redis, that Redis knows better."""
    shared.hook().commit_setting("A_CONFIG", "1")
    shared.hook().commit_setting("B_CONFIG", "1")
    shared.service.stop()
    assert RedisHook().get_glob("A_CONFIG") == "1"
    shared.server.command("HDEL", "global", "A_CONFIG")
    shared.server.command("HINCRBY", "{global}:versions", "A_CONFIG", 1)
    shared.service.start()
    assert (shared.read("A_CONFIG"), shared.read("B_CONFIG")) == (None, "1")


def test_a_client_that_an_application_puts_in_its_place_is_asked_each_time(shared, redis_server):
    """A subclass that runs something of its own is passed through."""
    import redis

    class OwnClient(type(shared.service)):
        def run(self, hook=None):
            self.app = redis.Redis(port=redis_server.port, db=redis_server.db)

    hook = RedisHook()
    hook.redis = OwnClient().start()
    hook.save_glob("a", "1")
    assert (shared.raw("a"), shared.read("a")) == ("1", "1")
    shared.write_elsewhere("a", "2")
    fresh = RedisHook()
    fresh.redis = hook.redis
    assert (fresh.explain("a").layer, fresh.get_glob("a")) == ("redis", "2")
    hook.redis.app.close()


class TestMeeting:
    """What a process had by itself before it met Redis."""

    def test_goes_up_unless_redis_has_it(self, redis_server, meta):
        from shared_process import configure

        mine = RedisHook()
        mine.commit_setting("MINE_CONFIG", '{"n": 1}')
        mine.commit_setting("THEIRS_CONFIG", '{"n": 1}')
        redis_server.command("HSET", "global", "THEIRS_CONFIG", '{"n": 2}')
        configure(redis_server)
        hook = meta.build_hook()
        assert redis_server.command("HGET", "global", "MINE_CONFIG") == '{"n": 1}'
        assert hook.get_glob("THEIRS_CONFIG") == '{"n": 2}'

    def test_resets_services_whose_settings_redis_has_otherwise(self, redis_server, meta):
        from shared_process import configure

        class Shop(CommonService):
            def build_config(self, hook):
                return hook.service_glob("SHOP_CONFIG", {"enabled": True, "n": 1})

            def run(self):
                self.app = self.config["n"]

        meta.add_service_builder("shop", Shop)
        shop = meta.get_service("shop")
        assert shop.app == 1
        redis_server.command("HSET", "global", "SHOP_CONFIG", '{"enabled": true, "n": 2}')
        configure(redis_server)
        meta.build_hook()
        assert (shop.app, shop.is_running()) == (2, True)

    def test_keeps_the_settings_when_redis_leaves_on_purpose(self, shared):
        """A value once read is never replaced by a default."""
        shared.hook().service_glob("A_CONFIG", {"n": 1})
        shared.write_elsewhere("A_CONFIG", '{"n": 2}')
        shared.wait_until_read("A_CONFIG", '{"n": 2}')
        shared.service.stop()
        assert MetaService(run_svcs=False).build_hook().service_glob("A_CONFIG", {"n": 1}) == {"n": 2}
