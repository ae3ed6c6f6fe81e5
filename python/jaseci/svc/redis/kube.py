"""The Kubernetes manifests of Redis, by kind."""

from pathlib import Path
from typing import Any

from jaseci.svc.manifest import load

__all__ = ["REDIS_KUBE"]

REDIS_KUBE: dict[str, list[dict[str, Any]]] = load(Path(__file__).with_name("redis.yaml"))
