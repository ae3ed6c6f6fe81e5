"""`run_forever()` and signals: one stops everything in order, two end the process, whatever it is at."""

import signal

import pytest

pytestmark = pytest.mark.interpreters

SIGNALS = [signal.SIGTERM, signal.SIGINT]
BOTH = pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
PAIRS = pytest.mark.parametrize(
    ("first", "second"),
    [(first, second) for first in SIGNALS for second in SIGNALS],
    ids=lambda signum: signum.name,
)

CHAIN = """
class Above(Running):
    requires = ("below",)
register(above=Above, below=Running)
"""

# One service is there, one of two others starts for as long as it is let.
STARTING = """
class Slow(Running):
    requires = ("below",)
    def run(self):
        say("starting")
        {waits}
register(below=Running, slow=Slow, beside=Running)
meta.run_forever(timeout=10)
say("returned")
"""

STOPPING = """
class Hanging(Running):
    def stop(self):
        say("stopping", self._name)
        {waits}
register(hanging=Hanging, other=Running)
"""


@BOTH
def test_a_signal_stops_everything_in_reverse_order(run, systemd, signum):
    """And the program goes on to its end, with its own code."""
    program = run(CHAIN + "meta.run_forever()\nsay('returned')")
    systemd.hears("READY=1")
    program.gets(signum)
    assert program.ends(0) == ["stopped above", "stopped below", "returned"]


@BOTH
def test_a_signal_in_the_middle_of_the_start_ends_it(run, signum):
    """What runs already is stopped, what waits for its turn is not started any more."""
    program = run(STARTING.format(waits="self.stop_requested.wait()"))
    program.hears("starting")
    program.gets(signum)
    lines = program.ends(0)
    assert lines.index("stopped slow") < lines.index("stopped below") < lines.index("returned")


@BOTH
def test_a_first_signal_during_a_stop_that_others_began_forces_nothing(run, signum):
    """It is the first."""
    source = """
    go = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: go.set())
    signal.signal(signal.SIGINT, lambda *_: go.set())
    class Ending(Running):
        def post_run(self):
            self.spawn_daemon(ending=lambda: meta.shutdown(timeout=20))
        def stop(self):
            say("stopping")
            go.wait(60)
            super().stop()
    register(ending=Ending)
    meta.run_forever(timeout=30)
    """
    program = run(source)
    program.hears("stopping")
    program.gets(signum)
    program.ends(0)


@PAIRS
def test_a_second_signal_during_the_start_ends_the_process(run, systemd, first, second):
    """A start that cannot be ended does not keep it."""
    program = run(STARTING.format(waits="time.sleep(3600)"))
    program.hears("starting")
    program.gets(first)
    systemd.hears("STOPPING=1")
    program.gets(second)
    assert "returned" not in program.ends(128 + second)


@PAIRS
def test_a_second_signal_during_the_stop_ends_the_process(run, systemd, first, second):
    """With 128 + the second one's number."""
    program = run(STOPPING.format(waits="time.sleep(3600)") + "meta.run_forever()\nsay('returned')")
    systemd.hears("READY=1")
    program.gets(first)
    program.hears("stopping hanging")
    program.gets(second)
    assert "returned" not in program.ends(128 + second)
    assert f"{second.name}, the second signal" in program.err


def test_exit_functions_do_not_hold_a_forced_exit_up(run, systemd):
    """Nor do threads that are nobody's daemons."""
    source = """
    import atexit
    atexit.register(lambda: say("exit function"))
    threading.Thread(target=time.sleep, args=(3600,)).start()
    meta.run_forever()
    """
    program = run(STOPPING.format(waits="time.sleep(3600)"), source)
    systemd.hears("READY=1")
    program.gets(signal.SIGTERM)
    program.hears("stopping hanging")
    program.gets(signal.SIGTERM)
    assert "exit function" not in program.ends(128 + signal.SIGTERM)


@pytest.mark.parametrize("waits", ["time.sleep(3600)", "while True: pass"])
def test_the_deadline_holds_when_a_stop_hangs(run, systemd, waits):
    """The rest is stopped, the one that hangs is left, and that is no failure of the program."""
    program = run(STOPPING.format(waits=waits) + "meta.run_forever(timeout=1)\nsay('returned')")
    systemd.hears("READY=1")
    program.gets(signal.SIGTERM)
    lines = program.ends(0)
    assert lines[-1] == "returned"
    assert "stopped other" in lines
    assert "Service 'hanging' did not stop within 1 s" in program.err


def test_a_signal_is_noticed_while_other_threads_keep_the_interpreter_busy(run, systemd):
    """They do not own it."""
    source = """
    def spin():
        while True:
            pass
    for _ in range(3):
        threading.Thread(target=spin, daemon=True).start()
    """
    program = run(source, CHAIN, "meta.run_forever()")
    systemd.hears("READY=1")
    program.gets(signal.SIGTERM)
    assert program.ends(0) == ["stopped above", "stopped below"]


# --- Handlers that were there before


@BOTH
def test_a_handler_that_was_there_before_is_called_too(run, systemd, signum):
    """On the main thread, with the number."""
    source = f"""
    def mine(number, frame):
        say("mine", number, threading.current_thread() is threading.main_thread())
    signal.signal({int(signum)}, mine)
    register(one=Running)
    meta.run_forever()
    say("mine again" if signal.getsignal({int(signum)}) is mine else "lost")
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(signum)
    assert sorted(program.ends(0)) == [f"mine {int(signum)} True", "mine again", "stopped one"]


def test_handlers_are_put_back(run, systemd):
    """Python's own one for SIGINT, the system's default for SIGTERM."""
    source = """
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)]
    meta.run_forever()
    say(before == [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)])
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(signal.SIGINT)
    assert program.ends(0) == ["True"]


def test_a_handler_that_somebody_installs_meanwhile_stays(run, systemd):
    """It is not ours to remove."""
    source = """
    class Installing(Running):
        pass
    def theirs(*_):
        say("theirs")
        os.kill(os.getpid(), signal.SIGINT)
    def install(*_):
        signal.signal(signal.SIGTERM, theirs)
        say("installed")
    signal.signal(signal.SIGUSR1, install)
    meta.run_forever()
    say(signal.getsignal(signal.SIGTERM) is theirs)
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(signal.SIGUSR1)
    program.hears("installed")
    program.gets(signal.SIGTERM)
    assert program.ends(0) == ["installed", "theirs", "True"]


@pytest.mark.parametrize("when", ["signal.SIGTERM", "signal.SIGUSR1"])
def test_what_a_handler_raises_leaves_after_an_orderly_end(run, systemd, when):
    """Its exit code holds, whether the signal is ours or another one."""
    source = f"""
    signal.signal({when}, lambda number, frame: sys.exit(7))
    register(one=Running)
    meta.run_forever()
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(getattr(signal, when.removeprefix("signal.")))
    assert program.ends(7) == ["stopped one"]


def test_a_handler_that_hangs_does_not_keep_the_second_signal(run, systemd):
    """Nor the orderly end, which has begun before it."""
    source = """
    def mine(*_):
        say("mine")
        time.sleep(3600)
    signal.signal(signal.SIGTERM, mine)
    register(one=Running)
    meta.run_forever()
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(signal.SIGTERM)
    program.hears("stopped one")
    program.gets(signal.SIGTERM)
    program.ends(128 + signal.SIGTERM)


def test_an_ignored_signal_is_heard_as_well(run, systemd):
    """A shell script starts what it puts into the background with SIGINT ignored."""
    source = """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    register(one=Running)
    meta.run_forever()
    say(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(signal.SIGINT)
    assert program.ends(0) == ["stopped one", "True"]


def test_a_forked_child_has_the_handlers_of_before(run, systemd):
    """Nobody in it looks at what ours would tell."""
    source = """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    class Forking(Running):
        def run(self):
            self.app = os.fork()
            if self.app == 0:
                signal.pause()
                os._exit(1)
        def stop(self):
            os.kill(self.app, signal.SIGTERM)
            say("child ended with", os.waitstatus_to_exitcode(os.waitpid(self.app, 0)[1]))
            super().stop()
    register(forking=Forking)
    meta.run_forever()
    """
    program = run(source)
    systemd.hears("READY=1")
    program.gets(signal.SIGTERM)
    assert program.ends(0) == ["child ended with -15", "stopped forking"]
