"""The client that applications get as ``app``: redis-py's, from the config of the service."""

import inspect
from typing import TYPE_CHECKING, Any

from jaseci.svc.errors import ConfigError

if TYPE_CHECKING:
    import redis

CONNECT_TIMEOUT = 1.0
"""How long a connection may take to come about, in seconds, unless ``socket_connect_timeout`` says otherwise."""

ANSWER_TIMEOUT = 5.0
"""How long an answer may take, in seconds, unless ``socket_timeout`` says otherwise. A command that blocks for longer
(``BLPOP``) wants a longer one, or null for none."""

# Ours, and nothing for redis-py's constructor. Where these name the place, what else does is left out.
_PLACES = ("url", "sentinel")
_PLACE_KEYS = frozenset({"host", "port", "db", "unix_socket_path"})
# Set below for every client.
_FIXED = frozenset({"decode_responses", "retry", "retry_on_error", "connection_pool"})


def make_client(config: dict[str, Any]) -> "redis.Redis":
    """A client, without a connection so far. Its texts are ``str``; a connection that was closed while it was idle is
    replaced once. Raises ``ConfigError`` for keys that redis-py does not know, ``ImportError`` without redis-py."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise ImportError("redis-py is not installed; install jaseci-svc[redis]") from error

    check_keys(config)
    options = {key: value for key, value in config.items() if key not in _PLACES and key not in _FIXED}
    options.setdefault("socket_connect_timeout", CONNECT_TIMEOUT)
    options.setdefault("socket_timeout", ANSWER_TIMEOUT)
    options |= {
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 1),
    }
    # redis-py 4.0 has no such option: there its pool alone replaces what was closed.
    if "retry_on_error" in _options_of(redis.Redis):
        options["retry_on_error"] = [redis.exceptions.ConnectionError]
    if config.get("sentinel"):
        return _behind_sentinels(config["sentinel"], options)
    if config.get("url"):
        own = {key: value for key, value in options.items() if key not in _PLACE_KEYS and key != "ssl"}
        if config["url"].startswith("unix:"):
            # Connecting takes no time there, and the connections of redis-py before 4.6 have no such option.
            del own["socket_connect_timeout"]
        return redis.Redis.from_url(config["url"], **own)
    return redis.Redis(**options)


def check_keys(config: dict[str, Any]) -> None:
    """Raises ``ConfigError`` for keys that are no options of redis-py, where it is installed."""
    try:
        import redis
    except ImportError:
        return
    known = _options_of(redis.Redis) | set(_PLACES)
    unknown = sorted(set(config) - known)
    if unknown:
        raise ConfigError(f"unknown keys for Redis: {', '.join(map(repr, unknown))}; remove them")


def _options_of(client: "type[redis.Redis]") -> set[str]:
    return inspect.signature(client.__init__).parameters.keys() - {"self"}


def _behind_sentinels(sentinel: dict[str, Any], options: dict[str, Any]) -> "redis.Redis":
    from redis import sentinel as without_types

    sentinels: Any = without_types.Sentinel
    nodes = [(node, 26379) if isinstance(node, str) else tuple(node) for node in sentinel["nodes"]]
    own = {key: value for key, value in options.items() if key not in _PLACE_KEYS or key == "db"}
    # What reaches the sentinels is told apart from what reaches the server: user and password are often different.
    reach = {key: value for key, value in own.items() if key.startswith(("socket_", "ssl"))}
    reach |= {key: sentinel[key] for key in ("username", "password") if sentinel.get(key) is not None}
    client: redis.Redis = sentinels(nodes, sentinel_kwargs=reach, **own).master_for(sentinel["master"])
    return client
