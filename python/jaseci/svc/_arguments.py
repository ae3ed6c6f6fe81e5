"""The arguments a service was built with: for building it again with another hook, here or in another process."""

import inspect
from typing import Any

from jaseci.svc._core import ServiceCore


class _Hook:
    """Stands among the arguments where a hook was that has been let go."""

    def __repr__(self) -> str:
        return "<the hook it was built with>"


HOOK = _Hook()

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def with_hook(service: ServiceCore, hook: Any) -> Arguments:
    """The original arguments with ``hook`` in the place of the original one; None keeps that if it still lives."""
    args, kwargs = service._arguments(HOOK)
    original = service._hook
    if hook is None:
        hook = original
    replaced, found = _replace(args, dict(kwargs or {}), original, hook)
    return replaced if found or hook is None else _insert(type(service), *replaced, hook)


def without_hook(service: ServiceCore) -> Arguments:
    """The original arguments, None in the place of the hook."""
    args, kwargs = service._arguments(HOOK)
    return _replace(args, dict(kwargs or {}), service._hook, None)[0]


def _replace(args: tuple[Any, ...], kwargs: dict[str, Any], old: Any, new: Any) -> tuple[Arguments, bool]:
    def is_hook(value: Any) -> bool:
        return value is HOOK or (old is not None and value is old)

    found = any(is_hook(value) for value in (*args, *kwargs.values()))
    new_args = tuple(new if is_hook(value) else value for value in args)
    return (new_args, {name: new if is_hook(value) else value for name, value in kwargs.items()}), found


def _insert(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any], hook: Any) -> Arguments:
    """Hands the hook to a constructor that was called without one, if it takes one."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]  # of this class itself
    for place, parameter in enumerate(parameters):
        if parameter.kind is parameter.VAR_POSITIONAL:
            # By the convention of CommonService the hook comes first.
            return ((hook, *args[1:]), kwargs) if not args or args[0] is None else (args, kwargs)
        if parameter.name == "hook":
            if place < len(args):
                return (*args[:place], hook, *args[place + 1 :]), kwargs
            return args, {**kwargs, "hook": hook}
    return args, kwargs
