"""The orchestrator: services that a config names are kept alive."""

from jaseci.svc.jsorc.config import JSORC_CONFIG
from jaseci.svc.jsorc.orchestrator import JsOrc
from jaseci.svc.jsorc.service import JsOrcService

__all__ = ["JSORC_CONFIG", "JsOrc", "JsOrcService"]
