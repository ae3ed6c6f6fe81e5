"""The oldest redis-py that the extra admits, and the newest: services, hooks and clients are the same on both."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from jaseci.svc.testing import plugin
from jaseci.svc.testing.redis_server import PrivateRedis

from installation.conftest import ROOT, Environment

# The first test to come builds the wheel, which takes minutes where nothing was compiled before.
pytestmark = pytest.mark.timeout(1200)

PROGRAM = Path(__file__).with_name("redis_client.py")
PATIENCE = 100.0  # seconds until the program is called hung


@pytest.fixture(scope="module")
def oldest(wheel, tmp_path_factory):
    """The interpreter of an environment with our wheel and the oldest redis-py."""
    path = tmp_path_factory.mktemp("oldest") / "environment"
    venv.create(path, symlinks=True)
    environment = Environment(path)
    environment.install(wheel)
    environment.install_locked(ROOT / "requirements" / "oldest.txt")
    return environment.python


@pytest.fixture(scope="module")
def newest():
    """The interpreter of the tests themselves."""
    return sys.executable


@pytest.fixture(scope="module", params=["oldest", "newest"])
def found(request):
    """What the program found with one version of redis-py."""
    plugin._need_a_redis_server()
    python = request.getfixturevalue(request.param)
    with PrivateRedis(tls=True) as server:
        command = [str(python), "-B", str(PROGRAM), json.dumps(server.config())]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) | {"asked for": request.param}


def test_the_versions_are_those_of_both_ends(found):
    assert found["version"] == "4.0.2" if found["asked for"] == "oldest" else int(found["version"].split(".")[0]) >= 8


def test_app_is_a_client_of_redis_py(found):
    assert found["client"] is True


def test_the_commands_of_the_service_answer_texts(found):
    assert found["commands"] == [True, "gr\u00fc\u00dfe", 1, 1, None, 1, "1", True, ["field"], 1]


def test_a_setting_that_a_hook_writes_is_read_by_another_and_by_the_client(found):
    assert found["settings"] == ["{}", "{}"]


def test_an_outage_keeps_the_last_value_and_ends_by_itself(found):
    assert found["outage"] == ["{}", "{}"]


@pytest.mark.parametrize("way", ["password", "user", "url", "unix socket", "unix url", "tls", "tls url", "sentinel"])
def test_a_server_is_reached(found, way):
    assert found["places"][way] is True


def test_a_key_that_is_no_option_is_refused(found):
    assert found["unknown key"] == "unknown keys for Redis: 'hots'; remove them"


def test_a_connection_that_was_closed_while_it_was_idle_is_replaced(found):
    assert found["closed while idle"] is True
