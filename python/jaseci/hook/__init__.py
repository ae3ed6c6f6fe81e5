"""Hooks: one unit of work's view on configuration and objects."""

from jaseci.hook.memory import MemoryHook

__all__ = ["MemoryHook"]
