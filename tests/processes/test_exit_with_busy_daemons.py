"""An interpreter that exits while fifty daemons are busy: code 0, no hang, no abort, whatever they are at."""

import pytest

pytestmark = pytest.mark.interpreters

# Each is what one daemon does, and does not come back from by itself.
BUSY = {
    "waits_for_the_stop_request": "service.stop_requested.wait()",
    "polls_the_stop_request": """
        while not service.stop_requested:
            sum(range(100))
    """,
    "never_looks_at_the_stop_request": """
        while True:
            sum(range(100))
    """,
    "catches_what_interrupts_it": """
        while True:
            try:
                while True:
                    sum(range(100))
            except BaseException:
                pass
    """,
    "is_stuck_in_a_c_call": "time.sleep(3600)",
    "calls_native_methods": """
        while True:
            try:
                service.is_running(), service.state, service.config, service.error, service.daemons(), repr(service)
                service.stop_requested.is_set(), MetaService().get_service("shared"), service.app
            except BaseException:
                pass
    """,
    "waits_in_short_slices": """
        reader = MetaService().events()
        while True:
            try:
                reader.next(0.0005)
            except BaseException:
                pass
    """,
    "builds_and_starts_services": """
        while True:
            try:
                Running().start().poke()
            except BaseException:
                pass
    """,
    "replaces_its_app": """
        mine = Running()
        while True:
            try:
                mine.app = Noisy()
            except BaseException:
                pass
    """,
    "replaces_what_else_it_refers_to": """
        class NoisyError(Exception, Noisy):
            pass
        mine = Running()
        while True:
            try:
                mine.config = Noisy()
                mine.kube = Noisy()
                mine.error = NoisyError()
            except BaseException:
                pass
    """,
    "drops_services_with_their_apps": """
        while True:
            try:
                OfNoisy().start()
            except BaseException:
                pass
    """,
    "resets_a_service": """
        mine = OfNoisy()
        while True:
            try:
                mine.reset()
            except BaseException:
                pass
    """,
    "fails_to_start_a_service": """
        while True:
            try:
                mine = Failing()
                mine.start()
                mine.reset()
            except BaseException:
                pass
    """,
    "constructs_a_service_by_getting_it": """
        class Endless(Running):
            def __init__(self, *args, **kwargs):
                while True:
                    try:
                        sum(range(100))
                    except BaseException:
                        pass
        mine = str(threading.get_ident())
        MetaService().add_service_builder(mine, Endless)
        MetaService().get_service(mine, 1, named=2)
    """,
    "runs_a_service_by_starting_it": """
        class Endless(Running):
            start_timeout = 0.05
            def run(self):
                while True:
                    try:
                        sum(range(100))
                    except BaseException:
                        pass
        Endless().start()
    """,
    "builds_settings_by_constructing": """
        class Endless(Running):
            def build_config(self, hook):
                while True:
                    try:
                        sum(range(100))
                    except BaseException:
                        pass
        Endless(object())
    """,
    "runs_a_service_by_reading_its_app": """
        class Slow(Running):
            start_timeout = 0.05
            def run(self):
                entered.release()
                while True:
                    try:
                        sum(range(100))
                    except BaseException:
                        pass
        Slow().app
    """,
}

FIFTY = """
import logging, textwrap
logging.disable(logging.CRITICAL)
sys.setswitchinterval(0.0002)  # fifty threads want their turn before the exit gets on

class Noisy:
    def __del__(self):
        for number in range(300):
            number + 1

class OfNoisy(Running):
    def run(self):
        self.app = Noisy()

class Failing(Running):
    def run(self):
        kept_by_the_traceback = Noisy()
        raise RuntimeError("as always")

MetaService().add_service_builder("shared", Running)
MetaService().get_service("shared").start()
entered = threading.Semaphore(0)
exec("def target(service):\\n    entered.release()\\n" + textwrap.indent(textwrap.dedent(sys.argv[1]), "    "))
services = [Running() for _ in range(5)]
for service in services:
    service.start()
    for number in range(50 // len(services)):
        service.spawn_daemon(**{f"busy{number}": lambda service=service: target(service)})
for _ in range(50):
    entered.acquire()
"""


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY.keys())
def test_fifty_busy_daemons_do_not_disturb_the_exit(run, busy):
    """Code 0, and nothing fatal."""
    run(FIFTY, busy)


@pytest.mark.parametrize("busy", BUSY.values(), ids=BUSY.keys())
def test_fifty_busy_threads_of_the_users_own_do_not_disturb_the_exit(run, busy):
    """The same on threads that the runtime knows nothing of, and so neither stops nor joins."""
    source = FIFTY.split("services =", maxsplit=1)[0]
    source += """
service = Running().start()
for _ in range(50):
    threading.Thread(target=target, args=(service,), daemon=True).start()
for _ in range(50):
    entered.acquire()
"""
    run(source, busy)


def test_a_daemon_that_is_given_up_is_named(run):
    """Who does not stop within the two grace periods is logged."""
    source = """
    service = Running()
    service.start()
    service.spawn_daemon(stubborn=lambda: time.sleep(3600))
    """
    assert "Running/stubborn did not stop" in run(source).err


def test_a_daemon_that_stops_when_asked_finishes_its_work(run):
    """The exit joins it."""
    source = """
    service = Running()
    service.daemon_grace = 30
    service.start()
    def work():
        service.stop_requested.wait()
        for _ in range(10):
            time.sleep(0.01)
        print("finished", flush=True)
    service.spawn_daemon(worker=work)
    """
    assert run(source).lines == ["finished"]
