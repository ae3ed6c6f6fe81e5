"""A Redis for the questions about Redis, straight, without the link that tests break."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jaseci.hook import MemoryHook
from jaseci.svc import MetaService
from jaseci.svc.testing import PrivateRedis


@contextmanager
def served(**options: Any) -> Iterator[PrivateRedis]:
    """A private Redis."""
    with PrivateRedis(appendonly=False, **options) as server:
        server.port = server.direct_port
        yield server


@contextmanager
def shared(server: PrivateRedis, **config: Any) -> Iterator[MetaService]:
    """A registry whose Redis is this one; afterwards it is empty."""
    MemoryHook().commit_setting("REDIS_CONFIG", json.dumps(server.config(**config)))
    meta = MetaService()
    try:
        service = meta.build_hook().redis
        if not service.is_running():
            raise RuntimeError(f"no Redis to measure with: {service.error}")
        yield meta
    finally:
        meta.shutdown()
        MemoryHook().destroy_glob("REDIS_CONFIG")
