"""Which configs there are, whose they are, and whether a value is one that its service can use."""

import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from jaseci.svc._core import learn_secrets, load_settings
from jaseci.svc._log import describe, report
from jaseci.svc.common import CommonService
from jaseci.svc.errors import ConfigError

if TYPE_CHECKING:
    from jaseci.svc.meta import MetaService

# The configs of the shipped services: known whether or not these are registered.
SHIPPED = ("JSORC_CONFIG", "KUBE_CONFIG", "MAIL_CONFIG", "PROMON_CONFIG", "REDIS_CONFIG", "TASK_CONFIG")
# Of no service: known, and anything may stand in them.
FREE = ("ACTION_SETS", "CONFIG_EXAMPLE")


class Globs(NamedTuple):
    """From which globs a service reads its settings."""

    config: str | None
    kube: str | None


def names(meta: "MetaService") -> list[str]:
    """All known names, sorted."""
    of_services = [name for globs in globs_by_service(meta).values() for name in globs if name is not None]
    return sorted({*SHIPPED, *FREE, *of_services})


def service_of(meta: "MetaService", glob: str) -> str | None:
    """The registered service that reads its settings from this glob."""
    for service, globs in globs_by_service(meta).items():
        if glob in globs:
            return service
    return None


def why_unusable(meta: "MetaService", name: str, text: str) -> str | None:
    """Why the service of this glob could not use the text as its settings; None if it could, or has no service."""
    globs = globs_by_service(meta).values()
    is_kube = any(name == each.kube for each in globs)
    is_config = name in SHIPPED or any(name == each.config for each in globs)
    if not is_kube and not is_config:
        return None
    try:
        settings = load_settings(name, text)
        if is_config:
            _check_config(meta, name, _Probe(settings).config)
        elif settings is not None:
            _check_manifests(settings)
    except Exception as error:  # the service's own check may raise anything
        return describe(error)
    return None


def learn_secrets_of(text: str) -> None:
    """Notes the secrets in a text that is about to be repeated, if it is JSON."""
    try:
        learn_secrets(json.loads(text))
    except (ValueError, RecursionError):
        return


def globs_by_service(meta: "MetaService") -> dict[str, Globs]:
    """Where each registered or kept service reads its settings: as it did when it was built, else as it would."""
    builders, kept = meta.builders, meta.kept
    found = {}
    for service in {**builders, **kept}:
        globs = Globs(*kept[service]._glob_names) if service in kept else Globs(None, None)
        if globs == (None, None):
            globs = _probe(service, builders.get(service) or type(kept[service]))
        found[service] = globs
    return found


class _Recorder:
    """Stands in for a hook, to find out which globs a class reads its settings from. Stores and starts nothing."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def service_glob(self, name: str, default: Any) -> Any:
        self.read.append(name)
        return json.loads(json.dumps(default))


class _Probe(CommonService[Any]):
    """Takes settings as any service does, and raises what is wrong with them."""

    def __init__(self, settings: Any) -> None:
        self._renew(None)
        self._apply_settings(settings, None)


def _check_config(meta: "MetaService", name: str, config: dict[str, Any]) -> None:
    """What the service itself says of the config."""
    service = service_of(meta, name)
    cls = None if service is None else meta.builders.get(service) or type(meta.kept[service])
    if cls is not None:
        cls.validate_config(config)


def _check_manifests(settings: dict[str, Any]) -> None:
    for kind, documents in settings.items():
        if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
            raise ConfigError(f"the manifests of kind {kind!r} are no list of objects")


def _probe(service: str, cls: type[CommonService[Any]]) -> Globs:
    """The globs of a class whose settings were never read, without running its constructor."""
    unbuilt = cls.__new__(cls)
    config = _first_read(service, unbuilt.build_config) if cls.build_config is not CommonService.build_config else None
    kube = _first_read(service, unbuilt.build_kube) if cls.build_kube is not CommonService.build_kube else None
    return Globs(config, kube)


def _first_read(service: str, build: Any) -> str | None:
    recorder = _Recorder()
    try:
        build(recorder)
    except Exception as error:
        report(logging.DEBUG, f"{build.__name__} of service {service!r} needs more than a hook: {describe(error)}")
    if recorder.read:
        return recorder.read[-1]
    # The manual's names, for what does not come as far as reading them.
    return f"{service.upper()}_{build.__name__.removeprefix('build_').upper()}"
