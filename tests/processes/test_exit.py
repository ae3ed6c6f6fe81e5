"""How an interpreter with services in it exits: with its own code, in order, and soon."""

import signal

import pytest

pytestmark = pytest.mark.interpreters

BUSY_SERVICE = """
service = Running().start()
service.spawn_daemon(worker=service.stop_requested.wait)
"""


def test_the_code_given_to_sys_exit_is_kept(run):
    """3 stays 3."""
    run(BUSY_SERVICE + "sys.exit(3)", code=3)


def test_an_uncaught_exception_ends_with_1(run):
    """And its traceback is the last thing told."""
    assert run(BUSY_SERVICE + "raise ValueError('mine')", code=1).err.endswith("ValueError: mine\n")


@pytest.mark.parametrize(
    "waits", ["own.start()", "own.app", "own.stop_requested.wait()", "MetaService().events().next()"]
)
def test_the_users_own_threads_may_be_waiting(run, waits):
    """Daemon threads that wait for a start that does not end, for a stop, for an event."""
    source = f"""
    import logging
    logging.disable(logging.CRITICAL)
    running, started = threading.Event(), threading.Semaphore(0)

    class Slow(Running):
        def run(self):
            running.set()
            time.sleep(3600)

    Slow.start_timeout = 0.5
    own = Slow() if "own.stop" not in {waits!r} else Running()
    if isinstance(own, Slow):
        threading.Thread(target=own.start, daemon=True).start()
        running.wait()

    def wait():
        started.release()
        {waits}

    for _ in range(20):
        threading.Thread(target=wait, daemon=True).start()
    for _ in range(20):
        started.acquire()
    """
    run(source)


def test_services_stop_in_reverse_order_of_start_before_what_was_registered_earlier(run):
    """`atexit` calls the last first: handlers registered after the import still see everything run."""
    source = """
    import atexit

    class Told(Running):
        def stop(self):
            print("stops", self._name, self.is_running())
            super().stop()

    meta = MetaService()
    for name in ("first", "second"):
        meta.add_service_builder(name, Told)
        meta.get_service(name).start()
    atexit.register(lambda: print("handler", meta.get_service("first").is_running()))
    """
    assert run(source).lines == ["handler True", "stops second True", "stops first True"]


def test_a_handler_registered_before_the_import_finds_everything_stopped(run):
    """It is called last; a start is refused there, with the reason."""
    source = """
    import subprocess
    program = '''
import atexit
services = []
def last():
    print(services[0].state.name)
    try:
        services[0].start()
    except Exception as error:
        print(type(error).__name__)
atexit.register(last)
from jaseci.svc import CommonService
class Running(CommonService):
    def build_config(self, hook):
        return {"enabled": True}
    def run(self):
        self.app = 1
services.append(Running().start())
'''
    print(subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True).stdout, end="")
    """
    assert run(source).lines == ["NOT_STARTED", "RuntimeClosed"]


def test_a_stop_that_raises_keeps_nobody_from_stopping(run):
    """It is logged and the next goes on."""
    source = """
    class Raising(Running):
        def stop(self):
            raise RuntimeError("no")

    class Told(Running):
        def stop(self):
            print("stopped")
            super().stop()

    services = [Told().start(), Raising().start()]
    """
    ended = run(source)
    assert ended.lines == ["stopped"]
    assert "Raising.stop() raised RuntimeError: no" in ended.err


def test_an_observer_sees_the_stops_of_the_exit(run):
    """Its thread is joined after the last event."""
    source = """
    service = Running()
    seen = MetaService().subscribe(lambda event: print(event.service, event.after.name, flush=True))
    service.start()
    """
    assert [line for line in run(source).lines if line.startswith("Running")] == [
        "Running STARTED",
        "Running RUNNING",
        "Running NOT_STARTED",
    ]


@pytest.mark.parametrize(
    "waits", ["held.start()", "held.app", "held.reset()", "held.stop_requested.wait()", "MetaService().events().next()"]
)
def test_ctrl_c_interrupts_the_main_thread_wherever_it_waits(run, waits):
    """KeyboardInterrupt comes out of a wait of ours at once, though nothing else would end it."""
    source = f"""
    import signal
    running, over = threading.Event(), threading.Event()

    class Held(Running):
        start_timeout = 3600.0
        def run(self):
            running.set()
            over.wait()

    held = Held()
    threading.Thread(target=held.start, daemon=True).start()
    running.wait()

    def interrupt():
        time.sleep(0.2)  # until the main thread waits; too early interrupts it before that, which is as good
        os.kill(os.getpid(), signal.SIGINT)

    try:
        threading.Thread(target=interrupt).start()
        {waits}
    except KeyboardInterrupt:
        print("interrupted")
    over.set()
    """
    assert run(source).lines == ["interrupted"]


def test_ctrl_c_in_run_fails_the_service_and_ends_the_program(run):
    """KeyboardInterrupt is no Exception: FAILED, and it propagates."""
    source = """
    import atexit, signal

    class Interrupted(Running):
        def run(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(3600)

    service = Interrupted()
    atexit.register(lambda: print(service.state.name))
    service.start()
    """
    assert run(source, code=-signal.SIGINT).lines == ["FAILED"]


def test_a_shutdown_of_the_users_own_leaves_the_exit_nothing_to_do(run):
    """Each service is stopped once."""
    source = """
    class Told(Running):
        def stop(self):
            print("stopped")
            super().stop()

    service = Told().start()
    MetaService().shutdown()
    """
    assert run(source).lines == ["stopped"]
