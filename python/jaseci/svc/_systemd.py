"""What systemd is told, where it asks: that a program is ready, that it stops, that its supervisor lives.

The protocol is that of sd_notify(3): datagrams to the socket that ``NOTIFY_SOCKET`` names. Without that variable nothing happens.
"""

import logging
import os
import socket

from jaseci.svc._core import clock_now
from jaseci.svc._log import describe, report

SEND_TIMEOUT = 1.0
"""How long a message may wait for room in systemd's queue, in seconds."""

READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"


def notify(message: str) -> bool:
    """Sends systemd a message if it listens; whether it was sent. A failure is logged."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(SEND_TIMEOUT)
            # An "@" stands for the null byte that a name in the abstract namespace begins with.
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.send(message.encode())
    except OSError as error:
        report(logging.WARNING, f"systemd is not told {message}, NOTIFY_SOCKET is {address!r}: {describe(error)}")
        return False
    return True


class Heart:
    """Tells systemd's watchdog, twice in its interval, that whoever calls ``beat`` is alive."""

    def __init__(self, interval: float) -> None:
        self.pause = interval / 2
        self._due = 0.0

    def beat(self, wake: int | None) -> int | None:
        """Sends the sign of life if it is due. Returns when to call again, or ``wake`` if that is earlier; both by the
        supervisor's clock, in nanoseconds."""
        now = clock_now()
        if now >= self._due:
            notify(ALIVE)
            self._due = now + self.pause
        due = int(self._due * 1e9)
        return due if wake is None else min(wake, due)


def wanted_heart() -> Heart | None:
    """The heart that systemd asks this process for (``WATCHDOG_USEC``, ``WATCHDOG_PID``); None if it asks for none."""
    interval = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", "")
    if not os.environ.get("NOTIFY_SOCKET") or not interval or (pid and pid != str(os.getpid())):
        return None
    if not (interval.isascii() and interval.isdigit() and int(interval) > 0):
        report(
            logging.WARNING, f"systemd's watchdog gets no signs of life: WATCHDOG_USEC is {interval!r}, no microseconds"
        )
        return None
    return Heart(int(interval) / 1e6)
