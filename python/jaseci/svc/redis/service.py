"""``RedisService``: the Redis that the processes of an application share."""

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from jaseci.svc._core import RedisLayer, check_endpoint
from jaseci.svc._log import describe, report
from jaseci.svc._settled import reset_services_of
from jaseci.svc.common import CommonService
from jaseci.svc.errors import SourceRefused, SourceUnavailable
from jaseci.svc.redis.client import check_keys, make_client
from jaseci.svc.redis.config import REDIS_CONFIG
from jaseci.svc.redis.kube import REDIS_KUBE
from jaseci.svc.redis.layers import layer_over
from jaseci.svc.state import ServiceState

if TYPE_CHECKING:
    import redis


# The modes of a link in which the server answers.
_UP = ("tracking", "pass-through")


class RedisService(CommonService["redis.Redis"]):
    """A Redis: ``app`` is a client of redis-py with ``decode_responses=True``.

    While it runs, every hook of the process reads and writes its globs through it, coherently with all processes that do
    so. It is RUNNING only while Redis answers. When Redis is lost it is FAILED, with the reason in ``error``; hooks
    then go on with the last values that were seen, and it runs again by itself when Redis answers. So it does if Redis
    could not be reached at the start; until it was reached once, hooks do without it.

    The config takes the options of ``redis.Redis`` (``host``, ``port``, ``db``, ``username``, ``password``, ``ssl``,
    ``ssl_ca_certs``, ``socket_timeout`` in seconds, ...), or ``url``, or ``sentinel``: ``{"master": "main", "nodes":
    [["host", 26379]]}``. It is never read from Redis itself.
    """

    fork_safe = False

    # Redis as a layer below the hooks; None before the first contact.
    _layer: RedisLayer | None = None
    _client: "redis.Redis | None" = None
    # Whether it has failed because Redis could not be reached.
    _is_missed: bool = False
    _has_told_of_pass_through: bool = False

    def build_kube(self, hook: Any) -> dict[str, Any]:
        kube: dict[str, Any] = hook.service_glob("REDIS_KUBE", REDIS_KUBE)
        return kube

    def build_config(self, hook: Any) -> dict[str, Any]:
        config: dict[str, Any] = hook.service_glob("REDIS_CONFIG", REDIS_CONFIG)
        return config

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        check_endpoint(config)
        check_keys(config)

    def run(self, hook: Any = None) -> None:
        layer = RedisLayer.of(self.config)
        self._client = make_client(self.config)
        # What this process has reached before is part of its chain even while it cannot be reached.
        self._layer = layer if layer.was_contacted else None
        self._is_missed = True
        try:
            layer.open()
        finally:
            self.spawn_daemon(link=partial(self._follow, layer))
        self._is_missed = False
        self._layer = layer
        self.app = self._client

    def post_run(self, hook: Any = None) -> None:
        if self._layer is not None:
            self._settle(self._layer)

    # ------------------------------------------------------------------ commands

    def get(self, name: str) -> Any:
        """The text of a key, or None. This and the others raise ``ServiceNotRunning`` while Redis is not to be had."""
        return self.poke().get(name)

    def set(self, name: str, value: Any) -> Any:
        """Sets a key."""
        return self.poke().set(name, value)

    def exists(self, name: str) -> Any:
        """How many of the key there are: 0 or 1."""
        return self.poke().exists(name)

    def delete(self, name: str) -> Any:
        """Removes a key; returns how many were removed."""
        return self.poke().delete(name)

    def hget(self, name: str, key: str) -> Any:
        """The text of a field of a hash, or None."""
        return self.poke().hget(name, key)

    def hset(self, name: str, key: str, value: Any) -> Any:
        """Sets a field of a hash."""
        return self.poke().hset(name, key, value)

    def hexists(self, name: str, key: str) -> Any:
        """Whether a hash has a field."""
        return self.poke().hexists(name, key)

    def hdel(self, name: str, key: str) -> Any:
        """Removes a field of a hash; returns how many were removed."""
        return self.poke().hdel(name, key)

    def hkeys(self, name: str) -> Any:
        """The fields of a hash."""
        return self.poke().hkeys(name)

    def clear(self) -> None:
        """Removes the globs and objects that hooks have written, and nothing of others.

        Raises ``SourceUnavailable`` or ``SourceRefused`` if Redis cannot be asked to.
        """
        layer = layer_over(self)
        if layer is not None:
            layer.clear()

    # ------------------------------------------------------------------ following Redis

    def _follow(self, layer: RedisLayer) -> None:
        """The daemon: the state of the service is that of Redis."""
        try:
            _ = self.app  # waits until `run` has ended
            if self.is_running():
                self._follow_running(layer)
            elif self._is_missed and self._wait_until_up(layer):
                self.reset()  # from here on the daemon of the next generation follows
        finally:
            layer.close()

    def _wait_until_up(self, layer: RedisLayer) -> bool:
        stop, (number, mode, _) = self.stop_requested, layer.status()
        while mode not in _UP and not stop:
            layer.wait_change(number, stop)
            number, mode, _ = layer.status()
        return not stop

    def _follow_running(self, layer: RedisLayer) -> None:
        stop, number = self.stop_requested, 0
        while not stop:
            layer.wait_change(number, stop)
            number, mode, reason = layer.status()
            if not stop:
                self._mirror(layer, mode, reason)

    def _mirror(self, layer: RedisLayer, mode: str, reason: str | None) -> None:
        if mode == "down" and self.is_running():
            self.error = SourceUnavailable(reason)
            self.app = None
            self._enter_state(ServiceState.FAILED, reason or "")
            report(logging.ERROR, f"{reason}; hooks go on with the last values that were seen, until it answers again")
        elif mode in _UP and self.has_failed():
            self._run_again(layer)
        if mode == "pass-through" and not self._has_told_of_pass_through:
            self._has_told_of_pass_through = True
            report(logging.WARNING, f"{layer} does not push what changes, so each read asks it: {reason}")

    def _run_again(self, layer: RedisLayer) -> None:
        try:
            layer.greet()
        except (SourceUnavailable, SourceRefused) as error:
            self.error = error
            return
        self.error = None
        self.app = self._client
        self._enter_state(ServiceState.RUNNING, "it answers again")
        report(logging.WARNING, f"{layer} answers again")
        self._settle(layer)

    def _settle(self, layer: RedisLayer) -> None:
        """What was built while Redis could not be asked has run on what this process had by itself, or on defaults."""
        try:
            names = [*layer.meet(), *layer.take_settled()]
        except Exception as error:
            report(logging.ERROR, f"Settings of this process cannot be handed on: {describe(error)}")
            return
        reset_services_of(names, besides=self)
