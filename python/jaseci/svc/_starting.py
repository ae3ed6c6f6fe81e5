"""Executing a start: the user's code, between what the core hands out and what it is told."""

import logging
from typing import TYPE_CHECKING, Any

from jaseci.svc._arguments import HOOK
from jaseci.svc._calling import call_with_hook
from jaseci.svc._core import Ticket
from jaseci.svc._frames import inside_own_code
from jaseci.svc._log import describe, report
from jaseci.svc.errors import StartCycle

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService


def execute_start(service: "CommonService[Any]", ticket: Ticket, hook: Any) -> None:
    """Runs ``run`` and ``post_run`` for the holder of ``ticket``.

    An Exception ends in FAILED and stays here; a start cycle and a BaseException also go on to the caller.
    """
    try:
        hook = call_with_hook(service, service.run, "run", hook)
        if ticket.ran():
            call_with_hook(service, service.post_run, "post_run", hook)
            service._release_hook(HOOK)
    except BaseException as error:
        if not _contains(service, ticket, error):
            raise
    finally:
        ticket.end()


def fail_start(service: "CommonService[Any]", ticket: Ticket, raised: BaseException) -> None:
    """What becomes of a start that was executed natively and raised."""
    try:
        raise raised
    except BaseException as error:
        if not _contains(service, ticket, error):
            raise
    finally:
        ticket.end()


def _contains(service: "CommonService[Any]", ticket: Ticket, error: BaseException) -> bool:
    """Makes a failed service of it. Says whether the error stays here: a start cycle and what is no Exception do not."""
    _fail(service, ticket, error)
    return isinstance(error, Exception) and not isinstance(error, StartCycle)


def _fail(service: "CommonService[Any]", ticket: Ticket, error: BaseException) -> None:
    described = describe(error)
    if not ticket.fail(error, described):
        return  # a past generation's failure is nobody's business any more
    try:
        service.failed()
    except Exception as second:
        report(logging.ERROR, f"{type(service).__name__}.failed() raised {describe(second)}", second)
    if service._app is not None:
        service._fail()  # an override without super().failed()
    if not service.quiet:
        report(logging.ERROR, f"Skipping {type(service).__name__} due to initialization failure! {described}")


def start_by_reading(service: "CommonService[Any]") -> Any:
    """The way of ``.app`` for a service that may have to be started first."""
    if not inside_own_code(service):
        if service._cut_short:
            service.start()
            return service._app
        ticket = service._begin_start(service.start_timeout, "reading")
        if ticket is not None:
            execute_start(service, ticket, None)
    return service._app
