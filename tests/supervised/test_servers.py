"""Services under servers: uvicorn, gunicorn with four workers that are forked from a loaded application, Celery's prefork."""

import os
import re
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from supervised.program import PATIENCE, PRELUDE, python

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
BOTH = pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT], ids=lambda signum: signum.name)


def get(address):
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        return answer.read().decode()


def module(name, *arguments):
    """The command that runs a module, with its errors among what it says."""
    return ["sh", "-c", 'exec "$0" "$@" 2>&1', sys.executable, "-m", name, *arguments]


def address_in(line):
    return re.search(r"http://[\d.]+:\d+", line)[0]


# --- uvicorn


@pytest.fixture
def uvicorn(started):
    """The example under uvicorn, and its address."""
    program = started(module("uvicorn", "--app-dir", str(EXAMPLES / "asgi"), "--port", "0", "app:app"))
    return program, address_in(program.hears("INFO:     Uvicorn running on"))


@BOTH
def test_under_uvicorn_services_live_as_long_as_the_server(uvicorn, signum):
    """It ends as it always does: of SIGTERM, and normally by SIGINT."""
    program, address = uvicorn
    assert get(f"{address}/Ada") == "Hello, Ada!"
    program.gets(signum)
    lines = program.ends(-signal.SIGTERM if signum == signal.SIGTERM else 0)
    assert lines.index("letters stopped") < lines.index("greetings stopped")


def test_uvicorn_does_not_start_when_services_cannot_be_supervised(started, tmp_path):
    """It says why, and ends with its own code for that."""
    (tmp_path / "app.py").write_text(
        PRELUDE + "class Lonely(Running):\n    requires = ('nobody',)\nregister(lonely=Lonely)\n"
        "from jaseci.svc.asgi import Supervised\nasync def answer(*_): pass\napp = Supervised(answer)\n"
    )
    program = started(module("uvicorn", "--app-dir", str(tmp_path), "--port", "0", "app:app"))
    lines = program.ends(3)
    assert any('service "lonely" requires "nobody"' in line for line in lines)


# --- gunicorn


def gunicorn(started, *arguments):
    """The example under gunicorn, its address, and its workers' process ids."""
    example = str(EXAMPLES / "gunicorn")
    program = started(module("gunicorn", "--bind", "127.0.0.1:0", *arguments, "app:app"), folder=example)
    address = address_in(program.hears(containing="Listening at"))
    return program, address, {worker_booted(program) for _ in range(4)}


def worker_booted(program):
    """The process id of the next worker that has its services; before, gunicorn has it ended by the system."""
    return int(re.search(r"\[(\d+)\]", program.hears(containing="services started"))[1])


def stopped_in(lines):
    """The processes that have stopped their service. They share a pipe: one may begin before another has ended its line."""
    return {int(pid) for pid in re.findall(r"counter stopped in (\d+)", "\n".join(lines))}


def is_own(answer):
    """Whether the worker that has answered has a service of its own."""
    worker, service = re.fullmatch(r"worker (\d+), service of (\d+)\n", answer).groups()
    return worker == service


@BOTH
def test_under_gunicorn_each_worker_has_services_of_its_own(started, signum):
    """They answer, and each stops what it has started, when the server ends."""
    program, address, workers = gunicorn(started)
    assert all(is_own(get(address)) for _ in range(20))
    program.gets(signum)
    assert stopped_in(program.ends(0)) == workers


def test_a_worker_that_dies_is_replaced_by_one_with_services(started):
    """The other three go on."""
    program, address, workers = gunicorn(started)
    assert is_own(get(address))
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)
    replacement = worker_booted(program)
    assert is_own(get(address))
    program.gets(signal.SIGTERM)
    assert stopped_in(program.ends(0)) == workers - {victim} | {replacement}


def test_under_gunicorn_services_that_run_before_the_fork_are_the_masters(started, tmp_path):
    """Workers neither use nor stop them; they start their own."""
    example = EXAMPLES / "gunicorn"
    (tmp_path / "app.py").write_text(
        (example / "app.py").read_text() + '\nMetaService().get_service("counter").start()\n'
    )
    (tmp_path / "gunicorn.conf.py").write_text((example / "gunicorn.conf.py").read_text())
    program = started(module("gunicorn", "--bind", "127.0.0.1:0", "app:app"), folder=str(tmp_path))
    address = address_in(program.hears(containing="Listening at"))
    workers = {worker_booted(program) for _ in range(4)}
    assert all(is_own(get(address)) for _ in range(20))
    program.gets(signal.SIGTERM)
    assert stopped_in(program.ends(0)) == workers | {program.pid}


# --- Celery

CELERY = """
import json
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready

class Own(Running):
    fork_safe = False
    def run(self):
        self.app = os.getpid()
    def stop(self):
        CommonService.stop(self)
        say("stopped in", os.getpid())

register(own=Own)
if {in_parent}:
    meta.get_service("own").start()

app = Celery("app", broker="filesystem://")
app.conf.update(
    broker_transport_options={{name: {folder!r} for name in ("data_folder_in", "data_folder_out", "control_folder")}},
    worker_redirect_stdouts=False,
)

@worker_process_init.connect
def begin(**_):
    MetaService().supervise(timeout=3)
    say("child", os.getpid())

@worker_process_shutdown.connect
def end(**_):
    MetaService().shutdown(timeout=5)

@app.task
def where():
    say("task", os.getpid(), meta.get_service("own").poke())

@worker_ready.connect
def ask(**_):
    for _ in range({tasks}):
        where.delay()

app.worker_main(["worker", "--pool=prefork", "--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"])
"""


# Celery itself takes some seconds to end: not every combination.
@pytest.mark.parametrize(
    ("in_parent", "signum"),
    [(False, signal.SIGTERM), (True, signal.SIGINT)],
    ids=["started_in_the_child", "running_before_the_fork"],
)
def test_each_child_of_celerys_prefork_has_services_of_its_own(started, tmp_path, signum, in_parent):
    """Its tasks use them, and it stops them when it ends."""
    tasks = 8
    program = started(python(CELERY.format(folder=str(tmp_path), tasks=tasks, in_parent=in_parent)))
    told = [program.hears(("child", "task")).split() for _ in range(2 + tasks)]
    children = {line[1] for line in told if line[0] == "child"}
    assert all(line[1] == line[2] in children for line in told if line[0] == "task")
    program.gets(signum)
    stopped = {line.split()[-1] for line in program.ends(0) if line.startswith("stopped in")}
    assert stopped == children | ({str(program.pid)} if in_parent else set())
