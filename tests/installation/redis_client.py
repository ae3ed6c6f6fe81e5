"""A program over whichever redis-py is installed: prints as JSON what `RedisService` and its client did.

Its argument is the config of a Redis that speaks TLS, as JSON.
"""

import json
import select
import sys

import redis
from jaseci.hook import MemoryHook
from jaseci.svc import ConfigError, MetaService, ServiceState
from jaseci.svc.redis.client import make_client
from jaseci.svc.testing import LifecycleRecorder
from jaseci.svc.testing.redis_sentinel import PrivateSentinel
from jaseci.svc.testing.redis_server import PrivateRedis

PATIENCE = 30  # seconds until what this waits for is called missing
USER = "user app on >secret ~* &* +@all"


def commands(service):
    """What each command of the service answers."""
    return [
        service.set("key", "gr\u00fc\u00dfe"),
        service.get("key"),
        service.exists("key"),
        service.delete("key"),
        service.get("key"),
        service.hset("hash", "field", "1"),
        service.hget("hash", "field"),
        service.hexists("hash", "field"),
        service.hkeys("hash"),
        service.hdel("hash", "field"),
    ]


def settings(meta):
    """A setting, written by one unit of work and read by another; and what the client itself sees of it."""
    meta.build_hook().save_glob("SOME_CONFIG", "{}")
    hook = meta.build_hook()
    return [hook.get_glob("SOME_CONFIG"), hook.redis.hget("global", "SOME_CONFIG")]


def places(server, tls):
    """Whether a client reaches a server by each of the ways that a config can name."""
    reached = {
        "password": server.config(),
        "user": server.config(username="app", password="secret"),
        "url": {"url": server.url},
        "unix socket": {"unix_socket_path": str(server.unix_socket), "password": server.password},
        "unix url": {"url": f"unix://{server.unix_socket}", "password": server.password},
        "tls": tls,
        "tls url": {"url": f"rediss://{tls['host']}:{tls['port']}", "ssl_ca_certs": tls["ssl_ca_certs"]},
    }
    with PrivateSentinel() as sentinel:
        reached["sentinel"] = {"sentinel": {"master": sentinel.name, "nodes": [[sentinel.host, sentinel.port]]}}
        return {way: ping(config) for way, config in reached.items()}


def ping(config):
    """What a client of this config is answered; its class and message if it is not."""
    client = make_client({key: value for key, value in config.items() if key not in ("enabled", "quiet")})
    try:
        return client.ping()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        client.close()


def closed_while_idle(server):
    """What a client is answered whose connection the server has closed."""
    client = make_client({"host": server.host, "port": server.port, "password": server.password})
    client.ping()
    [connection] = client.connection_pool._available_connections
    server.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    # The link hands the end on a moment later.
    select.select([connection._sock], [], [], PATIENCE)
    try:
        return client.ping()
    finally:
        client.close()


def outage(meta, server, recorder):
    """States and answers while Redis is killed, and when it is back."""
    service = meta.get_service("redis")
    server.kill()
    recorder.wait_for("redis", ServiceState.FAILED, PATIENCE)
    lost = meta.build_hook().get_glob("SOME_CONFIG")
    server.restart()
    recorder.wait_for("redis", ServiceState.RUNNING, PATIENCE)
    return [lost, service.hget("global", "SOME_CONFIG")]


def unknown_key():
    """What a key is answered that redis-py does not know."""
    try:
        make_client({"hots": "localhost"})
    except ConfigError as error:
        return str(error)
    return "accepted"


def of_the_service():
    """What `RedisService` does."""
    with PrivateRedis() as server:
        MemoryHook().save_glob("REDIS_CONFIG", json.dumps(server.config()))
        meta, recorder = MetaService(), LifecycleRecorder()
        redis_service = meta.build_hook().redis
        found = {
            "client": isinstance(redis_service.app, redis.Redis),
            "commands": commands(redis_service),
            "settings": settings(meta),
            "outage": outage(meta, server, recorder),
        }
        meta.shutdown()
    return found


def of_the_client(tls):
    """What its client does by itself."""
    with PrivateRedis(password="s3cret word", acl=[USER]) as server:
        return {
            "places": places(server, tls),
            "unknown key": unknown_key(),
            "closed while idle": closed_while_idle(server),
        }


if __name__ == "__main__":
    tls = json.loads(sys.argv[1])
    json.dump({"version": redis.__version__, **of_the_service(), **of_the_client(tls)}, sys.stdout)
