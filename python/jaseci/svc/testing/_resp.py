"""A connection that speaks Redis's protocol, RESP2, and knows no more: enough for a test to look into a server."""

import socket

Answer = str | int | None | list["Answer"]
"""What Redis answers: text, a number, nothing, or several of these. Bytes that are no UTF-8 become lone surrogates."""


class CommandRefused(Exception):
    """Redis answered a command with an error, whose text this holds: ``WRONGTYPE Operation against ...``."""


class Connection:
    """One connection over a connected socket, which it owns. Lives until ``close()``; for one thread."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._answers = connected.makefile("rb")

    def command(self, *words: str | bytes | float) -> Answer:
        """Sends one command and returns its answer.

        Raises ``CommandRefused`` with Redis's own words; ``TimeoutError`` after the socket's time; ``ConnectionError`` if
        the connection ends.
        """
        self._socket.sendall(encode(words))
        return self.next()

    def next(self) -> Answer:
        """The next answer, or the next message of a subscription; raises as ``command`` does."""
        line = self._answers.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise CommandRefused(rest.decode("utf-8", "replace"))
        return self._read_value(kind, rest)

    def close(self) -> None:
        """Closes the connection."""
        self._answers.close()
        self._socket.close()

    def _read_value(self, kind: bytes, rest: bytes) -> Answer:
        match kind:
            case b"+":
                return _text(rest)
            case b":":
                return int(rest)
            case b"$":
                return None if rest == b"-1" else _text(self._read_exactly(int(rest) + 2)[:-2])
            case b"*":
                return None if rest == b"-1" else [self.next() for _ in range(int(rest))]
        raise ConnectionError(f"no RESP2: {kind + rest!r}")

    def _read_exactly(self, length: int) -> bytes:
        data = self._answers.read(length)
        if len(data) < length:
            raise ConnectionError("the server closed the connection in the middle of an answer")
        return data


def encode(words: tuple[str | bytes | float, ...]) -> bytes:
    """A command as it goes over the wire: an array of bulk strings."""
    parts = [word if isinstance(word, bytes) else str(word).encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
