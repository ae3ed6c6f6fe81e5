"""``RedisHook``: a view over Redis, where the process has one."""

import json
import logging
from typing import Any

from jaseci.hook.explanation import Explanation
from jaseci.hook.memory import MemoryHook, as_text, object_key
from jaseci.svc._core import PROCESS_CHAIN, is_bootstrap_name, load_settings
from jaseci.svc._log import describe, report
from jaseci.svc.errors import ConfigError, SourceUnavailable
from jaseci.svc.redis.layers import Globs, Layer, layer_over


class RedisHook(MemoryHook):
    """A view on globs and objects for one unit of work, over the Redis that the processes share.

    Which Redis: that of the service in its attribute ``redis``, else of the kept service of that name. While that runs,
    globs go to Redis at once, for every process; objects with ``commit()``. Once Redis was reached and is lost, globs
    keep their last values, and what cannot be read or written raises ``SourceUnavailable``. Without a Redis this is a
    ``MemoryHook``.
    """

    # ------------------------------------------------------------------ which Redis

    def _layer(self) -> Layer | None:
        return layer_over(self._redis())

    def _redis(self) -> Any:
        redis = self.__dict__.get("redis")
        return redis if redis is not None else _kept_redis()

    def _chain(self, name: str) -> Globs:
        layer = None if is_bootstrap_name(name) else self._layer()
        return PROCESS_CHAIN if layer is None else layer.chain

    def _is_kept_by_process(self, name: str, value: Any) -> bool:
        return self._chain(name) is PROCESS_CHAIN and super()._is_kept_by_process(name, value)

    # ------------------------------------------------------------------ globs

    def get_glob_from_store(self, name: str) -> Any:
        self.red_touch_count += 1
        return super().get_glob_from_store(name)

    def commit_glob_to_cache(self, name: str, value: Any) -> None:
        """Puts a glob into Redis and memory. Raises ``SourceUnavailable`` or ``SourceRefused``; then it is in neither."""
        chain = self._chain(name)
        if chain is not PROCESS_CHAIN:
            chain.set(name, _as_redis_text(name, value))
        super().commit_glob_to_cache(name, value)

    def decommit_glob_from_cache(self, name: str) -> None:
        """Takes a glob out of Redis and memory."""
        chain = self._chain(name)
        if chain is not PROCESS_CHAIN:
            chain.discard(name)
        super().decommit_glob_from_cache(name)

    def service_glob(self, name: str, default: Any) -> dict[str, Any] | Any:
        """As in ``MemoryHook``. If nothing is known of the glob because Redis cannot be asked: the default, stored nowhere;
        the services that run on it are reset when Redis can tell."""
        try:
            return super().service_glob(name, default)
        except SourceUnavailable as error:
            self._chain(name).note_provisional(name)
            report(logging.WARNING, f"{name} runs on its default until Redis can tell what it is: {error}")
            return load_settings(name, as_text(name, default))

    def explain(self, name: str) -> Explanation:
        told = super().explain(name)
        redis = self._redis()
        if told.layer in ("process", None) and not told.stale and not is_bootstrap_name(name) and _is_missed(redis):
            return told._replace(provisional=True, reason=describe(redis.error))
        return told

    # ------------------------------------------------------------------ objects

    def get_obj_from_store(self, item_id: Any) -> Any:
        item = super().get_obj_from_store(item_id)
        layer = self._layer() if item is None else None
        key = None if layer is None else object_key(self.mem, item_id)
        if layer is None or key is None:
            return item
        self.red_touch_count += 1
        text = layer.object(key)
        return None if text is None else self._rebuild(key, text)

    def has_obj_in_store(self, item_id: Any) -> bool:
        if super().has_obj_in_store(item_id):
            return True
        layer = self._layer()
        key = None if layer is None else object_key(self.mem, item_id)
        return layer is not None and key is not None and layer.has_object(key)

    def destroy_obj_from_store(self, item: Any) -> None:
        """Removes an object from Redis."""
        layer = self._layer()
        if layer is not None:
            layer.discard_object(item.jid)

    def commit_obj_to_cache(self, item: Any, all_caches: bool = False) -> None:
        """Puts an object into memory and, with ``all_caches``, a persistent one into Redis."""
        super().commit_obj_to_cache(item, all_caches)
        layer = self._layer() if all_caches and item._persist else None
        if layer is not None:
            layer.set_objects([(item.jid, item.json(detailed=True))])

    def decommit_obj_from_cache(self, item: Any) -> None:
        """Takes an object out of memory and Redis."""
        super().decommit_obj_from_cache(item)
        layer = self._layer() if item._persist else None
        if layer is not None:
            layer.discard_object(item.jid)

    def _rebuild(self, key: str, text: str) -> Any:
        try:
            stored = json.loads(text)
            j_type, master = stored["j_type"], stored.get("j_master")
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            report(logging.ERROR, f"Object {key} in Redis is not the JSON of an element, and is left alone")
            return None
        cls = self.find_class_and_import(j_type)
        if cls is None:
            report(logging.ERROR, f"Object {key} in Redis is of type {j_type!r}, for which there is no class")
            return None
        item = cls(h=self, m_id=master, auto_save=False)
        item.json_load(text)
        self.mem[key] = item
        return item

    # ------------------------------------------------------------------ all of it

    def commit(self) -> None:
        """Writes the pending objects to Redis, all or none, as they are now. If that fails they stay pending."""
        layer = self._layer()
        if layer is not None:
            layer.set_objects([(item.jid, item.json(detailed=True)) for item in list(self.save_obj_list)])
        super().commit()

    def clear_cache(self) -> None:
        """Forgets memory and what is pending, and removes from Redis what hooks have written there; counters stay."""
        layer = self._layer()
        if layer is not None:
            layer.clear()
        super().clear_cache()


def _kept_redis() -> Any:
    from jaseci.svc.meta import kept_service

    return kept_service("redis")


def _is_missed(redis: Any) -> bool:
    """Whether there should be a Redis, and this process has never reached it."""
    return redis is not None and redis.has_failed() and redis.error is not None


def _as_redis_text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ConfigError(
        f"glob {name!r} is of type {type(value).__name__}: Redis keeps texts and numbers; dump it as JSON"
    )
