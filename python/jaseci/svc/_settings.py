"""Building a service's settings: which globs they come from, and what happens when they cannot be used."""

import logging
from typing import TYPE_CHECKING, Any

from jaseci.svc._calling import default_hook, refuse_coroutine
from jaseci.svc._core import building
from jaseci.svc._log import describe, report
from jaseci.svc.errors import ConfigError

if TYPE_CHECKING:
    from jaseci.svc.common import CommonService


def build_settings(service: "CommonService[Any]", hook: Any) -> None:
    """``build_kube``, then ``build_config``; raises nothing but logs what cannot be used and leaves it disabled.

    Meanwhile the context knows which service is at it, and the service takes note of the globs that a hook serves.
    """
    token = building.set(service)
    try:
        service._take_noted_glob()  # of another time
        if hook is None and _overrides_settings(type(service)):
            hook = default_hook()
        kube = service.build_kube(hook)
        if kube is not None:
            check_kube(service, kube)
        kube_name = service._take_noted_glob()
        take_settings(service, kube, kube_name, service.build_config(hook))
    except Exception as error:
        _disable(service, error)
    finally:
        building.reset(token)


def check_kube(service: "CommonService[Any]", kube: object) -> None:
    """Raises for what ``build_kube`` returned, unless it is a dict."""
    if not isinstance(kube, dict):
        refuse_coroutine(kube, f"{type(service).__name__}.build_kube")
        raise ConfigError(f"build_kube returned {type(kube).__name__}, neither a dict nor None")


def take_settings(service: "CommonService[Any]", kube: Any, kube_name: str | None, config: Any) -> None:
    """Takes over what ``build_kube`` and ``build_config`` returned. Raises for what is no config."""
    if not isinstance(config, dict):
        refuse_coroutine(config, f"{type(service).__name__}.build_config")
    if kube is not None or service.kube is not None:
        service.kube = kube
    service._apply_settings(config, kube_name)


def fail_settings(service: "CommonService[Any]", raised: BaseException) -> None:
    """What becomes of settings that were built natively and raised."""
    try:
        raise raised
    except Exception as error:
        _disable(service, error)


def _overrides_settings(cls: "type[CommonService[Any]]") -> bool:
    from jaseci.svc.common import CommonService

    return cls.build_config is not CommonService.build_config or cls.build_kube is not CommonService.build_kube


def _disable(service: "CommonService[Any]", error: Exception) -> None:
    name = service._take_noted_glob()
    service.enabled = False
    service.error = error
    told = describe(error)
    of_config = f" of config {name!r}" if name is not None and repr(name) not in told.replace('"', "'") else ""
    report(
        logging.ERROR,
        f"{type(service).__name__} is disabled, its settings{of_config} cannot be used: {told}; "
        "correct them and reset the service",
    )
