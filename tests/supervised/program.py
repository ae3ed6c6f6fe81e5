"""A program that a test starts, listens to, and sends signals to."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import textwrap
import threading

import pytest

PATIENCE = 20.0  # seconds until a program is called hung; the slowest takes a few

# What the programs have in common: services that say what they do.
PRELUDE = r"""
import os, signal, sys, threading, time
from jaseci.svc import CommonService, MetaService

def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")  # in one piece, whoever else says something
    sys.stdout.flush()

class Running(CommonService):
    daemon_grace = 0.2
    def build_config(self, hook):
        return {"enabled": True, "quiet": True}
    def run(self):
        self.app = object()
    def stop(self):
        super().stop()
        say("stopped", self._name)

meta = MetaService()
def register(**classes):
    for name, cls in classes.items():
        meta.add_service_builder(name, cls)
"""


class Program:
    """A process whose standard output is read line by line. Lives until it has ended, at the latest with the test."""

    def __init__(self, command, environment=None, folder=None):
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.lines = []
        self._said = queue.SimpleQueue()
        self.err = ""
        self._readers = [threading.Thread(target=read) for read in (self._read_lines, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read_lines(self):
        for line in self._process.stdout:
            self._said.put(line.rstrip("\n"))
        self._said.put(None)

    def _read_errors(self):
        for line in self._process.stderr:
            self.err += line

    def hears(self, start="", containing=""):
        """The next line that begins so (or in one of these ways) and contains that; waits for it."""
        wanted = start or containing
        while (line := self._next_line(f"{wanted!r} was not said")) is not None:
            if line.startswith(start) and containing in line:
                return line
        return self._fail(f"it ended without saying {wanted!r}")

    def _next_line(self, complaint):
        try:
            line = self._said.get(timeout=PATIENCE)
        except queue.Empty:
            return self._fail(complaint)
        if line is not None:
            self.lines.append(line)
        return line

    def gets(self, *signums):
        """Sends it signals."""
        for signum in signums:
            self._process.send_signal(signum)

    def ends(self, code=0):
        """Waits for its end, with this code; returns all lines that it has said."""
        try:
            ended_with = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._fail("it hung")
        while self._next_line("somebody has its output") is not None:
            pass
        for reader in self._readers:
            reader.join(PATIENCE)
        if ended_with != code:
            self._fail(f"it ended with {ended_with}, not {code}")
        if "Fatal" in self.err or "panicked" in self.err:
            self._fail("it ended badly")
        return self.lines

    def _fail(self, complaint):
        self.kill()
        said = "\n".join(self.lines)
        pytest.fail(f"{complaint}\n--- stdout\n{said}\n--- stderr\n{self.err}")

    def kill(self):
        """Ends it and all its children, if they are there."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join()
        self._process.stdout.close()
        self._process.stderr.close()


class Systemd:
    """What a program tells systemd, in place of which a test listens."""

    def __init__(self, address):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(PATIENCE)
        self._socket.bind(address)
        self.environment = {"NOTIFY_SOCKET": address.replace("\0", "@")}

    def hears(self, message):
        """Waits for a message; returns those before it."""
        before = []
        while (got := self._socket.recv(4096).decode()) != message:
            before.append(got)
        return before

    def close(self):
        self._socket.close()


def python(*sources):
    """The command that runs a program of these pieces."""
    return [sys.executable, "-X", "faulthandler", "-c", PRELUDE + "\n".join(map(textwrap.dedent, sources))]
