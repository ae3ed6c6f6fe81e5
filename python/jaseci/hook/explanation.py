"""Where a setting comes from, and how far it can be relied on."""

import contextlib
import json
from typing import Any, NamedTuple

from jaseci.svc._core import learn_secrets, mask
from jaseci.svc.redis.layers import Told

PROVISIONAL = "nothing is known of it yet: whoever needs it runs on its default, which is stored nowhere"


class Explanation(NamedTuple):
    """What is known about a glob at one moment."""

    name: str
    value: str | None
    """Its text, without secrets; None: there is none, or nobody can tell (then ``stale`` is true)."""
    layer: str | None
    """Who has it: "memory" (this hook's own), "redis", or "process" (this process itself, for as long as it lives)."""
    version: int | None
    """How often it was written, where that is counted."""
    age: float | None
    """How long ago the layer was asked, in seconds; None for memory, which is a view of one moment."""
    stale: bool
    """Whether it may be out of date: the layer cannot be asked, or has lost it."""
    provisional: bool
    """Whether somebody runs on a default because the layer could not be asked; the real value wins as soon as it can."""
    bound: float | None
    """How old the value may be at most, in seconds, unless it is stale; None where there is no bound."""
    reason: str | None
    """Why it is stale or provisional."""

    @classmethod
    def of_memory(cls, name: str, value: Any) -> "Explanation":
        """Of what a hook has in its own memory."""
        return cls(name, _shown(value), "memory", None, None, False, False, None, None)

    @classmethod
    def of_chain(cls, name: str, told: Told) -> "Explanation":
        """Of what the layers below a hook's memory say."""
        text, version, layer, age, stale, bound, provisional = told
        reason = stale if stale is not None else PROVISIONAL if provisional else None
        shown = None if text is None else _shown(text)
        return cls(name, shown, layer, version, age, stale is not None, provisional, bound, reason)

    @classmethod
    def unknown(cls, name: str, reason: str, provisional: bool) -> "Explanation":
        """Of what nobody can tell."""
        return cls(name, None, None, None, None, True, provisional, None, reason)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    # Else no settings, so nothing under a secret key.
    with contextlib.suppress(ValueError, RecursionError):
        learn_secrets(json.loads(text))
    return mask(text)
