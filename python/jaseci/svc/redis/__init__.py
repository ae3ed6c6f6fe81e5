"""Redis, shared by the processes of an application: ``RedisService``, its default config and its manifests."""

from jaseci.svc.redis.service import RedisService

__all__ = ["RedisService"]
