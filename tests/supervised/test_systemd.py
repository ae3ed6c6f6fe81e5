"""What systemd is told, by a socket that stands in for its own."""

import os
import secrets
import signal
import socket

import pytest
from jaseci.svc._systemd import Heart, notify, wanted_heart

from supervised.program import Systemd, python

WATCHED = {"WATCHDOG_USEC": "20000"}


def test_it_is_told_of_the_start_and_of_the_end(run, systemd):
    """READY after the last service has started, STOPPING before the first is stopped."""
    source = """
    from jaseci.svc._systemd import notify
    class Telling(Running):
        def run(self):
            notify("X_STARTS=1")
            super().run()
        def stop(self):
            notify("X_STOPS=1")
            super().stop()
    register(telling=Telling)
    meta.run_forever()
    """
    program = run(source)
    assert systemd.hears("READY=1") == ["X_STARTS=1"]
    program.gets(signal.SIGTERM)
    assert systemd.hears("X_STOPS=1") == ["STOPPING=1"]
    program.ends(0)


def test_a_socket_in_the_abstract_namespace_is_told(started):
    """systemd writes its null byte as an "@"."""
    systemd = Systemd(f"\0jaseci-svc-{secrets.token_hex(8)}")
    try:
        program = started(python("meta.run_forever()"), systemd.environment)
        systemd.hears("READY=1")
        program.gets(signal.SIGTERM)
        systemd.hears("STOPPING=1")
        program.ends(0)
    finally:
        systemd.close()


def test_the_watchdog_gets_signs_of_life(run, systemd):
    """From before READY to the end of the stop."""
    source = """
    from jaseci.svc._systemd import notify
    class Slow(Running):
        def stop(self):
            notify("X_STOPS=1")
            go.wait(60)
    go = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: go.set())
    register(slow=Slow)
    meta.run_forever()
    """
    program = run(source, **WATCHED)
    systemd.hears("READY=1")
    for _ in range(3):
        systemd.hears("WATCHDOG=1")
    program.gets(signal.SIGTERM)
    systemd.hears("X_STOPS=1")
    for _ in range(3):
        systemd.hears("WATCHDOG=1")
    program.gets(signal.SIGUSR1)
    program.ends(0)


def test_a_supervision_that_was_there_before_gives_signs_of_life(run, systemd):
    """Its timekeeper, who may be asleep, is woken for it."""
    program = run("meta.supervise()\nmeta.run_forever()", **WATCHED)
    for _ in range(3):
        systemd.hears("WATCHDOG=1")
    program.gets(signal.SIGTERM)
    program.ends(0)


def test_a_supervisor_that_hangs_gives_none(run, systemd):
    """No other thread gives them in its place. The pause is there to be filled by one that does."""
    source = """
    from jaseci.svc._systemd import notify
    trapped = []
    class Trap(Running):
        def __getattribute__(self, name):
            if name == "restart" and not trapped and threading.current_thread().name == "jaseci.svc/supervisor":
                trapped.append(self)
                notify("X_HANGS=1")
                threading.Event().wait(0.3)
                notify("X_GOES_ON=1")
            return super().__getattribute__(name)
    register(trap=Trap)
    meta.run_forever()
    """
    program = run(source, **WATCHED)
    systemd.hears("X_HANGS=1")
    assert "WATCHDOG=1" not in systemd.hears("X_GOES_ON=1")
    systemd.hears("WATCHDOG=1")
    program.gets(signal.SIGTERM)
    program.ends(0)


@pytest.fixture
def no_systemd(monkeypatch):
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


def test_without_its_variables_nothing_is_said(no_systemd, monkeypatch):
    """No socket is opened."""
    monkeypatch.setattr(socket, "socket", None)
    assert not notify("READY=1")
    assert wanted_heart() is None


def test_a_socket_that_is_not_there_is_logged(no_systemd, monkeypatch, caplog, tmp_path):
    """And holds nothing up."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "none"))
    assert not notify("READY=1")
    assert "systemd is not told READY=1" in caplog.text


@pytest.mark.parametrize(
    ("interval", "pid", "pause"),
    [("20000000", "", 10.0), ("20000000", str(os.getpid()), 10.0), ("20000000", "1", None), ("", "", None)],
)
def test_the_watchdog_is_fed_twice_in_its_interval_where_it_asks_for_this_process(
    no_systemd, monkeypatch, interval, pid, pause
):
    """WATCHDOG_USEC, for WATCHDOG_PID if that is given."""
    monkeypatch.setenv("NOTIFY_SOCKET", "@nobody")
    monkeypatch.setenv("WATCHDOG_USEC", interval)
    monkeypatch.setenv("WATCHDOG_PID", pid)
    heart = wanted_heart()
    assert (heart and heart.pause) == pause


@pytest.mark.parametrize("interval", ["soon", "0", "-5", "1.5"])
def test_an_interval_that_is_none_is_logged(no_systemd, monkeypatch, caplog, interval):
    """And nothing is sent."""
    monkeypatch.setenv("NOTIFY_SOCKET", "@nobody")
    monkeypatch.setenv("WATCHDOG_USEC", interval)
    assert wanted_heart() is None
    assert "WATCHDOG_USEC is" in caplog.text


def test_a_heart_beats_when_it_is_due_and_not_before(systemd, monkeypatch, manual_clock):
    """However often it is asked."""
    monkeypatch.setenv(*systemd.environment.popitem())
    heart = Heart(10.0)
    seen = []
    for pause in (0.0, 1.0, 4.0, 4.0, 1.0):
        manual_clock.advance(pause)
        seen.append(heart.beat(None) / 1e9 - manual_clock.now)
    notify("X_END=1")
    assert seen == pytest.approx([5.0, 4.0, 5.0, 1.0, 5.0])
    assert systemd.hears("X_END=1") == ["WATCHDOG=1"] * 3


def test_who_has_to_wake_earlier_does(manual_clock, no_systemd):
    """For another reason than the watchdog."""
    heart = Heart(10.0)
    due = int((manual_clock.now + 5) * 1e9)
    assert [heart.beat(None), heart.beat(due - 1), heart.beat(due + 1)] == [due, due - 1, due]
