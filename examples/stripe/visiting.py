"""What a second process sees of a shop that another one has opened: its settings, at once, without having set any."""

import json
import time

from shared import SharedSettings
from transcript import fact, say

BETWEEN_REQUESTS = 0.01
"""Seconds. Each round below is what a request would be: a new hook, and a read of the settings."""


def visit(shared: SharedSettings) -> None:
    """Show the settings, and each change of them, until the shop closes."""
    say("Another process has opened this shop; its settings hold here too:")
    seen: tuple[str, bool] | None = None
    requests = 0
    while True:
        setting = shared.meta.build_hook().explain("STRIPE_CONFIG")
        requests += 1
        if setting.value is None:
            break
        if (setting.value, setting.stale) != seen:
            seen = setting.value, setting.stale
            show(setting.value, setting.reason)
        if setting.stale and not shared.has_open_shop():
            say("The shop is gone, and Redis with it.")
            return
        time.sleep(BETWEEN_REQUESTS)
    say(f"The shop has closed. The settings were read {requests} times.")


def show(text: str, reason: str | None) -> None:
    """One state of the settings; the text has no secrets in it."""
    settings = json.loads(text)
    fact("currency", settings["currency"])
    fact("key", settings["key"])
    if reason is not None:
        fact("may be out of date", reason)
