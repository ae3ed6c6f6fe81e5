"""What lies below a hook by way of Redis: the native layer, or a client that an application has put in its place."""

from collections.abc import Iterator
from typing import Any, Protocol

from jaseci.svc._core import RedisLayer

GLOBS = "global"
_OBJECTS = "urn:uuid:"
_OBJECT_KEY_LENGTH = 45

Told = tuple[str | None, int | None, str | None, float, str | None, float | None, bool]
"""What is known of a glob: text, number of the write, layer, age in seconds, why it may be out of date, bound in seconds,
and whether somebody runs on a default for it."""


class Globs(Protocol):
    """Named texts below a hook's memory."""

    def get(self, name: str) -> str | None:
        """The text of a name, or None."""

    def explain(self, name: str) -> Told:
        """As ``get``, with all that is known about it."""

    def set(self, name: str, text: str) -> None:
        """Sets a name, durably."""

    def set_default(self, name: str, text: str) -> str:
        """Sets a name unless it exists; the text that it has now."""

    def discard(self, name: str) -> None:
        """Removes a name."""

    def names(self) -> list[str]:
        """All names."""

    def is_provisional(self, name: str) -> bool:
        """Whether somebody runs on a default for this name."""

    def note_provisional(self, name: str) -> None:
        """Notes that somebody runs on a default for this name."""


class Layer(Protocol):
    """A Redis below a hook."""

    @property
    def chain(self) -> Globs:
        """Its globs, and below them those of the process."""

    def object(self, id: str) -> str | None:
        """The JSON of an object, or None."""

    def has_object(self, id: str) -> bool:
        """Whether there is an object."""

    def set_objects(self, objects: list[tuple[str, str]]) -> None:
        """Writes objects, all or none."""

    def discard_object(self, id: str) -> bool:
        """Removes an object."""

    def clear(self) -> None:
        """Removes what such a layer writes."""


def layer_over(service: Any) -> Layer | None:
    """The layer of a hook's ``redis``; None: it has none, so the process itself is the lowest layer.

    A service that was forked, or never started, starts: its ``app`` is read, as anybody may.
    """
    if service is None:
        return None
    native: RedisLayer | None = getattr(service, "_layer", None)
    if native is None or service.is_ready():
        app = service.app if service.enabled else None
        native = getattr(service, "_layer", None)
        if native is None:
            return ClientLayer(app) if service.is_running() and _is_client(app) else None
    # Stopped on purpose: it has left the chain.
    return None if service.is_ready() else native


class ClientLayer:
    """A client with the commands of redis-py, where an application runs one of its own. Every read asks it.

    Lives for a moment: a hook makes one when it needs it.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    @property
    def chain(self) -> "ClientLayer":
        """Itself."""
        return self

    def get(self, name: str) -> str | None:
        """The text of a glob."""
        text: str | None = _text(self._client.hget(GLOBS, name))
        return text

    def explain(self, name: str) -> Told:
        """The text of a glob, just asked for."""
        text = self.get(name)
        return text, None, None if text is None else "redis", 0.0, None, 0.0, False

    def set(self, name: str, text: str) -> None:
        """Sets a glob."""
        self._client.hset(GLOBS, name, text)

    def set_default(self, name: str, text: str) -> str:
        """Sets a glob unless it exists."""
        self._client.hsetnx(GLOBS, name, text)
        return self.get(name) or text

    def discard(self, name: str) -> None:
        """Removes a glob."""
        self._client.hdel(GLOBS, name)

    def names(self) -> list[str]:
        """The names of all globs."""
        return [str(_text(name)) for name in self._client.hkeys(GLOBS)]

    def is_provisional(self, name: str) -> bool:
        """Never: a client that fails raises."""
        return False

    def note_provisional(self, name: str) -> None:
        """Nothing is noted: a client that fails raises."""

    def object(self, id: str) -> str | None:
        """The JSON of an object."""
        text: str | None = _text(self._client.get(id))
        return text

    def has_object(self, id: str) -> bool:
        """Whether there is an object."""
        return bool(self._client.exists(id))

    def set_objects(self, objects: list[tuple[str, str]]) -> None:
        """Writes objects."""
        for key, text in objects:
            self._client.set(key, text)

    def discard_object(self, id: str) -> bool:
        """Removes an object."""
        return bool(self._client.delete(id))

    def clear(self) -> None:
        """Removes globs and objects."""
        for key in [GLOBS, *self._objects()]:
            self._client.delete(key)

    def _objects(self) -> Iterator[Any]:
        return (key for key in self._client.scan_iter(f"{_OBJECTS}*") if len(key) == _OBJECT_KEY_LENGTH)


def _is_client(app: Any) -> bool:
    """What a test registers as ``redis`` need not be one."""
    return all(hasattr(app, command) for command in ("hget", "hset", "hsetnx", "hdel", "hkeys"))


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
