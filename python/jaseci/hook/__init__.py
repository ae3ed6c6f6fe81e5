"""Hooks: one unit of work's view on configuration and objects."""

from jaseci.hook.explanation import Explanation
from jaseci.hook.memory import MemoryHook
from jaseci.hook.redis import RedisHook

__all__ = ["Explanation", "MemoryHook", "RedisHook"]
