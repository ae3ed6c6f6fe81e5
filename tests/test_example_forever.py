"""The example of a program that consists of services."""

import sys
from pathlib import Path

from supervised.program import Program

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "forever" / "main.py"


def test_it_does_what_its_page_shows():
    """Ctrl-C stops the worker before its queue."""
    source = f"""
import os, runpy, signal, threading
from jaseci.svc import MetaService, ServiceState
def interrupt(event):
    if event.service == "worker" and event.after is ServiceState.RUNNING:
        os.kill(os.getpid(), signal.SIGINT)
MetaService().subscribe(interrupt)
runpy.run_path({str(EXAMPLE)!r}, run_name="__main__")
"""
    program = Program([sys.executable, "-c", source])
    try:
        assert program.ends(0) == [
            "Ctrl-C stops it in order, twice ends it at once.",
            "worker stopped",
            "queue stopped",
            "Everything is stopped.",
        ]
    finally:
        program.kill()
