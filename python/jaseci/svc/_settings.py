"""Building a service's settings: which globs they come from, and what happens when they cannot be used."""

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from jaseci.svc._calling import default_hook, refuse_coroutine
from jaseci.svc._log import describe, report
from jaseci.svc.errors import ConfigError

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService

# The names of the globs read while one of `build_kube` and `build_config` is on its way; None elsewhere. A hook adds
# the name of each glob that it serves as settings.
read: ContextVar[list[str] | None] = ContextVar("jaseci.svc.settings", default=None)


def build_settings(service: "CommonService[Any]", hook: Any) -> None:
    """``build_kube``, then ``build_config``; raises nothing but logs what cannot be used and leaves it disabled."""
    names: list[str] = []
    token = read.set(names)
    try:
        if hook is None and _overrides_settings(type(service)):
            hook = default_hook()
        kube = service.build_kube(hook)
        if kube is not None and not isinstance(kube, dict):
            refuse_coroutine(kube, f"{type(service).__name__}.build_kube")
            raise ConfigError(f"build_kube returned {type(kube).__name__}, neither a dict nor None")
        kube_name = names[-1] if names else None
        names.clear()
        config = service.build_config(hook)
        if not isinstance(config, dict):
            refuse_coroutine(config, f"{type(service).__name__}.build_config")
        if kube is not None or service.kube is not None:
            service.kube = kube
        service._apply_settings(config, names[-1] if names else None, kube_name)
    except Exception as error:
        _disable(service, error, names[-1] if names else None)
    finally:
        read.reset(token)


def _overrides_settings(cls: "type[CommonService[Any]]") -> bool:
    from jaseci.svc.common import CommonService

    return cls.build_config is not CommonService.build_config or cls.build_kube is not CommonService.build_kube


def _disable(service: "CommonService[Any]", error: Exception, name: str | None) -> None:
    service.enabled = False
    service.error = error
    told = describe(error)
    of_config = f" of config {name!r}" if name is not None and repr(name) not in told.replace('"', "'") else ""
    report(
        logging.ERROR,
        f"{type(service).__name__} is disabled, its settings{of_config} cannot be used: {told}; "
        "correct them and reset the service",
    )
