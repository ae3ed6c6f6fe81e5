"""What a service says of its supervision, in class attributes: read and checked."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jaseci.svc._core import Policy, check_graph

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService

    ServiceClass = type[CommonService[Any]]

# The order is that of `Policy`'s parameters.
_ATTRIBUTES = (
    "restart",
    "on_dependency_loss",
    "backoff",
    "restart_cap",
    "health_interval",
    "health_timeout",
    "start_timeout",
)


def policy_of(owner: "CommonService[Any] | ServiceClass", name: str) -> Policy:
    """The policy of a service, or of its class, registered as ``name``.

    Raises ``TypeError`` or ``ValueError``, with service and attribute, for what is none.
    """
    try:
        return Policy(*(_value(owner, attribute) for attribute in _ATTRIBUTES))
    except (TypeError, ValueError) as error:
        cls = owner if isinstance(owner, type) else type(owner)
        raise type(error)(f"service {name!r} ({cls.__qualname__}): {error}") from None


def _value(owner: "CommonService[Any] | ServiceClass", attribute: str) -> Any:
    from jaseci.svc.common import CommonService

    value = getattr(owner, attribute)
    # A service that was written before there was supervision may have a method of that name, or a property.
    if callable(value) or hasattr(value, "__get__"):
        return getattr(CommonService, attribute)
    return value


def needs_of(cls: "ServiceClass", name: str) -> tuple[list[str], list[str]]:
    """What services of a class require, and what they want. Raises ``TypeError`` for what are no names."""
    return _names(cls, name, "requires"), _names(cls, name, "wants")


def _names(cls: "ServiceClass", name: str, attribute: str) -> list[str]:
    value: Any = _value(cls, attribute)
    if not isinstance(value, (tuple, list)) or not all(isinstance(each, str) for each in value):
        raise TypeError(
            f"service {name!r} ({cls.__qualname__}): {attribute} must be a tuple of service names, "
            f"as in {attribute} = ('redis',), not {value!r}"
        )
    return list(value)


def promised_interval(owner: "CommonService[Any] | ServiceClass", daemon: str) -> float | None:
    """How many seconds a daemon may be silent, by its service's ``watchdog``; None: as long as it likes."""
    seconds = _watchdog(owner).get(daemon)
    return seconds if isinstance(seconds, (int, float)) and 0 < seconds < 1e9 else None


def _watchdog(owner: "CommonService[Any] | ServiceClass") -> Mapping[str, object]:
    promised = _value(owner, "watchdog")
    return promised if isinstance(promised, Mapping) else {}


def _check_watchdog(cls: "ServiceClass", name: str) -> None:
    for daemon, seconds in _watchdog(cls).items():
        if promised_interval(cls, daemon) is None:
            raise ValueError(
                f"service {name!r} ({cls.__qualname__}): watchdog must have a number of seconds above 0 "
                f"for daemon {daemon!r}, not {seconds!r}"
            )


def check_builder(name: str, cls: "ServiceClass", registered: "Mapping[str, ServiceClass]") -> None:
    """Raises for a class whose attributes are no policy, or that would close a circle among the registered ones."""
    policy_of(cls, name)
    _check_watchdog(cls, name)
    classes = {**registered, name: cls}
    needs: dict[str, list[str]] = {}
    ahead = [name]
    # A circle that the class would close leads back to it, so what it leads to is enough.
    while ahead:
        each = ahead.pop()
        if each in classes and each not in needs:
            requires, wants = needs_of(classes[each], each)
            needs[each] = requires + wants
            ahead += needs[each]
    check_graph(list(needs.items()))
