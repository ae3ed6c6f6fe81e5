"""What a service's ``health()`` answers, in words; and what the last check has found."""

from typing import TYPE_CHECKING, Any, NamedTuple

from jaseci.svc._calling import refuse_coroutine
from jaseci.svc._core import ailment_of, health_of, mask
from jaseci.svc._log import describe

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService


class NoAnswer(Exception):  # it is what happens
    """Raised by a ``health()`` in a test whose clock is set by hand: this check hangs."""


class Health(NamedTuple):
    """The last verdict on a service's health."""

    healthy: bool | None = None
    """None: the generation in force has not been checked."""
    reason: str | None = None
    """What is wrong; without secrets."""
    age: float | None = None
    """How many seconds ago the verdict was given."""


def examine(service: "CommonService[Any]") -> str | None:
    """Asks the service; what is wrong, or None. Raises ``NoAnswer`` and nothing else."""
    try:
        answer: object = service.health()
        if answer is None or answer is True:
            return None
        refuse_coroutine(answer, f"{type(service).__name__}.health")
    except NoAnswer:
        raise
    except BaseException as error:
        return describe(error)
    if answer is False:
        return "health() returned False"
    if isinstance(answer, str):
        return mask(answer) or "health() returned an empty text"
    return f"health() returned {type(answer).__name__}; it returns None or True, or else False or a text that says why"


def last_verdict(service: "CommonService[Any]") -> Health:
    """What the last check has found."""
    found = health_of(service)
    if found is None:
        return Health()
    reason, age = found
    return Health(reason is None, reason, age)


def ailment(service: "CommonService[Any]") -> str | None:
    """What is wrong by the last check; None if nothing is, or there was none."""
    return ailment_of(service)
