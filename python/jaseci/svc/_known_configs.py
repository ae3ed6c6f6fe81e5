"""Which configs there are, whose they are, and whether a value is one that its service can use."""

import json
import logging
from typing import TYPE_CHECKING, Any

from jaseci.svc._core import learn_secrets, load_settings
from jaseci.svc._log import describe, report
from jaseci.svc.common import CommonService
from jaseci.svc.errors import ConfigError

if TYPE_CHECKING:
    from jaseci.svc.meta import MetaService

# Known whether or not their services are registered.
ALWAYS_KNOWN = (
    "ACTION_SETS",
    "CONFIG_EXAMPLE",
    "JSORC_CONFIG",
    "KUBE_CONFIG",
    "MAIL_CONFIG",
    "PROMON_CONFIG",
    "REDIS_CONFIG",
    "TASK_CONFIG",
)
# Of no service, so anything may stand in them.
_FREE = frozenset({"ACTION_SETS", "CONFIG_EXAMPLE"})


class _Recorder:
    """Stands in for a hook, to find out which globs a class reads its settings from. Stores and starts nothing."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def service_glob(self, name: str, default: Any) -> Any:
        self.read.append(name)
        return json.loads(json.dumps(default))


def names(meta: "MetaService") -> list[str]:
    """All known names, sorted."""
    of_services = [name for globs in _globs_by_service(meta).values() for name in globs]
    return sorted({*ALWAYS_KNOWN, *of_services})


def service_of(meta: "MetaService", glob: str) -> str | None:
    """The registered service that reads its settings from this glob."""
    for service, globs in _globs_by_service(meta).items():
        if glob in globs:
            return service
    return None


def why_unusable(name: str, text: str) -> str | None:
    """Why no service could use this text as its settings; None if one could."""
    if name in _FREE or not name.endswith(("_CONFIG", "_KUBE")) and not _looks_like_json(text):
        return None
    try:
        settings = load_settings(name, text)
        if settings is None:
            raise ConfigError(f"config {name!r} is null, not an object")
        if name.endswith("_KUBE"):
            _check_manifests(settings)
        else:
            _Probe(settings)
    except ConfigError as error:
        return describe(error)
    return None


def learn_secrets_of(text: str) -> None:
    """Notes the secrets in a text that is about to be repeated, if it is JSON."""
    try:
        learn_secrets(json.loads(text))
    except ValueError:
        return


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] == "{"


class _Probe(CommonService[Any]):
    """Takes settings as any service does, and raises what is wrong with them."""

    def __init__(self, settings: Any) -> None:
        self._renew(None)
        self._apply_settings(settings, None, None)


def _check_manifests(settings: dict[str, Any]) -> None:
    for kind, documents in settings.items():
        if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
            raise ConfigError(f"the manifests of kind {kind!r} are no list of objects")


def _globs_by_service(meta: "MetaService") -> dict[str, tuple[str, ...]]:
    builders = meta.builders
    kept = meta.kept
    found = {}
    for service in {**builders, **kept}:
        globs = kept[service]._glob_names if service in kept else (None, None)
        if globs == (None, None) and service in builders:
            globs = _probe(service, builders[service])
        found[str(service)] = tuple(glob for glob in globs if glob is not None)
    return found


def _probe(service: str, cls: type[CommonService[Any]]) -> tuple[str | None, str | None]:
    """The globs of a class of which no instance has been built."""
    unbuilt = cls.__new__(cls)
    globs: list[str | None] = []
    for build in (unbuilt.build_config, unbuilt.build_kube):
        recorder = _Recorder()
        try:
            build(recorder)
        except Exception as error:
            report(logging.DEBUG, f"The settings of service {service!r} are not known before it is built: {describe(error)}")
        globs.append(recorder.read[-1] if recorder.read else None)
    return globs[0], globs[1]
