"""The program that keeps one server for a test: `python -I -S _keeper.py <process id of the test>`.

It lives as long as its other end, at most: when the socket on its standard input closes, or the process of the test
ends in whatever way, it ends the server, removes the server's folder, and ends itself. Being a process of its own, it
breaks the way to the server at once, whatever the threads, forks or locks of the test are doing.

Orders and answers are lines of JSON. It finds two free ports and holds both until it ends, also while nobody listens:
the server's own, and the one of the link, which clients use and which can be broken.
"""

import asyncio
import collections
import contextlib
import json
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, cast

HOST = "127.0.0.1"
LOG_LINES = 200  # kept of what the server says
START_TIMEOUT = 20.0  # seconds until a server that does not say that it is ready is given up
END_TIMEOUT = 10.0  # seconds for a killed process to be gone
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def reserve_port() -> socket.socket:
    """A socket that holds a free port of the loopback interface without listening on it.

    Linux lets others listen on the port meanwhile if they set `SO_REUSEADDR`, as Redis and asyncio do, and gives it
    to nobody who asks for any free port.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((HOST, 0))
    return held


def port_of(held: socket.socket) -> int:
    """The number of a reserved port."""
    return int(held.getsockname()[1])


class End(asyncio.Protocol):
    """One of the two ends of a connection that goes over the link: what arrives here leaves at the other."""

    def __init__(self, link: "Link", other: "End | None" = None) -> None:
        self._link = link
        self._is_server = other is not None
        self._held: collections.deque[bytes] = collections.deque()
        self._task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport
        self.other = other

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._link.ends.add(self)
        if self.other is None:
            self.transport.pause_reading()
            self._task = asyncio.create_task(self._find_the_other())
            return
        self.other.other = self
        if self.other.transport.is_closing():
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._task is None and self._link.is_free(self._is_server):
            self._pass_on(data)
            return
        self._held.append(data)
        if self._task is None:
            self._task = asyncio.create_task(self._carry_what_is_held())

    def pause_writing(self) -> None:
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None:
            self.other.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._link.ends.discard(self)
        if self._task is not None:
            self._task.cancel()
        if self.other is not None:
            self.other.transport.abort()

    def _pass_on(self, data: bytes) -> None:
        if self.other is not None:
            self.other.transport.write(data)

    async def _find_the_other(self) -> None:
        try:
            await self._link.reach_server(self)
        except OSError:
            self.transport.abort()
            return
        self._task = None
        self.transport.resume_reading()

    async def _carry_what_is_held(self) -> None:
        self.transport.pause_reading()
        while self._held:
            await self._link.passage(self._is_server)
            self._pass_on(self._held.popleft())
        self._task = None
        self.transport.resume_reading()


class Link:
    """The way from clients to the server. Lives as long as the keeper, through all deaths of the server."""

    def __init__(self, port: int, target: int) -> None:
        self._port = port
        self._target = target
        self._wanted = True
        self._delay = 0.0
        self._passable = asyncio.Event()
        self._passable.set()
        self._listener: asyncio.Server | None = None
        self.ends: set[End] = set()
        self.has_server = False

    async def set(self, state: str, delay: float) -> None:
        """Makes the link "open", "cut" (connections dropped, new ones refused) or a "hole" (accepted, nothing passes).

        `delay` seconds pass before each piece of an answer.
        """
        self._delay = delay
        self._wanted = state != "cut"
        if state == "hole":
            self._passable.clear()
        else:
            self._passable.set()
        await self.settle()

    async def settle(self) -> None:
        """Listens exactly while it should: without a server, clients are refused as the server's port would do."""
        if not (self._wanted and self.has_server):
            self._close()
        elif self._listener is None:
            loop = asyncio.get_running_loop()
            self._listener = await loop.create_server(lambda: End(self), HOST, self._port, reuse_address=True)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for end in list(self.ends):
            end.transport.abort()

    def is_free(self, is_answer: bool) -> bool:
        """Whether something passes at once."""
        return self._passable.is_set() and not (is_answer and self._delay)

    async def passage(self, is_answer: bool) -> None:
        """Waits until something may pass."""
        if is_answer and self._delay:
            await asyncio.sleep(self._delay)
        await self._passable.wait()

    async def reach_server(self, client: End) -> None:
        """Makes the other end for a client's. Raises OSError if there is no way."""
        await self._passable.wait()
        if self._listener is None:
            raise ConnectionRefusedError  # accepted, but cut before its turn came
        await asyncio.get_running_loop().create_connection(lambda: End(self, client), HOST, self._target)


async def first_to_end(*coroutines: Coroutine[Any, Any, None]) -> None:
    """Runs all until one ends; the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Server:
    """The process that is kept: started, signalled, ended, started again. At most one at a time."""

    def __init__(self, link: Link, folder: Path) -> None:
        self._link = link
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._end: asyncio.Task[None] | None = None
        self.log: collections.deque[str] = collections.deque(maxlen=LOG_LINES)

    async def launch(self, command: list[str], ready: str) -> int:
        """Starts it and waits until a line of its log matches `ready`. Returns its process id.

        Raises RuntimeError with the log if it ends, or does not get ready in time.
        """
        self.log.clear()
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=die_with_keeper,
        )
        self._process = process
        is_ready = asyncio.Event()
        log = cast("asyncio.StreamReader", process.stdout)  # it is a pipe
        reading = asyncio.create_task(self._read_log(log, re.compile(ready), is_ready))
        self._end = asyncio.create_task(self._see_it_end(process, reading))
        await self._wait_until_ready(is_ready, self._end)
        self._link.has_server = not self._end.done()
        await self._link.settle()
        return process.pid

    async def _wait_until_ready(self, is_ready: asyncio.Event, end: asyncio.Task[None]) -> None:
        getting_ready = asyncio.create_task(is_ready.wait())
        await asyncio.wait({getting_ready, end}, timeout=START_TIMEOUT, return_when=asyncio.FIRST_COMPLETED)
        if is_ready.is_set():
            return
        getting_ready.cancel()
        await self.kill()
        raise RuntimeError("the server did not get ready:\n" + "\n".join(self.log))

    async def _read_log(self, log: asyncio.StreamReader, ready: re.Pattern[str], is_ready: asyncio.Event) -> None:
        async for line in log:
            self.log.append(line.decode("utf-8", "replace").rstrip())
            if ready.search(self.log[-1]):
                is_ready.set()

    async def _see_it_end(self, process: asyncio.subprocess.Process, reading: asyncio.Task[None]) -> None:
        await process.wait()
        self._link.has_server = False
        await self._link.settle()
        # A child that is still writing a snapshot keeps the log open: what matters of it is there by now.
        await asyncio.wait({reading}, timeout=0.1)
        reading.cancel()

    def signal(self, number: int) -> None:
        """Sends a signal. Raises ProcessLookupError if it is not running."""
        if self._process is None or self._end is None or self._end.done():
            raise ProcessLookupError("the server is not running")
        self._process.send_signal(number)

    async def wait(self, timeout: float) -> None:
        """Waits for its end. Raises TimeoutError after `timeout` seconds."""
        if self._end is not None:
            await asyncio.wait_for(asyncio.shield(self._end), timeout)

    async def kill(self) -> None:
        """Ends it at once, stopped or not, and waits until it is gone. None running is fine."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        await self.wait(END_TIMEOUT)


def die_with_keeper() -> None:
    """In the server, before its program begins: the kernel kills it when the keeper dies of a signal itself."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Orders:
    """What the test may ask for, each a method that takes the order's arguments."""

    def __init__(self, link: Link, server: Server) -> None:
        self._link = link
        self._server = server

    async def launch(self, command: list[str], ready: str) -> int:
        return await self._server.launch(command, ready)

    async def signal(self, number: int) -> None:
        self._server.signal(number)

    async def wait(self, timeout: float) -> None:
        await self._server.wait(timeout)

    async def kill(self) -> None:
        await self._server.kill()

    async def link(self, state: str, delay: float) -> None:
        await self._link.set(state, delay)

    async def log(self) -> list[str]:
        return list(self._server.log)

    async def obey(self, line: bytes) -> dict[str, Any]:
        """Carries out one order; what goes wrong is part of the answer."""
        order = json.loads(line)
        try:
            return {"done": await getattr(self, order.pop("do"))(**order)}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}


async def parent_has_ended(parent: int) -> None:
    """Returns when the process of that id has ended. Its forked children may hold the other end of the socket longer."""
    if os.getppid() != parent:
        return
    if not hasattr(os, "pidfd_open"):
        await asyncio.Event().wait()
    has_ended = asyncio.Event()
    descriptor = os.pidfd_open(parent)
    asyncio.get_running_loop().add_reader(descriptor, has_ended.set)
    try:
        await has_ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


@contextlib.asynccontextmanager
async def kept(link_port: int, port: int, folder: Path) -> AsyncIterator[Orders]:
    """A link and a server; both are gone afterwards."""
    link = Link(link_port, port)
    server = Server(link, folder)
    try:
        yield Orders(link, server)
    finally:
        await server.kill()
        await link.set("cut", 0)


async def keep(parent: int) -> None:
    """Everything, from the first word to the end."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(0)))

    def say(answer: dict[str, Any]) -> None:
        writer.write(json.dumps(answer).encode() + b"\n")

    async def take_orders(obey: Callable[[bytes], Coroutine[Any, Any, dict[str, Any]]]) -> None:
        with contextlib.suppress(OSError):
            async for line in reader:
                say(await obey(line))

    with reserve_port() as link_port, reserve_port() as port, tempfile.TemporaryDirectory(prefix="redis-") as name:
        async with kept(port_of(link_port), port_of(port), Path(name)) as orders:
            say({"port": port_of(link_port), "direct_port": port_of(port), "folder": name})
            await first_to_end(take_orders(orders.obey), parent_has_ended(parent))


if __name__ == "__main__":
    asyncio.run(keep(int(sys.argv[1])))
