"""Section 5: MemoryHook: globs, objects and their access rules, pickling."""

import json
import pickle
import uuid

import pytest
from jaseci.element.master import Master
from jaseci.hook import MemoryHook
from jaseci.svc import ConfigError


@pytest.fixture
def hook():
    return MemoryHook()


class Thing:
    """An element as a hook uses one."""

    def __init__(self, readers=(), writers=("owner",), persist=True):
        self.jid = uuid.uuid4().urn
        self.readers, self.writers, self._persist = readers, writers, persist

    def check_read_access(self, caller_id):
        return caller_id in (*self.readers, *self.writers)

    def check_write_access(self, caller_id):
        return caller_id in self.writers


def test_a_hook_begins_with_its_data(hook):
    """mem, what commit() will write, counters, _machine."""
    assert hook.mem == {"global": {}}
    assert (len(hook.save_obj_list), hook.save_glob_dict) == (0, {})
    assert (hook.red_touch_count, hook.db_touch_count, hook._machine) == (0, 0, None)


def test_a_hook_takes_any_attribute_is_true_and_compares_by_identity(hook):
    """As applications use it."""
    hook.anything = 1
    assert hook
    assert hook != MemoryHook()
    assert len({hook, MemoryHook()}) == 2


def test_a_saved_glob_is_read_at_once(hook):
    """save_glob reaches memory at once."""
    hook.save_glob("a", "1")
    assert (hook.get_glob("a"), hook.has_glob("a"), hook.list_glob()) == ("1", True, ["a"])
    assert hook.mem["global"] == {"a": "1"}
    assert hook.save_glob_dict == {"a": "1"}


def test_a_missing_glob_is_none_or_the_default(hook):
    """get_glob and resolve_glob."""
    assert hook.get_glob("a") is None
    assert hook.resolve_glob("a", 7) == 7
    assert hook.has_glob("a") is False


def test_without_persist_a_glob_is_not_pending(hook):
    """The database never."""
    hook.save_glob("a", "1", persist=False)
    assert (hook.get_glob("a"), hook.save_glob_dict) == ("1", {})


def test_a_destroyed_glob_is_gone_and_not_pending(hook):
    """Also one that was never there."""
    hook.save_glob("a", "1")
    hook.destroy_glob("a")
    hook.destroy_glob("b")
    assert (hook.has_glob("a"), hook.save_glob_dict, hook.list_glob()) == (False, {}, [])


def test_what_an_application_deletes_or_replaces_in_mem_is_honoured(hook):
    """Memory is mem itself."""
    hook.save_glob("a", "1")
    del hook.mem["global"]["a"]
    assert hook.get_glob("a") is None
    hook.mem["global"] = {"b": "2"}
    assert hook.get_glob("b") == "2"
    del hook.mem["global"]
    assert hook.get_glob("b") is None


def test_an_entry_deleted_by_hand_is_read_from_below_again(hook):
    """A setting lies in the process, too."""
    hook.save_glob("A_CONFIG", "{}")
    del hook.mem["global"]["A_CONFIG"]
    assert hook.get_glob("A_CONFIG") == "{}"
    assert "A_CONFIG" in hook.mem["global"]


def test_listing_fills_nothing(hook):
    """Unlike reading."""
    MemoryHook().save_glob("A_CONFIG", "{}")
    assert hook.list_glob() == ["A_CONFIG"]
    assert hook.mem["global"] == {}


def test_clear_cache_replaces_mem_and_drops_pending_writes(hook):
    """Counters stay."""
    mem = hook.mem
    hook.save_glob("a", "1")
    hook.save_obj("owner", Thing())
    hook.db_touch_count = 3
    hook.clear_cache()
    assert hook.mem is not mem
    assert (hook.mem, len(hook.save_obj_list), hook.save_glob_dict, hook.db_touch_count) == ({"global": {}}, 0, {}, 3)


def test_commit_leaves_nothing_pending(hook):
    """Memory stays."""
    thing = Thing()
    hook.save_obj("owner", thing)
    hook.save_glob("a", "1")
    hook.commit()
    assert (len(hook.save_obj_list), hook.save_glob_dict) == (0, {})
    assert hook.get_obj("owner", thing.jid) is thing


def test_commit_all_cache_sync_keeps_objects_pending(hook):
    """It puts every pending object into memory."""
    thing = Thing()
    hook.save_obj("owner", thing)
    del hook.mem[thing.jid]
    hook.commit_all_cache_sync()
    assert hook.mem[thing.jid] is thing
    assert thing in hook.save_obj_list


def test_get_obj_answers_the_same_live_instance(hook):
    """Each time."""
    thing = Thing()
    hook.save_obj("owner", thing)
    assert hook.get_obj("owner", thing.jid) is thing
    assert hook.has_obj(thing.jid)
    assert hook.has_id_in_mem_cache(thing.jid)


def test_without_read_access_an_object_is_none_unless_overridden(hook):
    """A stranger."""
    thing = Thing(readers=["reader"])
    hook.save_obj("owner", thing)
    assert hook.get_obj("reader", thing.jid) is thing
    assert hook.get_obj("stranger", thing.jid) is None
    assert hook.get_obj("stranger", thing.jid, override=True) is thing


@pytest.mark.parametrize("caller", [7, "not a urn", "", None])
def test_any_caller_id_may_ask(hook, caller):
    """An int or any text."""
    thing = Thing()
    hook.save_obj("owner", thing)
    assert hook.get_obj(caller, thing.jid) is None


def test_without_write_access_saving_does_nothing(hook):
    """Neither memory nor pending."""
    thing = Thing(readers=["reader"])
    hook.save_obj("reader", thing)
    assert (hook.has_obj(thing.jid), len(hook.save_obj_list)) == (False, 0)


def test_without_write_access_destroying_does_nothing(hook):
    """The object stays, and stays pending."""
    thing = Thing(readers=["reader"])
    hook.save_obj("owner", thing)
    hook.destroy_obj("reader", thing)
    assert hook.get_obj("owner", thing.jid) is thing
    assert thing in hook.save_obj_list


def test_destroying_drops_a_pending_save(hook):
    """And the object."""
    thing = Thing()
    hook.save_obj("owner", thing)
    hook.destroy_obj("owner", thing)
    assert (hook.has_obj(thing.jid), len(hook.save_obj_list)) == (False, 0)


def test_only_persistent_items_go_further_than_memory(hook):
    """_persist."""
    thing = Thing(persist=False)
    hook.save_obj("owner", thing)
    assert hook.get_obj("owner", thing.jid) is thing
    assert len(hook.save_obj_list) == 0


def test_a_bare_uuid_is_found(hook):
    """Without urn:uuid:."""
    thing = Thing()
    hook.save_obj("owner", thing)
    bare = thing.jid.removeprefix("urn:uuid:")
    assert hook.get_obj("owner", bare) is thing
    assert hook.get_obj("owner", uuid.UUID(bare)) is thing


@pytest.mark.parametrize("item_id", ["any text", "", "global", None, 7, "urn:uuid:"])
def test_any_other_id_gives_none(hook, item_id):
    """Also the name under which globs lie."""
    assert hook.get_obj("owner", item_id) is None
    assert hook.has_obj(item_id) is False


def test_mem_size_and_distribution(hook):
    """Shallow KiB; class -> count over the values of mem, the global dict included."""
    hook.save_obj("owner", Thing())
    assert hook.get_object_distribution() == {dict: 1, Thing: 1}
    assert 0 < hook.mem_size() < 10


def test_a_class_is_found_by_its_type_name(hook):
    """The context of that name, else the class in the jaseci package."""
    assert hook.find_class_and_import("master", None) is Master
    assert hook.find_class_and_import("nobody", None) is None


def test_a_hook_pickles_with_everything_cycles_included(hook):
    """mem, pending writes, _machine, meta."""
    master = Master(h=hook, name="ada")
    hook.save_glob("a", "1")
    hook._machine = master
    copy = pickle.loads(pickle.dumps(hook))
    [twin] = copy.save_obj_list
    assert (copy.mem["global"], copy.save_glob_dict) == ({"a": "1"}, {"a": "1"})
    assert (twin.name, twin._h, copy._machine) == ("ada", copy, twin)
    assert copy.mem[master.jid] is twin


def test_a_built_hook_pickles(meta):
    """With meta and its services as references."""
    copy = pickle.loads(pickle.dumps(meta.build_hook()))
    assert copy.meta.app is meta.app


DEFAULT = {"enabled": True, "hosts": ["a"], "nested": {"x": 1}}


def test_service_glob_stores_the_default_and_returns_a_fresh_dict(hook):
    """That the caller may change."""
    first = hook.service_glob("S_CONFIG", DEFAULT)
    first["hosts"].append("b")
    first["nested"]["x"] = 2
    assert hook.service_glob("S_CONFIG", DEFAULT) == {"enabled": True, "hosts": ["a"], "nested": {"x": 1}} == DEFAULT
    assert json.loads(MemoryHook().get_glob("S_CONFIG")) == DEFAULT


def test_service_glob_leaves_an_existing_glob_alone(hook):
    """The default is for where it exists nowhere."""
    MemoryHook().save_glob("S_CONFIG", '{"enabled": false}')
    assert hook.service_glob("S_CONFIG", DEFAULT) == {"enabled": False}


def test_service_glob_flushes_nothing_else(hook):
    """Only its own glob."""
    hook.save_glob("other", "1")
    hook.service_glob("S_CONFIG", DEFAULT)
    assert hook.save_glob_dict == {"other": "1"}


def test_service_glob_takes_a_glob_of_any_name(hook):
    """Not only *_CONFIG."""
    hook.service_glob("anything", DEFAULT)
    assert MemoryHook().service_glob("anything", {}) == DEFAULT


def test_service_glob_refuses_what_is_no_object_and_keeps_it(hook):
    """With name and place."""
    hook.save_glob("S_CONFIG", "[]")
    with pytest.raises(ConfigError, match=r'"?S_CONFIG"?.*not an object'):
        hook.service_glob("S_CONFIG", DEFAULT)
    assert hook.get_glob("S_CONFIG") == "[]"
