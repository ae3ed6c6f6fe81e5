"""Which classes a service class can be mixed with.

A service has a native part, and CPython lays at most one such part out in an instance. It refuses the others with
"multiple bases have instance lay-out conflict", which names nobody; this metaclass says which base and why.
"""

from typing import TYPE_CHECKING, Any, Protocol

from jaseci.svc._core import ServiceCore, quicken

# The metaclass of protocols: so that services mix with ABCs, protocols and generics as any class does.
if TYPE_CHECKING:
    from abc import ABCMeta as _Mixable  # which is what type checkers take it for
else:
    _Mixable = type(Protocol)


class ServiceType(_Mixable):
    """The metaclass of services."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> type:
        try:
            made: type = super().__new__(mcls, name, bases, namespace, **kwargs)
        except TypeError as error:
            if "lay-out conflict" not in str(error):
                raise
            raise TypeError(_refusal(name, bases)) from error
        quicken(made)
        return made

    # A service class is what inherits from it. Without these, every check would take the slow way of ABCs.
    __instancecheck__ = type.__instancecheck__
    __subclasscheck__ = type.__subclasscheck__


def _refusal(name: str, bases: tuple[type, ...]) -> str:
    culprits = [base for base in bases if not issubclass(base, ServiceCore) and not _fits(base)]
    named = (
        " and ".join(f"{base.__module__}.{base.__qualname__} {_why(base)}" for base in culprits) or "one of its bases"
    )
    return (
        f"{name} cannot be a service and inherit from {named}: an instance has room for one native layout, "
        "the service's; keep the other object in an attribute instead"
    )


def _fits(base: type) -> bool:
    try:
        type("probe", (ServiceCore, base), {})
    except TypeError:
        return False
    return True


def _why(base: type) -> str:
    for ancestor in base.__mro__:
        if ancestor.__dict__.get("__slots__"):
            return f"(which has the non-empty __slots__ of {ancestor.__qualname__})"
        # Py_TPFLAGS_HEAPTYPE: what has it not is implemented in C. `object` is everybody's and excludes nothing.
        if ancestor is not object and not ancestor.__flags__ & (1 << 9):
            return f"(which has the native layout of {ancestor.__qualname__})"
    return "(which has a native layout of its own)"
