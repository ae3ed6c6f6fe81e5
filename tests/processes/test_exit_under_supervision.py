"""How an interpreter exits whose services are supervised: soon, in order, whatever the supervisor's threads are at."""

import pytest

pytestmark = pytest.mark.interpreters

SUPERVISED = """
import logging
logging.disable(logging.CRITICAL)

class Checked(Running):
    health_interval = 0.01
    health_timeout = 0.05
    backoff = (0.01, 0.02)
    restart_cap = (1000, 1.0)

    def stop(self):
        print("stopped", self._name, flush=True)
        super().stop()

def supervise(**classes):
    for name, cls in classes.items():
        MetaService().add_service_builder(name, cls)
    MetaService().supervise()
"""


def test_services_are_stopped_in_reverse_order_of_the_graph(run):
    """By the exit, as by a shutdown."""
    source = """
    class Above(Checked):
        requires = ("below",)
    supervise(above=Above, below=Checked)
    """
    assert run(SUPERVISED + "\n" + _dedented(source)).lines == ["stopped above", "stopped below"]


@pytest.mark.parametrize("busy", ["time.sleep(3600)", "while True: pass", "threading.Event().wait()"])
def test_a_check_that_hangs_does_not_hold_the_exit_up(run, busy):
    """Its thread is left behind."""
    source = f"""
    asked = threading.Event()
    class Stuck(Checked):
        restart = "never"
        def health(self):
            asked.set()
            {busy}
    supervise(stuck=Stuck, checked=Checked)
    assert asked.wait(60)
    """
    assert sorted(run(SUPERVISED + _dedented(source)).lines) == ["stopped checked", "stopped stuck"]


def test_services_that_keep_failing_do_not_hold_the_exit_up(run):
    """Whether they are being reset right now or not."""
    source = """
    tried = threading.Semaphore(0)
    class Flaky(Checked):
        def run(self):
            tried.release()
            raise OSError("no route")
    supervise(**{f"s{number}": Flaky for number in range(20)})
    for _ in range(200):
        assert tried.acquire(timeout=60)
    """
    run(SUPERVISED + _dedented(source))


def test_a_start_that_hangs_does_not_hold_the_exit_up_for_longer_than_its_timeout(run):
    """Then it is given up."""
    source = """
    begun = threading.Event()
    class Slow(Checked):
        start_timeout = 0.2
        def run(self):
            begun.set()
            time.sleep(3600)
    supervise(slow=Slow, checked=Checked)
    assert begun.is_set()
    """
    run(SUPERVISED + _dedented(source))


def test_an_exit_in_the_middle_of_supervise_ends_it(run):
    """The main thread is done, another one waits for the start."""
    source = """
    begun = threading.Event()
    class Slow(Checked):
        start_timeout = 0.5
        def run(self):
            begun.set()
            self.stop_requested.wait(60)
    waiting = threading.Thread(target=supervise, kwargs={"slow": Slow}, daemon=True)
    waiting.start()
    assert begun.wait(60)
    """
    run(SUPERVISED + _dedented(source))


def _dedented(source):
    return "\n".join(line.removeprefix("    ") for line in source.splitlines()) + "\n"
