"""Calling what users override: with or without the ``hook`` parameter, and never a coroutine by mistake."""

import inspect
from collections.abc import Callable
from types import AsyncGeneratorType, CodeType, CoroutineType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from jaseci.svc._core import is_closed
from jaseci.svc.errors import RuntimeClosed

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService

_VARARGS = inspect.CO_VARARGS


def call_with_hook(service: "CommonService[Any]", method: Callable[..., Any], name: str, hook: Any) -> Any:
    """Calls the service's ``method``, handing it a hook if it takes one: ``hook``, or else the service's, or else the
    default one. Returns that hook."""
    if _takes_nothing(method):
        result = method()
    elif _takes_hook(method):
        hook = _hook_for(service, hook)
        result = method(hook)
    elif _takes_hook_by_keyword(method):
        hook = _hook_for(service, hook)
        result = method(hook=hook)
    else:
        result = method()
    if result is not None:
        refuse_result(service, name, result)
    return hook


def refuse_result(service: "CommonService[Any]", name: str, result: object) -> None:
    """Raises for what the service's method returned, if that is the coroutine of an ``async def``."""
    refuse_coroutine(result, f"{type(service).__name__}.{name}")


def default_hook() -> Any:
    """A hook for a service that was given none: the one that the process's MetaService would build.

    Raises ``RuntimeClosed`` after a shutdown: who only builds a service does not mean to begin everything anew.
    """
    from jaseci.svc.meta import MetaService

    if is_closed():
        raise RuntimeClosed(
            "there is no hook to read them with, as the service runtime has been shut down; "
            "construct MetaService() to populate it anew"
        )
    return MetaService().build_context("hook")


def refuse_coroutine(result: object, described: str) -> None:
    """Raises TypeError for what an ``async def`` returns: its code has not run and never would."""
    if isinstance(result, CoroutineType):
        result.close()
    elif not isinstance(result, AsyncGeneratorType):
        return
    raise TypeError(f"{described} is 'async def'; services are started by threads: write it as 'def'")


def _hook_for(service: "CommonService[Any]", hook: Any) -> Any:
    if hook is None:
        hook = service._hook
    return default_hook() if hook is None else hook


def manner_of(code: CodeType) -> int:
    """How a method with this code is called: 1, with nothing; 2, with a hook, unless it says otherwise elsewhere; 0,
    otherwise."""
    if code.co_flags & _VARARGS == 0 and code.co_argcount == 1:
        return 1 if code.co_kwonlyargcount == 0 else 0
    return 2 if code.co_argcount > 1 or code.co_flags & _VARARGS else 0


def _takes_nothing(method: Callable[..., Any]) -> bool:
    # The usual method of a class: its code tells, a hundred times faster than a signature.
    if type(method) is not MethodType or type(method.__func__) is not FunctionType:
        return False
    return manner_of(method.__func__.__code__) == 1


def _takes_hook(method: Callable[..., Any]) -> bool:
    function = getattr(method, "__func__", None)
    if type(function) is FunctionType and not function.__dict__:
        return manner_of(function.__code__) == 2
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):
        return True
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(each.kind in positional or each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters)


def _takes_hook_by_keyword(method: Callable[..., Any]) -> bool:
    function = getattr(method, "__func__", None)
    if type(function) is FunctionType and not function.__dict__:
        code = function.__code__
        return "hook" in code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    try:
        hook = inspect.signature(method).parameters.get("hook")
    except (TypeError, ValueError):
        return False
    return hook is not None and hook.kind is inspect.Parameter.KEYWORD_ONLY
