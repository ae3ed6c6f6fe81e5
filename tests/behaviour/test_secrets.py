"""Section 8: secrets never reach a text of ours; and who gets the log records."""

import json
import logging
import threading
from urllib.parse import quote, quote_plus

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, MetaService, ServiceNotRunning

from behaviour.services import PATIENCE, Plain

SECRET = "sk_live_4eC39HqLyjWDarjt"


class Shop(CommonService):
    def build_config(self, hook):
        return hook.service_glob(
            "SHOP_CONFIG", {"enabled": True, "api": {"apiKey": SECRET}, "url": "redis://me:hunter22@host"}
        )

    def run(self, hook):
        raise OSError(f"the server refused {SECRET} at redis://me:hunter22@host")


@pytest.fixture
def failed():
    return Shop(MemoryHook()).start()


def test_the_log_masks_it(caplog):
    """By value, wherever it stands."""
    Shop(MemoryHook()).start()
    assert "the server refused ***" in caplog.text
    assert SECRET not in caplog.text
    assert "hunter22" not in caplog.text


WRITERS = {
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "URL": quote,
    "part of a URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_it_is_masked_however_a_message_spells_it(write):
    """What cannot be printed is escaped, in a URL most of what is no letter."""
    awkward = "pass/@\\\"'\0\n\x7f\xe9\u200b\U0001f600 word"

    class Refused(Plain):
        def build_config(self, hook):
            return super().build_config(hook) | {"password": awkward}

        def run(self):
            raise OSError(f"refused <{write(awkward)}>")

    with pytest.raises(ServiceNotRunning, match=r"refused <b?[\"']?\*\*\*[\"']?>"):
        Refused(MemoryHook()).poke()


def test_a_password_in_a_url_is_masked_as_it_is_meant_too(caplog):
    """A client decodes it, and shows what it sends."""

    class Client(Plain):
        def build_config(self, hook):
            return super().build_config(hook) | {"url": "redis://me:p%40ss%20word@host"}

        def run(self):
            raise OSError("AUTH me 'p@ss word' refused")

    Client(MemoryHook()).start()
    assert "AUTH me '***' refused" in caplog.text


def test_the_event_masks_it(lifecycle_events):
    """Its reason."""
    Shop(MemoryHook()).start()
    assert "***" in lifecycle_events.of("Shop")[-1][2]
    assert SECRET not in lifecycle_events.of("Shop")[-1][2]


def test_poke_masks_it(failed):
    """A message of ours, with the cause."""
    with pytest.raises(ServiceNotRunning, match=r"'Shop' .*FAILED: OSError: the server refused \*\*\*"):
        failed.poke()


def test_error_keeps_the_raw_exception(failed):
    """For who debugs."""
    assert SECRET in str(failed.error)


def test_a_traceback_masks_it(caplog):
    """Of a daemon, and of a failed() that raises."""

    class Worse(Shop):
        def failed(self):
            raise ValueError(SECRET)

    service = Worse(MemoryHook()).start()

    def target():
        raise LookupError(f"lost {SECRET}")

    service.spawn_daemon(worker=target)
    for thread in threading.enumerate():
        if thread.name == "Worse/worker":
            thread.join(PATIENCE)
    texts = [record.exc_text for record in caplog.records if record.exc_text]
    assert len(texts) == 2
    assert all("***" in text and SECRET not in text for text in texts)
    assert SECRET not in service.daemons()[0].last_error


def test_repr_masks_it(failed):
    """It names state and class only."""
    assert SECRET not in repr(failed)


def test_config_set_masks_its_answer_and_stores_the_value():
    """The answer is a page."""
    admin = MetaService().build_super_master()
    [answer] = admin.config_set("MAIL_CONFIG", {"pass": "hunter22", "user": "me"})
    assert answer == """Config of 'MAIL_CONFIG' to '{"pass": "***", "user": "me"}' set!"""
    assert json.loads(admin.config_get("MAIL_CONFIG"))["pass"] == "hunter22"


def test_a_short_secret_is_masked_only_as_its_keys_value():
    """Elsewhere it would be chance."""
    admin = MetaService().build_super_master()
    [answer] = admin.config_set("MAIL_CONFIG", {"pass": "me", "user": "me"})
    assert answer == """Config of 'MAIL_CONFIG' to '{"pass": "***", "user": "me"}' set!"""


@pytest.mark.parametrize(
    "key", ["pass", "API_KEY", "apiKey", "client-secret", "access_token", "dbPassword", "credential"]
)
def test_a_key_is_secret_by_a_whole_word(key, caplog):
    """Split at _, - and capitals."""
    fail_with_config(key)
    assert "value-to-hide" not in caplog.text


@pytest.mark.parametrize("key", ["host", "keyboard", "passenger", "monkey"])
def test_a_key_is_not_secret_by_a_part_of_a_word(key, caplog):
    """A keyboard is no key."""
    fail_with_config(key)
    assert "value-to-hide" in caplog.text


def fail_with_config(key):
    class Keyed(Plain):
        def build_config(self, hook):
            return {"enabled": True, "nested": [{key: "value-to-hide"}]}

        def run(self, hook=None):
            raise OSError("value-to-hide")

    Keyed().start()


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture
def listening():
    """Adds a handler to a logger for the test."""
    added = []

    def listen(name, handler=None):
        handler = handler or Kept()
        logging.getLogger(name).addHandler(handler)
        added.append((name, handler))
        return handler

    yield listen
    for name, handler in added:
        logging.getLogger(name).removeHandler(handler)


def test_handlers_of_core_get_each_record_once(listening):
    """Such applications configure the logger `core`."""
    core = listening("core")
    Shop(MemoryHook()).start()
    assert [record.name for record in core.records] == ["jaseci.svc"]
    assert SECRET not in core.records[0].getMessage()


def test_a_handler_on_core_and_on_ours_gets_each_record_once(listening):
    """Not twice."""
    handler = listening("core")
    listening("jaseci.svc", handler)
    listening("", handler)
    Shop(MemoryHook()).start()
    # Its own logger and the root hand it over as logging always does; core adds nothing.
    assert len(handler.records) == 2
