"""Section 3: settings, and what becomes of a service whose settings cannot be used."""

import json
import logging

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, ConfigError

from behaviour.services import Plain


class Shop(CommonService):
    def build_kube(self, hook):
        return hook.service_glob("SHOP_KUBE", {"Service": [{"kind": "Service"}]})

    def build_config(self, hook):
        return hook.service_glob("SHOP_CONFIG", {"enabled": True, "quiet": True, "host": "localhost"})

    def run(self, hook=None):
        self.app = "shop"


def shop(text):
    """A shop with this config text."""
    return Shop(holding(text))


def holding(text):
    """A hook whose memory holds the text, however it came there."""
    hook = MemoryHook()
    hook.mem["global"]["SHOP_CONFIG"] = text
    return hook


def returning(config):
    """A service whose `build_config` returns just this."""

    class Returning(Plain):
        def build_config(self, hook):
            return config

    return Returning()


def test_kube_is_built_before_config():
    """First build_kube, then build_config, with the constructor's hook."""
    calls = []

    class Ordered(Plain):
        def build_kube(self, hook):
            calls.append(("kube", hook))

        def build_config(self, hook):
            calls.append(("config", hook))
            return {}

    Ordered("hook")
    assert calls == [("kube", "hook"), ("config", "hook")]


def test_enabled_and_quiet_are_popped_from_the_config():
    """The config is what it holds besides."""
    service = Shop(MemoryHook())
    assert (service.enabled, service.quiet, service.config) == (True, True, {"host": "localhost"})


@pytest.mark.parametrize("flag", ["enabled", "quiet"])
def test_an_absent_flag_is_false(flag):
    """Also quiet, which is true before settings."""
    assert getattr(returning({}), flag) is False


@pytest.mark.parametrize(("word", "meaning"), [("true", True), ("TRUE", True), ("false", False), ("False", False)])
def test_a_word_for_a_boolean_is_read_as_one(word, meaning):
    """The words "true" and "false"."""
    assert shop(json.dumps({"enabled": word})).enabled is meaning


def test_kube_is_what_build_kube_returned():
    """A dict by kind."""
    assert Shop(MemoryHook()).kube == {"Service": [{"kind": "Service"}]}


def test_a_default_is_stored_when_the_glob_does_not_exist():
    """The manual: this will automatically add default config if it's not existing."""
    hook = MemoryHook()
    Shop(hook)
    assert json.loads(hook.get_glob("SHOP_CONFIG"))["host"] == "localhost"


DEEP = '{"a": ' * 100_000 + "1" + "}" * 100_000
UNUSABLE = {
    "not JSON": ('{"enabled": true,\n oops}', "line 2 column 2"),
    "empty": ("", "line 1 column 0"),
    "a list": ("[1]", "not an object"),
    "a number": ("7", "not an object"),
    "an enabled that is a number": ('{"enabled": 1}', "enabled"),
    "an enabled that is another word": ('{"enabled": "yes"}', "enabled"),
    "a quiet that is a list": ('{"enabled": true, "quiet": []}', "quiet"),
    "deep": (DEEP, "line 1 column"),
    "huge": ('{"a": "' + "x" * (5 * 1024 * 1024) + '"}', "bytes long"),
    "lone surrogates": ('{"a": "\ud800"}', "surrogates"),
    "not text": (7, "int"),
    "null": ("null", ""),
}


@pytest.mark.parametrize("text", [text for text, _ in UNUSABLE.values()], ids=UNUSABLE)
def test_unusable_settings_leave_the_service_disabled(text):
    """Nothing is raised out of the constructor."""
    service = shop(text)
    assert not service.enabled
    assert isinstance(service.error, ConfigError)
    assert not service.start().is_running()


@pytest.mark.parametrize(("text", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_settings_are_logged_once_with_class_config_and_reason(text, reason, caplog):
    """With the place in the text, where there is one."""
    shop(text)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "Shop" in record.getMessage()
    assert "SHOP_CONFIG" in record.getMessage()
    assert reason in record.getMessage()


@pytest.mark.parametrize("text", [text for text, _ in UNUSABLE.values()], ids=UNUSABLE)
def test_unusable_settings_are_not_overwritten(text):
    """The old text stays for whoever corrects it."""
    hook = holding(text)
    Shop(hook)
    assert hook.get_glob("SHOP_CONFIG") == text


def test_unusable_settings_are_logged_also_when_quiet(caplog):
    """quiet is a setting, and settings are what could not be read."""
    service = shop('{"quiet": true, "enabled": 3}')
    assert service.quiet
    assert "SHOP_CONFIG" in caplog.text


def cyclic():
    config = {"enabled": True}
    config["self"] = config
    return config


@pytest.mark.parametrize("config", [None, [], "text", cyclic()], ids=["None", "list", "text", "cyclic"])
def test_a_build_config_that_returns_no_usable_dict_disables(config):
    """Logged, kept in error."""
    service = returning(config)
    assert (service.enabled, type(service.error)) == (False, ConfigError)


def test_a_default_that_is_not_json_disables(caplog):
    """The author's slip is named with the config."""

    class Odd(CommonService):
        def build_config(self, hook):
            return hook.service_glob("ODD_CONFIG", {"enabled": True, "when": object()})

    service = Odd(MemoryHook())
    assert not service.enabled
    assert "Odd" in caplog.text
    assert "ODD_CONFIG" in caplog.text


@pytest.mark.parametrize("method", ["build_kube", "build_config"])
def test_an_exception_of_an_override_disables(method, caplog):
    """A settings error never raises out of the constructor."""

    def build(self, hook):
        raise LookupError("no such manifest")

    service = type(CommonService)("Odd", (Plain,), {method: build})()
    assert isinstance(service.error, LookupError)
    assert "Odd" in caplog.text
    assert "no such manifest" in caplog.text


@pytest.mark.parametrize("kube", [[], "text", 7])
def test_manifests_that_are_no_dict_disable(kube):
    """None or a dict by kind."""

    class Odd(Plain):
        def build_kube(self, hook):
            return kube

    assert isinstance(Odd().error, ConfigError)


@pytest.mark.parametrize("method", ["build_kube", "build_config"])
def test_async_settings_disable_with_a_reason(method):
    """A coroutine dropped is no settings."""

    async def build(self, hook):
        return {"enabled": True}

    service = type(CommonService)("Odd", (Plain,), {method: build})()
    assert isinstance(service.error, TypeError)
    assert f"Odd.{method}" in str(service.error)


def test_the_settings_are_corrected_by_a_reset():
    """Correct them and reset the service."""
    service = shop("oops")
    service.reset(holding('{"enabled": true}'))
    assert service.is_running()
    assert service.error is None


def test_a_setting_that_no_layer_can_keep_is_refused_where_it_is_saved():
    """And the old one stays."""
    hook = MemoryHook()
    hook.save_glob("SHOP_CONFIG", "{}")
    with pytest.raises(ConfigError, match=r"'SHOP_CONFIG'.*surrogates, at 7"):
        hook.save_glob("SHOP_CONFIG", '{"a": "\ud800"}')
    assert hook.get_glob("SHOP_CONFIG") == "{}"
    assert MemoryHook().get_glob("SHOP_CONFIG") == "{}"
