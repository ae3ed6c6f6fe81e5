"""Servers that are no good Redis: what an address may lead to on a bad day.

Each listens on a free loopback port from entering its `with` until leaving it, with a thread for every connection.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

HOST = "127.0.0.1"
GREETING = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
MORE_THAN_A_REDIS_HOLDS = 9_000_000_000_000  # bytes


class Conversation:
    """One connection, as a behaviour sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._words = connection.makefile("rb")

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def commands(self) -> Iterator[list[bytes]]:
        """What the client asks, until it goes away."""
        while (head := self._words.readline()).startswith(b"*"):
            yield [self._word() for _ in range(int(head[1:]))]

    def first_words(self) -> bytes:
        """Something of what the client says first, whatever it is."""
        return self._words.read1()

    def say_nothing_more(self) -> None:
        """Reads on, and answers nothing, until the client goes away."""
        while self._words.read1():
            pass

    def end(self) -> None:
        """Ends it for both sides; whoever reads is woken."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Closes it, on the thread that it is for."""
        self._words.close()
        self._connection.close()

    def _word(self) -> bytes:
        length = int(self._words.readline()[1:])
        return self._words.read(length + 2)[:-2]


Behaviour = Callable[[Conversation], None]


class BadServer:
    """A server that behaves as it is told with every client. Lives inside its `with`."""

    def __init__(self, behaviour: Behaviour, port: int = 0) -> None:
        self._behaviour = behaviour
        self._listener = socket.create_server((HOST, port))
        self._conversations: list[Conversation] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.host = HOST
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for conversation in self._conversations:
            conversation.end()
        for thread in self._threads[1:]:
            thread.join()

    @property
    def address(self) -> str:
        """As messages name it."""
        return f"{self.host}:{self.port}"

    def config(self, **more: Any) -> dict[str, Any]:
        """What `REDIS_CONFIG` says to use it."""
        return {"enabled": True, "host": self.host, "port": self.port, "db": 1} | more

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                conversation = Conversation(connection)
                self._conversations.append(conversation)
                self._threads.append(threading.Thread(target=self._converse, args=[conversation]))
                self._threads[-1].start()

    def _converse(self, conversation: Conversation) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._behaviour(conversation)
        conversation.end()
        conversation.close()


# --- What is no Redis


def speaks_http(conversation: Conversation) -> None:
    """A web server."""
    conversation.first_words()
    conversation.send(GREETING)


def talks_garbage(conversation: Conversation) -> None:
    """Answers what is in no protocol."""
    for _ in conversation.commands():
        conversation.send(b"\x00\xff\x7f{]\r\n\x15\r\n")


def says_nothing(conversation: Conversation) -> None:
    """Accepts and never answers."""
    conversation.say_nothing_more()


def hangs_up(conversation: Conversation) -> None:
    """Closes the connection as soon as it is there."""
    conversation.end()


def never_ends_a_line(conversation: Conversation) -> None:
    """Sends, as fast as it is read, a line that does not end."""
    conversation.first_words()
    while True:
        conversation.send(b"+" + b"a" * 65536)


# --- What might have been one


def stops_in_the_middle(conversation: Conversation) -> None:
    """Answers half of each answer."""
    for command in conversation.commands():
        if command[0].upper() in {b"HGET", b"HGETALL", b"HMGET", b"GET", b"PING"}:
            conversation.send(b"$100\r\nhalf of what")
            conversation.say_nothing_more()
        conversation.send(_usual(command))


def announces_a_huge_answer(conversation: Conversation) -> None:
    """Promises more bytes than there are, and sends none."""
    for command in conversation.commands():
        if command[0].upper() in {b"HGET", b"HGETALL", b"HMGET", b"GET"}:
            conversation.send(b"$%d\r\n" % MORE_THAN_A_REDIS_HOLDS)
            conversation.say_nothing_more()
        conversation.send(_usual(command))


def denies_access(conversation: Conversation) -> None:
    """As a Redis without a password does with strangers."""
    conversation.first_words()  # else the client may lose the answer with the connection
    conversation.send(b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n")


def refuses(error: str) -> Behaviour:
    """Lets clients come in, and answers every command with this error."""

    def behave(conversation: Conversation) -> None:
        for command in conversation.commands():
            is_entering = command[0].upper() in {b"HELLO", b"AUTH", b"SELECT", b"CLIENT"}
            conversation.send(_usual(command) if is_entering else f"-{error}\r\n".encode())

    return named(behave, error)


def refuses_writes(error: str) -> Behaviour:
    """Answers what it is asked, and every write with this error."""

    def behave(conversation: Conversation) -> None:
        for command in conversation.commands():
            is_write = command[0].upper() in {
                b"HSET",
                b"HSETNX",
                b"HDEL",
                b"SET",
                b"SETNX",
                b"DEL",
                b"EVAL",
                b"EVALSHA",
            }
            conversation.send(f"-{error}\r\n".encode() if is_write else _usual(command))

    return named(behave, error)


def named(behaviour: Behaviour, error: str) -> Behaviour:
    """Called after the code of the error."""
    behaviour.__name__ = error.split(maxsplit=1)[0].lower()
    return behaviour


def _usual(command: list[bytes]) -> bytes:
    """As an empty Redis of version 6 answers."""
    match command[0].upper():
        case b"PING":
            return b"+PONG\r\n"
        case b"HGET" | b"GET":
            return b"$-1\r\n"
        case b"HGETALL" | b"HKEYS" | b"KEYS":
            return b"*0\r\n"
        case b"HEXISTS" | b"EXISTS" | b"HSET" | b"HSETNX" | b"HDEL" | b"DEL":
            return b":0\r\n"
        case b"HELLO":
            return b"-ERR unknown command 'HELLO'\r\n"
    return b"+OK\r\n"
