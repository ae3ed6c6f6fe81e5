"""The example of settings that two processes share does what it says."""

import subprocess
import sys
from pathlib import Path

import pytest
from jaseci.svc.testing import plugin

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "shared_settings"
PATIENCE = 90  # seconds until a run is called hung; it takes two


@pytest.fixture(scope="module")
def told():
    """One run of the example as a user starts it."""
    plugin._need_a_redis_server()
    command = [sys.executable, str(EXAMPLE / "main.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def promises(lines):
    return [line for line in lines if line.startswith("[ok]")]


def test_every_promise_holds(told):
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.splitlines()[-1] == "Every promise held."
    assert "Traceback" not in told.stderr


def test_its_page_shows_what_it_promises(told):
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8").splitlines()
    assert promises(told.stdout.splitlines()) == promises(page)


def test_a_machine_without_a_redis_server_is_told_so():
    program = "from jaseci.svc.testing import redis_server; import sys, shutil; shutil.which = lambda *a, **k: None; "
    program += f"sys.path.insert(0, {str(EXAMPLE)!r}); import main; sys.exit(main.main())"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("FAILED: no Redis server to test with")
