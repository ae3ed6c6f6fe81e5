"""Calling what users override: with or without the ``hook`` parameter, and never a coroutine by mistake."""

import inspect
from collections.abc import Callable
from types import AsyncGeneratorType, CoroutineType, FunctionType
from typing import Any

_VARARGS = inspect.CO_VARARGS


def call_with_hook(method: Callable[..., Any], hook: Callable[[], Any], described: str) -> None:
    """Calls ``method``, handing it ``hook()`` if it takes one.

    ``described`` names service and method for the error of one that is ``async def``.
    """
    if _takes_hook(method):
        result = method(hook())
    elif _takes_hook_by_keyword(method):
        result = method(hook=hook())
    else:
        result = method()
    if result is not None:
        refuse_coroutine(result, described)


def refuse_coroutine(result: object, described: str) -> None:
    """Raises TypeError for what an ``async def`` returns: its code has not run and never would."""
    if isinstance(result, CoroutineType):
        result.close()
    elif not isinstance(result, AsyncGeneratorType):
        return
    raise TypeError(f"{described} is 'async def'; services are started by threads: write it as 'def'")


def _takes_hook(method: Callable[..., Any]) -> bool:
    function = getattr(method, "__func__", None)
    # The usual method, undecorated: its code tells, a hundred times faster than a signature.
    if type(function) is FunctionType and not function.__dict__:
        code = function.__code__
        return code.co_argcount > 1 or code.co_flags & _VARARGS != 0
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
