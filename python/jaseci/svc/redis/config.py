"""The default config of ``RedisService``; host, port and db are taken from the environment when this is imported."""

import os
from typing import Any

__all__ = ["REDIS_CONFIG"]


def _number(name: str, default: int) -> int | str:
    text = os.environ.get(name, "").strip()
    # What is no number stays as it is: the service says what is wrong with it.
    return (int(text) if text.isdecimal() else text) if text else default


REDIS_CONFIG: dict[str, Any] = {
    "enabled": True,
    "quiet": False,
    "host": os.environ.get("REDIS_HOST") or "localhost",
    "port": _number("REDIS_PORT", 6379),
    "db": _number("REDIS_DB", 1),
}
