"""Section 3: ownership holds for greenlets, which share one native thread."""

import subprocess
import sys

from behaviour.services import PATIENCE

PROGRAM = """
import gevent.monkey; gevent.monkey.patch_all()
import gevent
from jaseci.svc import CommonService

class Slow(CommonService):
    runs = 0
    def build_config(self, hook):
        return {"enabled": True}
    def run(self):
        self.runs += 1
        gevent.sleep(0)  # lets all the others in
        self.app = "app"

service = Slow()
greenlets = [gevent.spawn(service.start) for _ in range(20)]
gevent.joinall(greenlets, raise_error=True)
service.spawn_daemon(worker=lambda: service.stop_requested.wait(20))
gevent.sleep(0)
service.terminate_daemon("worker")
print(service.runs, service.is_running(), [daemon.alive for daemon in service.daemons()])
"""


def test_greenlets_that_start_at_once_run_once_and_daemons_end():
    """In a process of its own, since gevent patches all of it."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=3 * PATIENCE, check=False
    )
    assert (ended.stdout.strip(), ended.returncode) == ("1 True [False]", 0), ended.stderr
