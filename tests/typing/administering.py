"""Hooks and the stand-ins for an application's elements, under the names they are imported by. Checked, never run."""

from typing import Any, assert_type

from jaseci.api.config_api import ConfigApi
from jaseci.element.master import Master
from jaseci.element.super_master import SuperMaster
from jaseci.hook import MemoryHook


class Layered(MemoryHook):
    """A layer below memory, as a hook with a database has it."""

    def get_glob_from_store(self, name: str) -> Any:
        return super().get_glob_from_store(name) or "from below"

    def list_glob_from_store(self) -> str:  # type: ignore[override]
        return "one"


def globs(hook: MemoryHook) -> None:
    assert_type(hook.has_glob("NAME"), bool)
    assert_type(hook.list_glob(), list[str])
    hook.save_glob("NAME", "text", persist=False)
    hook.save_glob("NAME")  # type: ignore[call-arg]
    hook.commit()


def elements(hook: MemoryHook) -> None:
    admin = SuperMaster(h=hook, name="admin")
    user: Master = admin
    api: ConfigApi = admin
    assert_type((user.jid, user.name, user.j_parent), tuple[str, str, str | None])
    assert_type(user.check_write_access(admin.jid), bool)
    assert_type(api.config_set("ACTION_SETS", {"a": 1}), list[str])
    assert_type(admin.config_list(), list[str])
    assert_type(admin.config_exists("ACTION_SETS"), bool)
    Master()  # type: ignore[call-arg]
    Master(hook).config_get("ACTION_SETS")  # type: ignore[attr-defined]
