"""Whether code of the service itself is on the stack: there, reading its app starts nothing."""

import sys
from types import CodeType, FrameType

# What a service's author overrides, and `__init__`, from which the settings are built.
_OWN_CODE = frozenset(
    {"__init__", "build_settings", "build_kube", "build_config", "run", "post_run", "failed", "reset", "stop", "health"}
)


def inside_own_code(service: object) -> bool:
    """Whether the caller is, at any depth, inside ``run``, ``reset`` and the like of ``service``.

    Asked of the stack rather than of a flag: an override is entered before any code of ours, also in a mixin or where
    it was patched in; and greenlets have their own stacks.
    """
    patched_in = _patched_in(type(service))
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        is_own = code.co_name in _OWN_CODE or code in patched_in
        if is_own and code.co_argcount and frame.f_locals.get(code.co_varnames[0]) is service:
            return True
        frame = frame.f_back
    return False


def _patched_in(cls: type) -> set[CodeType]:
    """The code that stands under one of the names but was written under another."""
    found = set()
    for base in cls.__mro__:
        for name in _OWN_CODE & vars(base).keys():
            code = getattr(vars(base)[name], "__code__", None)
            if code is not None and code.co_name != name:
                found.add(code)
    return found
