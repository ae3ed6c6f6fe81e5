"""The default config of ``JsOrcService``."""

from typing import Any

JSORC_CONFIG: dict[str, Any] = {
    "enabled": False,
    "quiet": True,
    # How many seconds pass between two looks at the services, and at most between two attempts to revive one.
    "interval": 10,
    "namespace": "default",
    "keep_alive": ["promon", "redis", "task", "mail"],
}
