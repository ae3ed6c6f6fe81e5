"""Programs of these tests, which do not outlive them."""

import pytest

from supervised.program import Program, Systemd, python


@pytest.fixture
def started():
    """Starts a command: ``started(command, environment=None, folder=None)``."""
    programs = []

    def start(command, environment=None, folder=None):
        programs.append(Program(command, environment, folder))
        return programs[-1]

    yield start
    for program in programs:
        program.kill()


@pytest.fixture
def systemd(tmp_path):
    """Stands in for systemd."""
    listener = Systemd(str(tmp_path / "notify"))
    yield listener
    listener.close()


@pytest.fixture
def run(started, systemd):
    """Starts a program of these pieces, which tells `systemd`: ``run(*sources, **environment)``."""

    def run_source(*sources, **environment):
        return started(python(*sources), {**systemd.environment, **environment})

    return run_source
