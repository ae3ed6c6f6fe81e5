"""ConfigApi over Redis: for shipped and custom services and their manifests, in force in every hook built later."""

import json

import pytest
from jaseci.svc import CommonService


class Shop(CommonService):
    """Checks its own config."""

    def build_config(self, hook):
        return hook.service_glob("SHOP_CONFIG", {"enabled": True, "currency": "usd"})

    def build_kube(self, hook):
        return hook.service_glob("SHOP_KUBE", {"Service": [{"kind": "Service"}]})

    @classmethod
    def validate_config(cls, config):
        if config.get("currency") not in ("usd", "eur"):
            raise ValueError("the shop takes usd and eur")

    def run(self):
        self.app = self.config["currency"]


@pytest.fixture
def shop(shared):
    shared.meta.add_service_builder("shop", Shop)
    return shared.meta.get_service("shop", shared.hook()).start()


@pytest.fixture
def admin(shared, shop):
    return shared.meta.build_super_master()


def test_a_change_is_in_redis_before_it_is_answered(shared, admin):
    """Durable before it is acknowledged."""
    assert admin.config_set("SHOP_CONFIG", {"enabled": True, "currency": "eur"}) == [
        """Config of 'SHOP_CONFIG' to '{"enabled": true, "currency": "eur"}' set!"""
    ]
    assert json.loads(shared.raw("SHOP_CONFIG")) == {"enabled": True, "currency": "eur"}
    assert shared.read("SHOP_CONFIG") == admin.config_get("SHOP_CONFIG")


def test_a_refresh_takes_what_another_process_has_set(shared, admin, shop):
    """Not what the administrator's hook has read before."""
    assert json.loads(admin.config_get("SHOP_CONFIG"))["currency"] == "usd"
    shared.write_elsewhere("SHOP_CONFIG", '{"enabled": true, "currency": "eur"}')
    shared.wait_until_read("SHOP_CONFIG", '{"enabled": true, "currency": "eur"}')
    admin.config_refresh("SHOP_CONFIG")
    assert shop.app == "eur"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("SHOP_CONFIG", {"enabled": True, "currency": "gold"}, "the shop takes usd and eur"),
        ("SHOP_CONFIG", {"enabled": "maybe"}, "not a boolean"),
        ("SHOP_CONFIG", "[1]", "not an object"),
        ("SHOP_KUBE", {"Service": "one"}, "no list of objects"),
        ("REDIS_KUBE", {"Service": [1]}, "no list of objects"),
    ],
)
def test_a_value_that_its_service_cannot_use_is_refused_and_the_old_one_stays(shared, admin, name, value, reason):
    """With the reason."""
    before = shared.read(name)
    [answer] = admin.config_set(name, value)
    assert "is not set" in answer
    assert reason in answer
    assert shared.read(name) == before


def test_manifests_are_set_the_same_way(shared, admin, shop):
    """*_KUBE of a custom service."""
    admin.config_set("SHOP_KUBE", {"ConfigMap": [{"kind": "ConfigMap"}]})
    admin.config_refresh("SHOP_KUBE")
    assert shop.kube == {"ConfigMap": [{"kind": "ConfigMap"}]}


def test_listing_asks_redis_and_not_a_half_filled_cache(shared, admin):
    """config_list answers for all that exist."""
    shared.write_elsewhere("MAIL_CONFIG", "{}")
    assert {"MAIL_CONFIG", "SHOP_CONFIG", "SHOP_KUBE"} <= set(shared.meta.build_super_master().config_list())
    assert "PROMON_CONFIG" not in admin.config_list()


def test_a_deleted_config_is_gone_for_everybody_on_a_fresh_hook_too(shared, admin):
    """The predecessor raised KeyError there."""
    shared.write_elsewhere("MAIL_CONFIG", "{}")
    assert shared.meta.build_super_master().config_delete("MAIL_CONFIG") == ["MAIL_CONFIG Deleted."]
    assert (shared.raw("MAIL_CONFIG"), admin.config_exists("MAIL_CONFIG")) == (None, False)


def test_a_delete_that_redis_does_not_take_is_answered(shared, admin):
    """Not deleted, and why."""
    with shared.outage():
        [answer] = admin.config_delete("SHOP_CONFIG")
        assert answer.startswith("SHOP_CONFIG is not deleted: Redis at 127.0.0.1")
    assert shared.raw("SHOP_CONFIG") is not None
