"""A fork in the middle of anything: the child works as specified, the parent is untouched."""

import pytest

pytestmark = pytest.mark.interpreters

# `forked(work)` runs `work` in a child, prints what it saw, and how the child ended: by SIGALRM, with its stacks on
# stderr, if it hung.
FORKING = """
import faulthandler, gc, multiprocessing, signal, socket, traceback, warnings
from concurrent.futures import ThreadPoolExecutor

warnings.simplefilter("ignore", DeprecationWarning)
faulthandler.register(signal.SIGALRM, all_threads=True, chain=True)
PARENT = os.getpid()

def forked(work, leave=os._exit):
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        code = 1
        try:
            print("child:", work(), flush=True)
            code = 0
        except BaseException:
            traceback.print_exc()
        leave(code)
    return pid

def join(pid):
    print("child ended with", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)

class Worker(Running):
    def post_run(self):
        self.spawn_daemon(worker=self.work)
    def work(self):
        self.stop_requested.wait()

class Slow(Running):
    runs = 0
    def run(self):
        self.runs += 1
        if os.getpid() == PARENT:
            entered.set()
            go.wait()
        self.app = os.getpid() == PARENT

entered, go = threading.Event(), threading.Event()
"""

DAEMONS = """
service = Worker().start()
def work():
    before = service.state.name, [daemon.alive for daemon in service.daemons()]
    service.poke()
    return *before, service.state.name, [daemon.alive for daemon in service.daemons()]
join(forked(work))
print("parent:", service.state.name, [daemon.alive for daemon in service.daemons()])
service.stop()
print("parent:", [daemon.alive for daemon in service.daemons()])
"""

# The connection is one of those that say goodbye when they are dropped.
CONNECTION = """
server = socket.create_server(("127.0.0.1", 0))
server.settimeout(20)
class Connection:
    def __init__(self):
        self.socket = socket.create_connection(server.getsockname())
    def __del__(self):
        self.socket.sendall(b"bye;")
        self.socket.close()
class Client(Running):
    fork_safe = False
    def run(self):
        self.app = Connection()
        self.app.socket.sendall(b"hello;")
    def stop(self):
        self.app.socket.sendall(b"quit;")
        super().stop()
client = Client().start()
subscription = MetaService().subscribe(lambda event: None)
peer, _ = server.accept()
print("parent:", peer.recv(100))
peer.setblocking(False)
def work():
    before = client.state.name, client.is_ready()
    if "use" in sys.argv:
        client.poke()
    gc.collect()
    return *before, client.state.name
join(forked(work, sys.exit if "atexit" in sys.argv else os._exit))
try:
    print("parent: it got", peer.recv(100))
except BlockingIOError:
    print("parent: it got nothing")
client.poke().socket.sendall(b"ping;")
peer.setblocking(True)
print("parent:", client.state.name, peer.recv(100))
if "use" in sys.argv:
    other, _ = server.accept()
    with other.makefile("rb") as said:
        print("parent: the other one got", said.read())
sys.stdout.flush()
"""


@pytest.fixture
def fork(run):
    """Runs a program that forks, and returns what it printed."""
    return lambda source, *arguments: run(FORKING + source, *arguments).lines


def test_daemons_end_with_the_fork_in_the_child_only(fork):
    """A service with daemons is NOT_STARTED in the child, starts again there on use, and goes on in the parent."""
    assert fork(DAEMONS) == [
        "child: ('NOT_STARTED', [False], 'RUNNING', [True])",
        "child ended with 0",
        "parent: RUNNING [True]",
        "parent: [False]",
    ]


@pytest.mark.parametrize("exit_by", ["_exit", "atexit"])
def test_a_connection_of_the_parent_is_left_alone(fork, exit_by):
    """What the child does not use it neither closes nor speaks on, not even when its interpreter exits in order."""
    assert fork(CONNECTION, exit_by) == [
        "parent: b'hello;'",
        "child: ('NOT_STARTED', True, 'NOT_STARTED')",
        "child ended with 0",
        "parent: it got nothing",
        "parent: RUNNING b'ping;'",
    ]


@pytest.mark.parametrize(("exit_by", "said"), [("_exit", "hello;"), ("atexit", "hello;quit;bye;")])
def test_a_child_that_uses_the_service_has_a_connection_of_its_own(fork, exit_by, said):
    """The child's start makes a new connection, which the child's exit ends; the parent's goes on."""
    assert fork(CONNECTION, exit_by, "use") == [
        "parent: b'hello;'",
        "child: ('NOT_STARTED', True, 'RUNNING')",
        "child ended with 0",
        "parent: it got nothing",
        "parent: RUNNING b'ping;'",
        f"parent: the other one got b'{said}'",
    ]


def test_other_running_services_stay_as_they_are(fork):
    """A service without daemons, safe to share, is RUNNING in the child with the same app."""
    program = """
service = Running().start()
app = service.app
join(forked(lambda: (service.state.name, service.app is app)))
"""
    assert fork(program) == ["child: ('RUNNING', True)", "child ended with 0"]


def test_a_stopped_service_stays_stopped(fork):
    """Reading the app of a stopped service starts nothing in the child either; start does."""
    program = """
service = Worker().start()
service.stop()
join(forked(lambda: (service.app, service.state.name, service.start().state.name)))
"""
    assert fork(program) == ["child: (None, 'NOT_STARTED', 'RUNNING')", "child ended with 0"]


# Others wait for the start: their stacks say when all are there.
STARTING = """
service = Slow()
threads = [threading.Thread(target=service.start) for _ in range(int(sys.argv[1]))]
def waiting():
    frames = sys._current_frames()
    return sum(frames[thread.ident].f_code.co_name == "start" for thread in threads)
threads[0].start()
entered.wait()
for thread in threads[1:]:
    thread.start()
while waiting() < len(threads) - 1:
    time.sleep(0.001)
join(forked(lambda: (service.state.name, service.app, service.state.name, service.start().runs)))
print("parent:", service.state.name)
go.set()
for thread in threads:
    thread.join()
print("parent:", service.state.name, service.app, service.runs)
"""


@pytest.mark.parametrize("threads", [1, 9], ids=["alone", "with_others_waiting"])
def test_a_run_of_another_thread_is_forgotten(fork, threads):
    """In the child the service is NOT_STARTED and starts at once; in the parent the run ends as if nothing had been."""
    assert fork(STARTING, str(threads)) == [
        "child: ('NOT_STARTED', False, 'RUNNING', 2)",
        "child ended with 0",
        "parent: STARTED",
        "parent: RUNNING True 1",
    ]


def test_a_construction_of_another_thread_is_forgotten(fork):
    """The child constructs what another thread was constructing in get_service; the parent's construction goes on."""
    program = """
class Built(Running):
    def build_config(self, hook):
        if os.getpid() == PARENT:
            entered.set()
            go.wait()
        return super().build_config(hook)
MetaService().add_service_builder("built", Built)
with ThreadPoolExecutor() as threads:
    first = threads.submit(MetaService().get_service, "built")
    entered.wait()
    join(forked(lambda: MetaService().get_service("built").start().state.name))
    go.set()
    print("parent:", first.result() is MetaService().get_service("built"))
"""
    assert fork(program) == ["child: RUNNING", "child ended with 0", "parent: True"]


USES = {"start": "service.start()", "reading_app": "service.app", "reset": "service.reset()"}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_reset_of_another_thread_is_forgotten(fork, use):
    """A fork while a reset reads settings: on use the child's service reads them and starts; the parent's reset ends."""
    program = """
class Resetting(Running):
    constructed = 0
    def build_config(self, hook):
        type(self).constructed += 1
        if self.constructed == 2 and os.getpid() == PARENT:
            entered.set()
            go.wait()
        return super().build_config(hook) | {"key": "value"}
service = Resetting().start()
thread = threading.Thread(target=service.reset)
thread.start()
entered.wait()
def work():
    before = service.state.name
    exec(sys.argv[1])
    return before, service.state.name, service.config, service.constructed
join(forked(work))
go.set()
thread.join()
print("parent:", service.state.name, service.constructed)
"""
    assert fork(program, use) == [
        "child: ('NOT_STARTED', 'RUNNING', {'key': 'value'}, 3)",
        "child ended with 0",
        "parent: RUNNING 2",
    ]


# One thread starts the service, another comes to wait for it, in the parent at the fork and then in the child. What the
# runtime does before the first wait of a process is held up by the import that it may want for it.
FIRST_WAIT = """
import builtins
class Waited(Slow):
    @property
    def start_timeout(self):
        # Read just before the wait.
        if threading.current_thread().name == "waits":
            waits.set()
        return 30.0
service, waits, go_on, imports = Waited(), threading.Event(), threading.Event(), builtins.__import__
def held_up(name, *args, **kwargs):
    if threading.current_thread().name == "waits":
        go_on.wait()
    return imports(name, *args, **kwargs)
def start_two():
    threads = [threading.Thread(target=service.start, name=name) for name in ("starts", "waits")]
    threads[0].start()
    entered.wait()
    threads[1].start()
    waits.wait()
    return threads
def work():
    global PARENT
    PARENT = os.getpid()
    builtins.__import__ = imports
    entered.clear()
    waits.clear()
    threads = start_two()
    go.set()
    for thread in threads:
        thread.join()
    return service.state.name, service.runs
builtins.__import__ = held_up
threads = start_two()
join(forked(work))
builtins.__import__ = imports
go_on.set()
go.set()
for thread in threads:
    thread.join()
print("parent:", service.state.name, service.runs)
"""


def test_a_fork_amid_the_first_wait_of_another_thread_leaves_the_child_nothing_half_made(fork):
    """Whatever the runtime makes once it has made before: a cell that is being filled at the fork stays so for ever."""
    assert fork(FIRST_WAIT) == ["child: ('RUNNING', 2)", "child ended with 0", "parent: RUNNING 1"]


# What waits, and what wakes it, on both sides of the fork.
WAITING = """
service = Running().start()
def waiters():
    ready = threading.Barrier(4)
    events = MetaService().events()
    def stopped():
        request = service.stop_requested
        ready.wait()
        return request.wait(20)
    def event():
        ready.wait()
        return next(events).after.name
    found = [threads.submit(stopped), threads.submit(stopped), threads.submit(event)]
    ready.wait()
    return found
def woken(found):
    service.stop()
    return [future.result(20) for future in found]
threads = ThreadPoolExecutor(3)
found = waiters()
def work():
    global threads
    threads = ThreadPoolExecutor(3)
    return service.state.name, service.stop_requested.wait(0), woken(waiters())
pid = forked(work)
join(pid)
print("parent:", service.state.name, woken(found))
"""


def test_waits_for_stop_requests_and_events_work_on_both_sides(fork):
    """Threads that wait at the fork are woken in the parent; in the child new ones wait and are woken."""
    assert fork(WAITING) == [
        "child: ('RUNNING', False, [True, True, 'NOT_STARTED'])",
        "child ended with 0",
        "parent: RUNNING [True, True, 'NOT_STARTED']",
    ]


def test_a_fork_inside_its_own_run_goes_on_in_both(fork):
    """The start of the forking thread itself ends well in parent and child."""
    program = """
class Forking(Running):
    def run(self):
        self.app = object()
        self.child = os.fork()
service = Forking().start()
if service.child:
    join(service.child)
print("parent:" if service.child else "child:", service.state.name, Worker().start().is_running())
"""
    assert fork(program) == ["child: RUNNING True", "child ended with 0", "parent: RUNNING True"]


def test_multiprocessing_by_fork_takes_services_along(fork):
    """Processes and pools of the fork context use inherited services and get a kept one, pickled, as their own."""
    program = """
MetaService().add_service_builder("kept", Worker)
kept, context = MetaService().get_service("kept").start(), multiprocessing.get_context("fork")
def use(service):
    before = service.state.name
    return before, service is kept, service.start().daemons()[0].alive
def tell(service):
    print("child:", use(service), flush=True)
process = context.Process(target=tell, args=(kept,))
process.start()
process.join()
print("child ended with", process.exitcode)
with context.Pool(1) as pool:
    print("pool:", pool.apply(use, (kept,)))
print("parent:", kept.state.name, kept.daemons()[0].alive)
"""
    assert fork(program) == [
        "child: ('NOT_STARTED', True, True)",
        "child ended with 0",
        "pool: ('NOT_STARTED', True, True)",
        "parent: RUNNING True",
    ]


def test_two_hundred_forks_amid_starts_and_resets(fork):
    """Whatever eight threads are at, each child starts services, those the others were at included, and ends with 0."""
    program = """
MetaService().add_service_builder("kept", Running)
services, over = [Worker() for _ in range(4)], threading.Event()
def busy(number):
    while not over.is_set():
        services[number % 4].start()
        services[(number + 1) % 4].reset()
        MetaService().get_service("kept").reset()
threads = [threading.Thread(target=busy, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
def work():
    Worker().start().poke()
    MetaService().get_service("kept").poke()
    for service in services:
        service.poke()
        service.reset()
        service.stop()
codes = set()
sys.stdout = open(os.devnull, "w")
for _ in range(200):
    codes.add(os.waitstatus_to_exitcode(os.waitpid(forked(work), 0)[1]))
sys.stdout = sys.__stdout__
over.set()
for thread in threads:
    thread.join()
print(codes, {service.start().state.name for service in services})
"""
    assert fork(program) == ["{0} {'RUNNING'}"]
