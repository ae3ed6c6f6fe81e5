"""Services: subclass ``CommonService``, register the class with ``MetaService``, and it is started once, configured live,
watched, and stopped in order."""

from jaseci.svc import _finder
from jaseci.svc._core import DaemonInfo, Event, EventReader, StopSignal
from jaseci.svc.common import ApplicationContext, CommonService, MetaProperties, ProxyService
from jaseci.svc.errors import (
    BuilderExists,
    ConfigError,
    DependencyError,
    DependencyFailed,
    RestartLimitReached,
    RuntimeClosed,
    ServiceError,
    ServiceNotRunning,
    ServiceUnhealthy,
    SourceRefused,
    SourceUnavailable,
    StartCycle,
    StartTimeout,
)
from jaseci.svc.jsorc import JsOrcService
from jaseci.svc.meta import MetaService, ServiceInfo
from jaseci.svc.redis import RedisService
from jaseci.svc.state import ServiceState

_finder.install()

__all__ = [
    "ApplicationContext",
    "BuilderExists",
    "CommonService",
    "ConfigError",
    "DaemonInfo",
    "DependencyError",
    "DependencyFailed",
    "Event",
    "EventReader",
    "JsOrcService",
    "MetaProperties",
    "MetaService",
    "ProxyService",
    "RedisService",
    "RestartLimitReached",
    "RuntimeClosed",
    "ServiceError",
    "ServiceInfo",
    "ServiceNotRunning",
    "ServiceState",
    "ServiceUnhealthy",
    "SourceRefused",
    "SourceUnavailable",
    "StartCycle",
    "StartTimeout",
    "StopSignal",
]
