"""The Redis beside this program, if there is one: everybody who runs it there has the same settings, and one shop."""

import json
import os
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from jaseci.hook import MemoryHook
from jaseci.svc import MetaService, RedisService
from jaseci.svc.redis.config import REDIS_CONFIG

from shop.config import STRIPE_CONFIG
from transcript import fact, say

OWN_DB = 15
"""The last database of a Redis as it is installed, so that nothing of yours is met. REDIS_DB names another."""

SHOP = ("STRIPE_CONFIG", "RECONCILER_CONFIG", "LEDGER_CONFIG")

COUNTS = "{global}:versions"
REMOVED_AFTER = 5
"""Seconds."""


class OccupiedError(Exception):
    """Somebody else's settings stand where the shop's would."""


@dataclass
class SharedSettings:
    """Where the settings of one run live, and what it has to take away again. Lives from `main()` to its end."""

    meta: MetaService = field(default_factory=MetaService)
    redis: RedisService = field(init=False)
    why_not: BaseException | None = field(init=False, default=None)
    """Why there is no Redis to share them over."""
    met: frozenset[str] = field(init=False, default=frozenset())
    """The names that Redis had when this run came."""

    def __post_init__(self) -> None:
        own = {} if os.environ.get("REDIS_DB") else {"db": OWN_DB}
        # Quiet: that there is no Redis is said below, and is nothing to complain of.
        config = REDIS_CONFIG | own | {"quiet": True}
        MemoryHook().save_glob("REDIS_CONFIG", json.dumps(config))
        self.redis = self.meta.get_service("redis").start()
        if self.redis.is_running():
            self.met = frozenset(self.redis.hkeys("global"))
            return
        self.why_not = self.redis.error
        # One that comes up later would take part from then on, in the middle of the story.
        MemoryHook().save_glob("REDIS_CONFIG", json.dumps(config | {"enabled": False}))
        self.redis.reset()

    def tell(self) -> None:
        """Where the settings are."""
        place = f"{self.redis.config['host']}:{self.redis.config['port']}"
        if self.redis.is_running():
            say(f"Settings are shared over Redis at {place}, in its database {self.redis.config['db']}.")
        else:
            say(f"No Redis at {place}: settings live in this process.")
            fact("why", self.why_not)

    def has_open_shop(self) -> bool:
        """Whether another process has opened the shop, and is still there.

        Raises:
            OccupiedError: if the settings there are not those of a shop like this one.
        """
        # A bare hook: `build_hook()` would bring services of this process with it, and their settings.
        text = self.meta.build_context("hook").get_glob("STRIPE_CONFIG")
        return text is not None and _answers(_loopback(text))

    def open_shop(self, stripe_url: str) -> bool:
        """Store where the Stripe API is, for everybody. False: another process was faster."""
        text = json.dumps(STRIPE_CONFIG | {"api_base": stripe_url})
        hook = self.meta.build_hook()
        if self.redis.is_running():
            self.redis.app.persist(COUNTS)
        winner = hook.commit_setting_default("STRIPE_CONFIG", text)
        if winner != text and not _answers(_loopback(winner)):
            # Left behind by a run that was killed.
            hook.commit_setting("STRIPE_CONFIG", text)
            winner = text
        return bool(winner == text)

    def close_shop(self) -> None:
        """Remove from Redis what this run has written, and nothing else. Asked again, there is nothing left to do."""
        if not self.redis.is_running():
            return
        hook = self.meta.build_hook()
        known = set(self.meta.build_super_master(h=hook).config_index())
        for name in self.redis.hkeys("global"):
            if name in SHOP or (name in known and name not in self.met):
                hook.destroy_glob(name)
        if not self.redis.hkeys("global"):
            # How often each glob was written. It stays for a moment: it tells other processes that they were removed,
            # not lost.
            self.redis.app.expire(COUNTS, REMOVED_AFTER)


def _loopback(text: str) -> tuple[str, int]:
    """The address in a stored config, which is this machine's in a shop like this."""
    try:
        address = urlsplit(json.loads(text)["api_base"])
        host, port = address.hostname, address.port
    except (ValueError, TypeError, KeyError, AttributeError):
        host = port = None
    if host != "127.0.0.1" or port is None:
        raise OccupiedError("STRIPE_CONFIG in this Redis belongs to somebody else; name an unused database in REDIS_DB")
    return host, port


def _answers(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, timeout=1):
            return True
    except OSError:
        return False
