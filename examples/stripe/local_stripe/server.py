"""The server process: `python server.py FD` serves the Stripe API on the open socket FD.

`python -m localstripe.server` would do as well, but it listens on every interface, and writes its state to a fixed
file in the temporary folder. Here it stays on the socket that it is given, and in memory.
"""

import os
import socket
import sys
import threading


def serve(listener: socket.socket) -> None:
    """Answer requests on `listener` until SIGTERM."""
    # Imported here so that whatever is missing is told on stderr after the lifeline is tied.
    from aiohttp import web
    from localstripe import resources, server

    resources.Store.dump_to_disk = lambda _: None
    web.run_app(server.app, sock=listener, print=None, access_log=None, shutdown_timeout=1.0)


def end_with_the_parent() -> None:
    """Wait for the end of stdin, which the parent holds open while it lives, and leave."""
    # The plain system call: a thread inside sys.stdin would hold its lock when the interpreter ends, which aborts.
    os.read(0, 1)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_parent, name="lifeline", daemon=True).start()
    serve(socket.socket(fileno=int(sys.argv[1])))
