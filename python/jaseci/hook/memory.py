"""``MemoryHook``: a view whose lowest layer is the process itself."""

import json
import sys
import uuid
from collections import Counter
from typing import Any

from jaseci.hook.explanation import Explanation
from jaseci.svc import _finder
from jaseci.svc._core import PROCESS_CHAIN, is_setting_name, note_glob, serve_settings
from jaseci.svc._elements import find_element_class
from jaseci.svc.errors import ConfigError, SourceRefused, SourceUnavailable
from jaseci.svc.redis.layers import Globs

_finder.install()


class MemoryHook:
    """A view on globs (named texts) and objects, for one unit of work on one thread.

    Memory is ``mem`` itself, which applications hold and change: objects by ``jid``, globs in ``mem["global"]``. It ends
    with the hook. Settings, that is globs called ``*_CONFIG`` or ``*_KUBE`` and whatever ``service_glob`` has served,
    are also kept by the process, where every hook built later finds them.

    Subclasses override the ``*_from_store``, ``*_in_store``, ``commit_*_to_cache`` and ``decommit_*_from_cache`` methods
    to put layers below.
    """

    def __init__(self) -> None:
        self.mem: dict[str, Any] = {"global": {}}
        self.save_obj_list: set[Any] = set()
        self.save_glob_dict: dict[str, Any] = {}
        self.red_touch_count = 0
        self.db_touch_count = 0
        self._machine: Any = None

    # ------------------------------------------------------------------ objects

    def get_obj(self, caller_id: Any, item_id: Any, override: bool = False) -> Any:
        """The object with this id, or None: also for a caller without read access, unless ``override``."""
        item = self.get_obj_from_store(item_id)
        if item is not None and (override or item.check_read_access(caller_id)):
            return item
        return None

    def has_obj(self, item_id: Any) -> bool:
        """Whether there is an object with this id."""
        return self.has_obj_in_store(item_id)

    def save_obj(self, caller_id: Any, item: Any, all_caches: bool = False) -> None:
        """Puts an object into memory and, if it is persistent, on the list of what ``commit()`` writes. Without write
        access nothing happens. With ``all_caches`` shared caches get it at once."""
        if item.check_write_access(caller_id):
            self.commit_obj_to_cache(item, all_caches)
            if item._persist:
                self.save_obj_list.add(item)

    def destroy_obj(self, caller_id: Any, item: Any) -> None:
        """Removes an object everywhere, and a pending save of it. Without write access nothing happens."""
        if item.check_write_access(caller_id):
            self.save_obj_list.discard(item)
            self.decommit_obj_from_cache(item)
            if item._persist:
                self.destroy_obj_from_store(item)

    def get_obj_from_store(self, item_id: Any) -> Any:
        """The object with this id from memory or the layers below."""
        key = object_key(self.mem, item_id)
        return None if key is None else self.mem.get(key)

    def has_obj_in_store(self, item_id: Any) -> bool:
        """Whether memory or a layer below has this id."""
        key = object_key(self.mem, item_id)
        return key is not None and key in self.mem

    def destroy_obj_from_store(self, item: Any) -> None:
        """Removes an object from the layers below memory: there are none here."""

    def commit_obj_to_cache(self, item: Any, all_caches: bool = False) -> None:
        """Puts an object into memory."""
        self.mem[item.jid] = item

    def decommit_obj_from_cache(self, item: Any) -> None:
        """Takes an object out of memory."""
        self.mem.pop(item.jid, None)

    # ------------------------------------------------------------------ globs

    def get_glob(self, name: str) -> Any:
        """The text of a glob, or None."""
        try:
            return self.mem["global"][name]
        except KeyError:  # here is not everywhere: subclasses have layers below
            return self.get_glob_from_store(name)

    def has_glob(self, name: str) -> bool:
        """Whether there is a glob of this name."""
        return self.has_glob_in_store(name)

    def resolve_glob(self, name: str, default: Any = None) -> Any:
        """The text of a glob, or ``default`` if there is none."""
        return self.get_glob(name) if self.has_glob(name) else default

    def save_glob(self, name: str, value: Any, persist: bool = True) -> None:
        """Sets a glob: at once in memory and shared caches, in durable layers with ``commit()`` unless ``persist`` is
        false. Raises ``ConfigError`` for a setting that no layer can keep, and keeps the old one."""
        if persist and self._is_kept_by_process(name, value):
            PROCESS_CHAIN.set(name, _storable(name, value))
        self.commit_glob_to_cache(name, value)
        if persist:
            self.save_glob_dict[name] = value

    def list_glob(self) -> list[str]:
        """The names of all globs."""
        return self.list_glob_from_store()

    def destroy_glob(self, name: str, persist: bool = True) -> None:
        """Removes a glob: from memory and shared caches, from durable layers unless ``persist`` is false."""
        self.save_glob_dict.pop(name, None)
        self.decommit_glob_from_cache(name)
        if persist:
            self.destroy_glob_from_store(name)

    def get_glob_from_store(self, name: str) -> Any:
        """The text of a glob from memory or the layers below; fills memory."""
        globs = self._globs()
        if name in globs:
            return globs[name]
        text = self._chain(name).get(name)
        if text is not None:
            globs[name] = text
        return text

    def has_glob_in_store(self, name: str) -> bool:
        """Whether memory or a layer below has this glob."""
        return name in self._globs() or self._chain(name).get(name) is not None

    def list_glob_from_store(self) -> list[str]:
        """The names of the globs in memory and the layers below; fills nothing."""
        return list(dict.fromkeys([*self._globs(), *self._chain("").names()]))

    def destroy_glob_from_store(self, name: str) -> None:
        """Removes a glob from the layers below memory."""
        PROCESS_CHAIN.discard(name)

    def commit_glob_to_cache(self, name: str, value: Any) -> None:
        """Puts a glob into memory."""
        self._globs()[name] = value

    def decommit_glob_from_cache(self, name: str) -> None:
        """Takes a glob out of memory."""
        self._globs().pop(name, None)

    def _chain(self, name: str) -> Globs:
        """The layers below memory that have a say in this glob."""
        return PROCESS_CHAIN

    def _is_kept_by_process(self, name: str, value: Any) -> bool:
        return isinstance(value, str) and (is_setting_name(name) or PROCESS_CHAIN.get(name) is not None)

    def _globs(self) -> dict[str, Any]:
        # Applications replace `mem`, or delete from it.
        globs: dict[str, Any] = self.mem.setdefault("global", {})
        return globs

    # ------------------------------------------------------------------ settings

    # `| Any`: None for the text "null", which is legal for a kube glob only.
    def service_glob(self, name: str, default: Any) -> dict[str, Any] | Any:
        """The settings in a glob, as a fresh dict that the caller may change. A glob that exists nowhere gets the
        default first, durably. Raises ``ConfigError`` for a text that is no JSON object; nothing is overwritten then."""
        try:
            text = self.get_glob(name)
            if text is None:
                text = self.commit_setting_default(name, as_text(name, default))
        except BaseException:
            note_glob(name)  # so that whoever reports it can say which
            raise
        return serve_settings(name, text)

    def commit_setting(self, name: str, text: str) -> None:
        """Sets a glob and commits just this one. Raises ``ConfigError`` for a text that no layer can keep."""
        self._chain(name).set(name, _storable(name, text))
        self._globs()[name] = text
        self.save_glob_dict.pop(name, None)

    def commit_setting_default(self, name: str, text: str) -> Any:
        """Commits a glob unless it exists by now, and returns the text that it has."""
        text = self._chain(name).set_default(name, text)
        self._globs()[name] = text
        return text

    def forget_globs(self, *names: str) -> None:
        """Forgets what memory has of these globs, so that the next read asks the layers below; pending ones stay."""
        for name in names:
            if name not in self.save_glob_dict:
                self._globs().pop(name, None)

    def explain(self, name: str) -> Explanation:
        """What is known about a glob: which layer has it, and how far it can be relied on. Fills nothing."""
        globs = self._globs()
        if name in globs:
            return Explanation.of_memory(name, globs[name])
        chain = self._chain(name)
        try:
            return Explanation.of_chain(name, chain.explain(name))
        except (SourceUnavailable, SourceRefused) as error:
            return Explanation.unknown(name, str(error), chain.is_provisional(name))

    # ------------------------------------------------------------------ all of it

    def commit(self) -> None:
        """Writes what is pending to the durable layers: there are none here."""
        self.save_obj_list = set()
        self.save_glob_dict = {}

    def commit_all_cache_sync(self) -> None:
        """Puts every pending object into memory and the shared caches, and keeps it pending."""
        for item in list(self.save_obj_list):
            self.commit_obj_to_cache(item, True)

    def clear_cache(self) -> None:
        """Forgets memory and what is pending; counters stay."""
        self.mem = {"global": {}}
        self.save_obj_list = set()
        self.save_glob_dict = {}

    def has_id_in_mem_cache(self, id: Any) -> bool:
        """Whether memory has this id."""
        return id is not None and id in self.mem

    def mem_size(self) -> float:
        """The shallow size of memory, in KiB."""
        return sys.getsizeof(self.mem) / 1024.0

    def get_object_distribution(self) -> dict[type, int]:
        """How many values of each class memory holds, the dict of globs included."""
        return dict(Counter(type(value) for value in self.mem.values()))

    def find_class_and_import(self, j_type: str, mod: Any = None) -> Any:
        """The class of an element type: a context of this name, else the application's class. None: there is none."""
        return find_element_class(j_type, mod)


def object_key(mem: dict[str, Any], item_id: Any) -> str | None:
    """The key in memory for an id, which may be a bare UUID; None for what is no id."""
    if not isinstance(item_id, str | uuid.UUID):
        return None
    if isinstance(item_id, str) and item_id in mem and item_id != "global":
        return item_id
    try:
        return uuid.UUID(str(item_id)).urn
    except ValueError:
        return None


def _storable(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"config {name!r} is not valid Unicode: it has lone surrogates, at {error.start}") from error
    return text


def as_text(name: str, default: Any) -> str:
    """A default as the text of a glob. Raises ``ConfigError`` for what is not JSON."""
    try:
        return json.dumps(default)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"the default of config {name!r} is not JSON: {error}") from error
