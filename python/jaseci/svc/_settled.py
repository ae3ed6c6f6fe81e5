"""Services that ran on something else than what the configuration turned out to be."""

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jaseci.svc._log import describe, report

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService


def reset_services_of(names: Iterable[str], besides: "CommonService[Any]") -> None:
    """Resets each kept service whose settings come from one of these globs, so that it takes the real ones.

    One that fails is logged; the others are reset all the same.
    """
    from jaseci.svc.meta import MetaService

    changed = set(names)
    if not changed:
        return
    for service in MetaService().kept.values():
        if service is besides or not changed.intersection(service._glob_names):
            continue
        try:
            service.reset()
        except Exception as error:
            report(logging.ERROR, f"{type(service).__name__} did not take its settings over: {describe(error)}", error)
