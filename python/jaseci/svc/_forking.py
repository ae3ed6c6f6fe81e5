"""Constructions that a fork cuts short: the child finds services whose settings are neither the old nor the new ones."""

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService

# What is being constructed anew, and by which thread; by identity.
_constructing: dict[int, tuple["CommonService[Any]", int]] = {}


def construct_anew(service: "CommonService[Any]", args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Calls the constructor. A child that is forked meanwhile by another thread resets the service on use."""
    _constructing[id(service)] = service, threading.get_ident()
    if service._cut_short:
        service._cut_short = False  # before: the constructor may itself ask for a start
    try:
        service.__init__(*args, **kwargs)  # type: ignore[misc]  # that is what a reset is
    finally:
        _constructing.pop(id(service), None)


def _note_in_child() -> None:
    me = threading.get_ident()
    for key, (service, ident) in list(_constructing.items()):
        if ident != me:
            del _constructing[key]
            # Whether it is enabled shows when its settings are read; until then a read of app must look.
            service.enabled = True
            service._cut_short = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_in_child)
