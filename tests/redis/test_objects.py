"""Objects over Redis: a string `<jid>` with the element's JSON; rebuilt by their class; ours alone removed."""

import json
import pickle
import uuid

import pytest
from jaseci.element.master import Master
from jaseci.hook import RedisHook
from jaseci.svc import SourceUnavailable


@pytest.fixture
def master(shared):
    """One that is saved and not committed."""
    return Master(h=shared.hook(), name="ada")


def test_a_saved_object_is_in_redis_with_the_commit_as_it_is_then(shared, master):
    """Saving serialises nothing; commit() serialises the state of that moment."""
    assert shared.server.command("EXISTS", master.jid) == 0
    master.name = "grace"
    master._h.commit()
    assert json.loads(shared.server.command("GET", master.jid))["name"] == "grace"
    assert master._h.save_obj_list == set()


def test_all_caches_means_at_once(shared, master):
    """save_obj with all_caches; it stays pending."""
    master._h.save_obj(master.jid, master, all_caches=True)
    assert shared.server.command("EXISTS", master.jid) == 1
    assert master in master._h.save_obj_list


def test_commit_all_cache_sync_writes_what_is_pending_and_keeps_it_pending(shared, master):
    """Memory and Redis at once."""
    master._h.commit_all_cache_sync()
    assert shared.server.command("EXISTS", master.jid) == 1
    assert master in master._h.save_obj_list


def test_another_hook_rebuilds_it_by_its_class(shared, master):
    """cls(h=hook, m_id=<its j_master>, auto_save=False), then json_load; the same live instance each time."""
    master._h.commit()
    hook = shared.hook()
    found = hook.get_obj(master.jid, master.jid)
    assert (type(found), found.name, found.jid, found._h) == (Master, "ada", master.jid, hook)
    assert hook.get_obj(master.jid, master.jid) is found
    assert hook.red_touch_count == 1
    assert hook.save_obj_list == set()


def test_a_bare_uuid_is_found_and_any_other_text_is_none(shared, master):
    """item_id may be without urn:uuid:."""
    master._h.commit()
    bare = master.jid.removeprefix("urn:uuid:")
    assert shared.hook().get_obj(master.jid, bare).jid == master.jid
    assert shared.hook().has_obj(bare)
    assert shared.hook().get_obj(master.jid, "no id") is None
    assert shared.hook().get_obj(1, 5) is None
    assert not shared.hook().has_obj(uuid.uuid4().urn)


def test_without_read_access_it_is_none_unless_overridden(shared, master):
    """get_obj's access rules hold for what comes from Redis too."""
    master._h.commit()
    stranger = uuid.uuid4().urn
    assert shared.hook().get_obj(stranger, master.jid) is None
    assert shared.hook().get_obj(stranger, master.jid, override=True).name == "ada"


def test_a_destroyed_object_is_gone_from_redis_and_no_longer_pending(shared, master):
    """destroy_obj drops a pending save."""
    master._h.commit()
    master.save()
    master.destroy()
    assert shared.server.command("EXISTS", master.jid) == 0
    master._h.commit()
    assert shared.server.command("EXISTS", master.jid) == 0


def test_what_does_not_persist_goes_no_further_than_memory(shared, master):
    """Only _persist items."""
    master._h.save_obj_list.clear()
    master._persist = False
    master._h.save_obj(master.jid, master, all_caches=True)
    master._h.commit()
    assert shared.server.command("EXISTS", master.jid) == 0


def test_what_is_no_element_is_left_alone(shared, caplog):
    """Somebody's string under an id, or a class that nobody has."""
    broken, unknown = uuid.uuid4().urn, uuid.uuid4().urn
    shared.server.command("SET", broken, "not JSON")
    shared.server.command("SET", unknown, json.dumps({"j_type": "unicorn", "j_master": None}))
    hook = shared.hook()
    assert hook.get_obj(1, broken, override=True) is None
    assert hook.get_obj(1, unknown, override=True) is None
    assert "not the JSON of an element" in caplog.text
    assert "'unicorn'" in caplog.text


def test_clearing_removes_what_is_ours_and_nothing_of_others(shared, master):
    """clear() and clear_cache() leave Celery's keys."""
    master._h.save_glob("a", "1")
    master._h.commit()
    for key in ("celery", "urn:uuid:mine", "_kombu.binding.celery"):
        shared.server.command("SET", key, "theirs")
    hook = shared.hook()
    hook.get_glob("a")
    hook.clear_cache()
    assert sorted(shared.server.command("KEYS", "*")) == ["_kombu.binding.celery", "celery", "urn:uuid:mine"]
    assert hook.mem == {"global": {}}
    assert shared.read("a") is None


def test_clear_of_the_service_is_the_same(shared, master):
    """RedisService.clear()."""
    master._h.commit()
    shared.server.command("LPUSH", "celery", "task")
    shared.service.clear()
    assert shared.server.command("KEYS", "*") == ["celery"]


def test_an_object_that_cannot_be_asked_for_is_an_error_and_a_commit_stays_pending(shared, master):
    """Cannot tell is not absent."""
    with shared.outage():
        with pytest.raises(SourceUnavailable):
            shared.hook().get_obj(1, uuid.uuid4().urn)
        with pytest.raises(SourceUnavailable):
            master._h.commit()
        assert master in master._h.save_obj_list
    master._h.commit()
    assert shared.server.command("EXISTS", master.jid) == 1


def test_a_hook_pickles_with_its_redis_and_meta(shared):
    """mem, pending writes, _machine, redis, meta, cycles included."""
    hook = shared.hook()
    hook.save_glob("a", "1")
    hook.mem["itself"] = hook
    copy = pickle.loads(pickle.dumps(hook))
    assert type(copy) is RedisHook
    assert (copy.mem["global"]["a"], copy.mem["itself"], copy.save_glob_dict) == ("1", copy, {"a": "1"})
    assert copy.redis is hook.redis
    assert copy.meta.get_service("redis") is hook.redis
