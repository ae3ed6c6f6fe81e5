"""Redis Sentinel for a test: a primary, its replica, and a sentinel that makes the one out of the other."""

import contextlib
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from jaseci.svc.testing._kept import KeptServer
from jaseci.svc.testing._resp import Answer, Connection
from jaseci.svc.testing.redis_server import HOST, PrivateRedis, Word, find_redis_server, quoted

DOWN_AFTER = 500
"""Milliseconds without an answer after which the sentinel calls the primary down."""

KNOWS_THE_REPLICA = r"\+slave "


class PrivateSentinel:
    """A sentinel over two Redis servers, each a ``PrivateRedis``, for one test.

    It runs from entering the ``with`` until leaving it, as they do. Clients ask it at ``host`` and ``port`` for the primary
    called ``name``, and are told the address of that server's link.

    ``options`` are those of ``PrivateRedis``, for both; without ``tls``. Raises what that does.
    """

    def __init__(self, name: str = "primary", **options: Any) -> None:
        self.name = name
        self.host = HOST
        self.port = 0
        self.primary = PrivateRedis(**options)
        """The server that takes writes now."""
        self.replica = PrivateRedis(**options, replica_of=self.primary)
        """The other one."""
        self._kept: KeptServer | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.primary)
            stack.enter_context(self.replica)
            self._kept = stack.enter_context(contextlib.closing(KeptServer()))
            self.port = self._kept.port
            path = self._kept.folder / "sentinel.conf"
            path.write_text("\n".join(self._configuration(self._kept)) + "\n", encoding="utf-8")
            self._kept.launch([find_redis_server(), str(path), "--sentinel"], KNOWS_THE_REPLICA)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all three and removes their files. Leaving the ``with`` does it too."""
        self._stack.close()

    def fail_over(self, timeout: float = 30.0) -> None:
        """Kills the primary and waits until the sentinel has made the replica the primary.

        ``primary`` and ``replica`` are exchanged then; ``replica.restart()`` brings the killed one back, as a replica.
        Raises ``TimeoutError`` after ``timeout`` seconds.
        """
        with self._connect(timeout) as connection:
            connection.command("SUBSCRIBE", "+switch-master")
            self.primary.kill()
            connection.next()
        self.primary, self.replica = self.replica, self.primary

    def command(self, *words: Word, timeout: float = 5.0) -> Answer:
        """Runs one command on the sentinel and returns its answer; raises as ``PrivateRedis.command`` does."""
        with self._connect(timeout) as connection:
            return connection.command(*words)

    @contextlib.contextmanager
    def _connect(self, timeout: float) -> Iterator[Connection]:
        if self._kept is None:
            raise RuntimeError("it runs inside `with PrivateSentinel() as sentinel:` only")
        connected = socket.create_connection((HOST, self._kept.direct_port), timeout)
        with contextlib.closing(Connection(connected)) as connection:
            yield connection

    def _configuration(self, kept: KeptServer) -> Iterator[str]:
        yield f"bind {HOST}"
        yield f"port {kept.direct_port}"
        yield f"dir {kept.folder}"
        yield "protected-mode no"
        yield f"sentinel monitor {self.name} {HOST} {self.primary.port} 1"
        yield f"sentinel down-after-milliseconds {self.name} {DOWN_AFTER}"
        yield f"sentinel failover-timeout {self.name} 5000"
        if self.primary.password:
            yield f"sentinel auth-pass {self.name} {quoted(self.primary.password)}"
