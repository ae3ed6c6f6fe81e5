"""What tests of whole processes share: running a program to its end, with all that it said when it did not end well."""

import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass

import pytest

PATIENCE = 90.0  # seconds until a program is called hung; the slowest takes about ten
LAST_WORDS = 10.0  # seconds for the stacks of a hung program

# What the programs have in common: a service that runs, and one place for what each wants to be different.
PRELUDE = """
import os, sys, threading, time
from jaseci.svc import CommonService, MetaService, ServiceState

class Running(CommonService):
    daemon_grace = 0.2
    def build_config(self, hook):
        return {"enabled": True, "quiet": True}
    def run(self):
        self.app = object()
"""


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()


def _run(path, arguments, environment):
    command = [sys.executable, "-X", "faulthandler", str(path), *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as program:
        try:
            out, err = program.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGABRT)  # faulthandler writes the stacks of all threads
            try:
                out, err = program.communicate(timeout=LAST_WORDS)
            except subprocess.TimeoutExpired:
                program.kill()
                out, err = program.communicate()
            pytest.fail(f"the program hung for {PATIENCE} s\n{_told(out, err)}")
    return Ended(program.returncode, out, err)


def _told(out, err):
    return f"--- stdout\n{out}\n--- stderr\n{err}"


@pytest.fixture
def run(tmp_path):
    """Runs a program and expects how it ends: ``run(source, code=0)``. Nothing of it may be fatal to the interpreter.

    What the program said, its children included, is shown with a test that fails.
    """

    def run_source(source, *arguments, code=0, environment=None):
        path = tmp_path / "program.py"
        path.write_text(PRELUDE + textwrap.dedent(source), encoding="utf-8")
        ended = _run(path, arguments, environment)
        told = _told(ended.out, ended.err)
        sys.stdout.write(told)  # for a test that fails on what was said
        assert ended.code == code, f"it ended with {ended.code}, not {code}\n{told}"
        assert "Fatal" not in ended.err, told
        assert "panicked" not in ended.err, told
        return ended

    return run_source
