"""Whether code of the service itself is on the stack: there, reading its app starts nothing."""

import sys
from types import FrameType

# What a service's author overrides, and `__init__`, from which the settings are built.
_OWN_CODE = frozenset({"__init__", "build_kube", "build_config", "run", "post_run", "failed", "reset", "stop"})


def inside_own_code(service: object) -> bool:
    """Whether the caller is, at any depth, inside ``run``, ``reset`` and the like of ``service``.

    Asked of the stack rather than of a flag: an override is entered before any code of ours, also in a mixin or where
    it was patched in; and greenlets have their own stacks.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name in _OWN_CODE and code.co_argcount and frame.f_locals.get(code.co_varnames[0]) is service:
            return True
        frame = frame.f_back
    return False
