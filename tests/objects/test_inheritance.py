"""What a service class can be mixed with, and what not."""

import datetime as dt
import io
import threading
import weakref
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar, runtime_checkable

import pytest
from jaseci.svc import CommonService, ServiceState

from behaviour.services import Plain


class Journal:
    """A plain class with a life cycle of its own, that goes on to the next one's."""

    def run(self, hook=None):
        self.__dict__.setdefault("journal", []).append("run")
        super().run(hook)

    def reset(self, hook=None):
        self.journal.append("reset")
        super().reset(hook)


class Before(Journal, Plain):
    """The mixin comes first."""


class Running:
    """A plain class that knows how to run, and nobody's `super`."""

    def run(self):
        self.app = "run by the mixin"

    def describe(self):
        return f"{self.state.name} with {self.app}"


class After(CommonService, Running):
    """The mixin comes last: what CommonService has is CommonService's."""

    def build_config(self, hook):
        return {"enabled": True}


def test_a_mixin_before_the_service_overrides_run_and_reset():
    """And `super` leads from it to the service."""
    service = Before().start()
    service.reset()
    assert service.journal == ["run", "reset", "run"]
    assert service.is_running()


def test_a_mixin_after_the_service_adds_to_it_only():
    """As in every class: the first base has the first word."""
    service = After()
    assert service.describe() == "NOT_STARTED with None" or service.has_failed()
    assert isinstance(service.error, NotImplementedError)


def test_a_run_of_a_mixin_before_the_service_is_the_one_that_runs():
    """Without a word of the service class's own."""

    class Mixed(Running, Plain):
        pass

    assert Mixed().start().describe() == "RUNNING with run by the mixin"


class WithArguments:
    def __init__(self, *args, size=1, **kwargs):
        super().__init__(*args, **kwargs)
        self.size = size


def test_a_mixins_constructor_is_called_again_by_a_reset():
    """With what it was called with."""

    class Mixed(WithArguments, Plain):
        pass

    service = Mixed(size=3).start()
    service.size = 0
    service.reset()
    assert service.size == 3


def test_a_diamond_of_services_has_one_native_part():
    """Services inherit from several services."""

    class Left(Plain):
        pass

    class Right(Plain):
        pass

    class Both(Left, Right):
        pass

    assert Both().start().is_running()


T = TypeVar("T")


def test_a_generic_service_is_subscribed_and_inherited_from():
    """As classes of `typing.Generic` are."""

    class Typed(Plain, Generic[T]):
        pass

    class OfText(Typed[str]):
        pass

    assert OfText().start().is_running()
    assert Typed[int]().start().is_running()
    assert CommonService[str]().state is ServiceState.NOT_STARTED


class Sending(ABC):
    @abstractmethod
    def send(self):
        """To be overridden."""


@pytest.mark.parametrize("bases", [(Sending, Plain), (Plain, Sending)], ids=["before", "after"])
def test_an_abstract_service_is_not_built(bases):
    """Until its abstract methods are overridden."""
    abstract = type(CommonService)("Mailer", bases, {})
    with pytest.raises(TypeError, match=r"abstract class Mailer.*send"):
        abstract()
    concrete = type(CommonService)("Sender", (abstract,), {"send": lambda self: "sent"})
    service = concrete().start()
    assert (service.send(), service.is_running(), isinstance(service, Sending)) == ("sent", True, True)


def test_a_service_may_have_abstract_methods_of_its_own():
    """Its metaclass knows them."""

    class Mailer(Plain):
        @abstractmethod
        def send(self):
            """To be overridden."""

    with pytest.raises(TypeError, match=r"abstract class Mailer.*send"):
        Mailer()


@runtime_checkable
class Closing(Protocol):
    def close(self): ...


def test_a_service_implements_a_protocol():
    """Named as a base, or by having the methods."""

    class Named(Plain, Closing):
        def close(self):
            self.stop()

    class Unnamed(Plain):
        def close(self):
            self.stop()

    assert Named().start().is_running()
    assert [isinstance(service, Closing) for service in (Named(), Unnamed(), Plain())] == [True, True, False]


def test_a_service_class_has_attributes_methods_and_properties_of_its_own():
    """On the class and on the instance."""

    class Own(Plain):
        limit = 3

        @property
        def half(self):
            return self.limit / 2

    service = Own()
    service.limit = 8
    service.note = "mine"
    assert (Own.limit, service.half, vars(service)) == (3, 4, {"limit": 8, "note": "mine"})
    del service.note
    assert not hasattr(service, "note")


def test_empty_slots_are_no_layout():
    """A mixin or a service may say that it adds nothing; weak references and attributes stay possible."""

    class Slim:
        __slots__ = ()

        def answer(self):
            return 42

    class Slimmer(Slim, Plain):
        __slots__ = ()

    service = Slimmer().start()
    service.note = "mine"
    assert (service.answer(), service.is_running(), service.note) == (42, True, "mine")
    assert weakref.ref(service)() is service


class Slotted:
    __slots__ = ("place",)


class Below(Slotted):
    """Has them from its base."""


class Text(str):
    """A class of its own over a native one."""

    __slots__ = ()


REFUSED = [
    (dict, "builtins.dict", "the native layout of dict"),
    (list, "builtins.list", "the native layout of list"),
    (Exception, "builtins.Exception", "the native layout of"),
    (threading.local, "_thread._local", "layout of"),
    (dt.datetime, "datetime.datetime", "the native layout of datetime"),
    (io.StringIO, "_io.StringIO", "layout of"),
    (Slotted, f"{__name__}.Slotted", "the non-empty __slots__ of Slotted"),
    (Below, f"{__name__}.Below", "the non-empty __slots__ of Slotted"),
    (Text, f"{__name__}.Text", "the native layout of str"),
]


@pytest.mark.interpreters
@pytest.mark.parametrize(("base", "named", "why"), REFUSED, ids=[named for _, named, _ in REFUSED])
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_base_with_a_layout_is_refused_by_name_and_reason(base, named, why, first):
    """Whichever side it is on."""
    bases = (base, Plain) if first else (Plain, base)
    with pytest.raises(TypeError) as refused:
        type(CommonService)("Odd", bases, {})
    message = str(refused.value)
    assert message.startswith(f"Odd cannot be a service and inherit from {named} (which has ")
    assert why in message
    assert "Plain" not in message.replace(named, "")


def test_every_base_that_does_not_fit_is_named_and_no_other():
    """A plain one beside them is not to blame."""
    with pytest.raises(TypeError, match=r"inherit from builtins\.dict \(.*\) and .*Slotted \(") as refused:
        type(CommonService)("Odd", (Running, Plain, dict, Slotted), {})
    assert "Running" not in str(refused.value)
