"""Services and other classes: bases, protocols, generics, `isinstance`. Checked, never run."""

from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar, assert_type

from jaseci.svc import CommonService, MetaService

T = TypeVar("T")


class Plain:
    def __init__(self) -> None:
        self.plain = True


class Abstract(ABC):
    @abstractmethod
    def needed(self) -> int: ...


class Named(Protocol):
    @property
    def title(self) -> str: ...


class Mixed(CommonService[int], Plain, Abstract, Named):
    def needed(self) -> int:
        return self.poke()

    @property
    def title(self) -> str:
        return "mixed"


class Unfinished(CommonService[int], Abstract):
    """Misses what its base asks for."""


class Pool(CommonService[list[T]], Generic[T]):
    """Generic itself."""

    def first(self) -> T:
        return self.poke()[0]


class Startable(Protocol):
    """What a function may ask for instead of a service."""

    def start(self, hook: Any = None) -> Any: ...


def generics(numbers: Pool[int], mixed: Mixed) -> None:
    assert_type(numbers.first(), int)
    assert_type(numbers.poke(), list[int])
    assert_type(mixed.plain, bool)
    Unfinished()  # type: ignore[abstract]


def narrowing(thing: object, either: CommonService[int] | str) -> None:
    if isinstance(thing, Mixed):
        assert_type(thing, Mixed)
    if isinstance(either, CommonService):
        assert_type(either, CommonService[int])
    else:
        assert_type(either, str)


def as_protocols() -> None:
    startable: Startable = Mixed()
    startable = MetaService()
    named: Named = Mixed()
    named = Pool[int]()  # type: ignore[assignment]
    print(startable.start(), named.title)
