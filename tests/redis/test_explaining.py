"""explain(): the value without secrets, which layer has it, version, age, bound; stale and provisional with a reason."""

from jaseci.hook import Explanation, RedisHook


def test_a_fresh_value_of_redis(shared):
    """Layer, version, bound."""
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    shared.hook().commit_setting("A_CONFIG", '{"n": 2}')
    told = shared.explain("A_CONFIG")
    assert told == Explanation("A_CONFIG", '{"n": 2}', "redis", 2, told.age, False, False, 2.0, None)
    assert 0 <= told.age <= 2


def test_a_secret_is_masked(shared):
    """By value, even if this process has never seen it."""
    shared.write_elsewhere("A_CONFIG", '{"password": "hush-hush"}')
    assert shared.explain("A_CONFIG").value == '{"password": "***"}'


def test_what_the_hook_has_read_is_its_own(shared):
    """Memory is a view of one moment: without an age or a bound."""
    hook = shared.hook()
    hook.save_glob("a", "1")
    assert hook.explain("a") == Explanation("a", "1", "memory", None, None, False, False, None, None)


def test_what_is_nowhere(shared):
    """Nothing, for certain."""
    told = shared.explain("a")
    assert (told.value, told.layer, told.stale, told.bound) == (None, None, False, 2.0)


def test_what_the_process_keeps():
    """Without Redis: durability is that of the process."""
    RedisHook().commit_setting("A_CONFIG", "{}")
    told = RedisHook().explain("A_CONFIG")
    assert (told.value, told.layer, told.version, told.stale, told.bound) == ("{}", "process", None, False, 0.0)


def test_explaining_fills_nothing(shared):
    """Looking does not pin."""
    hook = shared.hook()
    shared.write_elsewhere("a", "1")
    hook.explain("a")
    assert hook.mem["global"].get("a") is None


def test_the_administrators_form(shared):
    """config_explain."""
    admin = shared.meta.build_super_master()
    admin.config_set("MAIL_CONFIG", {"enabled": False, "pass": "hush-hush"})
    told = shared.meta.build_super_master().config_explain("MAIL_CONFIG")
    assert (told["layer"], told["version"], told["value"]) == ("redis", 1, '{"enabled": false, "pass": "***"}')
    assert "not recognized" in admin.config_explain("NO_SUCH")[0]
