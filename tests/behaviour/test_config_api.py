"""Section 7: ConfigApi, Master, SuperMaster."""

import pytest
from jaseci.element.master import Master
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService

KNOWN = {
    "REDIS_CONFIG",
    "TASK_CONFIG",
    "MAIL_CONFIG",
    "KUBE_CONFIG",
    "JSORC_CONFIG",
    "PROMON_CONFIG",
    "CONFIG_EXAMPLE",
    "ACTION_SETS",
    "REDIS_KUBE",
}


class Shop(CommonService):
    def build_kube(self, hook):
        return hook.service_glob("SHOP_KUBE", {})

    def build_config(self, hook):
        return hook.service_glob("SHOP_CONFIG", {"enabled": True, "host": "default"})

    def run(self):
        self.app = self.config["host"]


@pytest.fixture
def admin(meta):
    meta.add_service_builder("shop", Shop)
    return meta.build_super_master()


def test_config_index_has_all_known_names(admin):
    """The six, the two, and the globs of every registered service, shipped or not."""
    assert set(admin.config_index()) == KNOWN | {"SHOP_CONFIG", "SHOP_KUBE"}


def test_config_set_answers_in_these_words(admin):
    """A text."""
    assert admin.config_set("CONFIG_EXAMPLE", "value") == ["Config of 'CONFIG_EXAMPLE' to 'value' set!"]
    assert admin.config_get("CONFIG_EXAMPLE") == "value"


def test_config_set_dumps_dicts(admin):
    """config_get answers the raw text."""
    answer = admin.config_set("SHOP_CONFIG", {"enabled": True, "host": "new"})
    assert admin.config_get("SHOP_CONFIG") == '{"enabled": true, "host": "new"}'
    assert answer == ["""Config of 'SHOP_CONFIG' to '{"enabled": true, "host": "new"}' set!"""]


def test_config_set_is_in_force_for_every_hook_at_once(admin):
    """Before anybody commits."""
    admin.config_set("SHOP_CONFIG", {"enabled": False})
    assert MemoryHook().get_glob("SHOP_CONFIG") == '{"enabled": false}'


def test_config_set_commits_nothing_else(admin):
    """What else is pending stays so."""
    admin._h.save_glob("OTHER", "1")
    admin.config_set("SHOP_CONFIG", {"enabled": False})
    assert admin._h.save_glob_dict == {"OTHER": "1"}


def test_config_get_of_nothing_is_none(admin):
    """A known name that does not exist."""
    assert admin.config_get("SHOP_CONFIG") is None


@pytest.mark.parametrize("call", ["config_get", "config_delete", "config_refresh"])
def test_an_unknown_name_is_not_recognized(admin, call):
    """With all that are."""
    expected = f"Config NOBODY not recognized, must be in {admin.config_index()}!"
    assert getattr(admin, call)("NOBODY") == [expected]


def test_an_unknown_name_is_not_set(admin):
    """Nor stored."""
    assert "not recognized" in admin.config_set("NOBODY", "x")[0]
    assert admin._h.has_glob("NOBODY") is False


def test_without_the_check_any_name_goes(admin):
    """do_check=False."""
    admin.config_set("ANY", "x", do_check=False)
    assert admin.config_get("ANY", do_check=False) == "x"
    assert admin.config_delete("ANY", do_check=False) == ["ANY Deleted."]
    assert admin.config_get("ANY", do_check=False) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("oops", "line 1"),
        ("[]", "not an object"),
        ("null", ""),
        ({"enabled": "perhaps"}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"enabled": object()}, "TypeError"),
        ('{"a": "\ud800"}', "surrogates"),
    ],
)
def test_a_value_that_its_service_cannot_use_is_refused_and_the_old_one_stays(admin, value, reason):
    """With the reason."""
    admin.config_set("SHOP_CONFIG", {"enabled": True})
    [answer] = admin.config_set("SHOP_CONFIG", value)
    assert "is not set" in answer
    assert reason in answer
    assert admin.config_get("SHOP_CONFIG") == '{"enabled": true}'


def test_a_free_config_that_cannot_be_kept_is_refused(admin):
    """Not raised."""
    assert "is not set" in admin.config_set("CONFIG_EXAMPLE", "\ud800")[0]
    assert admin.config_exists("CONFIG_EXAMPLE") is False


@pytest.mark.parametrize("value", [{"Service": {}}, {"Service": ["x"]}, "oops"])
def test_manifests_of_another_shape_are_refused(admin, value):
    """A kube glob is a dict of lists of documents."""
    assert "is not set" in admin.config_set("SHOP_KUBE", value)[0]


def test_config_refresh_resets_the_service_of_the_config(admin, meta):
    """It takes the new settings up."""
    shop = meta.get_service("shop", admin._h).start()
    admin.config_set("SHOP_CONFIG", {"enabled": True, "host": "new"})
    assert shop.app == "default"
    admin.config_refresh("SHOP_CONFIG")
    assert shop.app == "new"


def test_config_list_has_the_known_ones_that_exist(admin):
    """config_list answered from a half-filled cache."""
    admin.config_set("SHOP_CONFIG", {"enabled": True})
    admin._h.save_glob("OTHER", "1")
    fresh = admin._h.meta.build_super_master()
    listed = fresh.config_list()
    assert "SHOP_CONFIG" in listed
    assert "OTHER" not in listed


def test_config_exists(admin):
    """Whether it does."""
    assert admin.config_exists("SHOP_CONFIG") is False
    admin.config_set("SHOP_CONFIG", {})
    assert admin.config_exists("SHOP_CONFIG") is True


def test_config_delete_works_on_a_fresh_hook(admin, meta):
    """config_delete raised KeyError there."""
    admin.config_set("SHOP_CONFIG", {"enabled": True})
    fresh = meta.build_super_master()
    assert fresh.config_delete("SHOP_CONFIG") == ["SHOP_CONFIG Deleted."]
    assert MemoryHook().get_glob("SHOP_CONFIG") is None
    assert fresh.config_delete("SHOP_CONFIG") == ["SHOP_CONFIG Deleted."]


def test_a_master_is_an_element(meta):
    """_h, jid, name, save(), destroy()."""
    master = meta.build_master(name="ada")
    hook = master._h
    assert (type(master), master.name, master.jid.startswith("urn:uuid:")) == (Master, "ada", True)
    assert hook.get_obj(master.jid, master.jid) is master
    master.destroy()
    assert hook.get_obj(master.jid, master.jid) is None


def test_a_super_master_adds_the_admin_apis(admin, meta):
    """A Master with ConfigApi."""
    assert isinstance(admin, Master)
    assert not hasattr(meta.build_master(), "config_set")
