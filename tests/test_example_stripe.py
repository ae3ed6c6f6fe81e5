"""The example that `make run` shows does what it says, and leaves nothing behind however it ends."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "stripe"
PATIENCE = 90  # seconds until a run is called hung; it takes one

CHAPTERS = [
    "1. Register the services",
    "2. Build them: disposable, reusable, raced for",
    "3. Use one: a customer and a payment",
    "4. Reconfigure it while it runs",
    "5. A daemon in the background",
    "6. A service that fails, and why",
    "7. What runs, and how it came to that",
    "8. Stop everything, in order",
]

KEY_LINES = [
    "[ok] all of them got one instance",
    "[ok] and it ran once",
    "[ok] get_service gives that instance ever after",
    "[ok] the server has it, confirmed",
    "[ok] the answer masks the key",
    "[ok] the server now refuses it: the new key is in force",
    "[ok] the server accepts it again, and takes euros",
    "[ok] the daemon saw a new payment by itself",
    "[ok] service.daemons() shows it alive",
    "[ok] poke() names service, state and cause",
    "[ok] two run, one has failed",
    "[ok] everything stopped, in the reverse order of start",
    "[ok] no daemon is left",
]


@pytest.fixture(scope="module")
def told():
    """One run of the example as a user starts it."""
    return subprocess.run(
        [sys.executable, str(EXAMPLE / "main.py")], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def lines_of(told):
    return [line.strip() for line in told.stdout.splitlines()]


def test_every_promise_holds(told):
    assert told.returncode == 0, told.stdout + told.stderr
    assert lines_of(told)[-1] == "Every promise held."
    assert "Traceback" not in told.stderr


def test_the_chapters_are_told_in_order(told):
    assert [line for line in lines_of(told) if re.match(r"\d\. ", line)] == CHAPTERS


@pytest.mark.parametrize("line", KEY_LINES)
def test_the_transcript_says(told, line):
    assert line in lines_of(told)


def test_the_transcript_shows_no_key(told):
    assert "sk_test_" not in told.stdout + told.stderr
    assert "not_a_key_of_this_account" not in told.stdout + told.stderr


def test_the_failed_service_is_named_with_its_reason_in_the_log(told):
    [record] = [line for line in lines_of(told) if line.startswith("log: ERROR")]
    assert "LedgerService" in record
    assert "refused" in record


def test_there_are_no_colours_in_a_pipe(told):
    assert "\x1b" not in told.stdout


def test_the_server_is_gone_after_the_run(told):
    assert not psutil.pid_exists(server_of(told.stdout))


# --- Other ends of the story: a program with a single chapter of our own

BROKEN = "def tell(scene): promise('the moon is made of cheese', False)"
RAISING = "def tell(scene): raise OSError('a bad day')"
ENDLESS = "def tell(scene): say('waiting'); threading.Event().wait()"


def program(chapter):
    """The example's `main()`, telling `chapter` alone."""
    lines = [
        f"import sys, threading; sys.path.insert(0, {str(EXAMPLE)!r})",
        "import main; from transcript import promise, say",
        chapter,
        "main.CHAPTERS = [('A chapter', tell)]",
        "sys.exit(main.main())",
    ]
    return [sys.executable, "-c", "\n".join(lines)]


def server_of(transcript):
    """The process id that the transcript names."""
    return int(re.search(r"localstripe, process (\d+)", transcript).group(1))


def test_a_broken_promise_fails_the_program():
    ended = subprocess.run(program(BROKEN), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert "FAILED: the moon is made of cheese" in ended.stderr
    assert "[ok]" not in ended.stdout
    assert not psutil.pid_exists(server_of(ended.stdout))


def test_an_exception_fails_the_program():
    ended = subprocess.run(program(RAISING), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert "a bad day" in ended.stderr
    assert not psutil.pid_exists(server_of(ended.stdout))


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_program_and_its_server(signum, code):
    with subprocess.Popen(program(ENDLESS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        server = server_of(running.stdout.readline())
        assert any("waiting" in line for line in running.stdout)
        running.send_signal(signum)
        _, complaints = running.communicate(timeout=PATIENCE)
    assert running.returncode == code, complaints
    assert not psutil.pid_exists(server)


def test_a_killed_program_takes_its_server_along():
    with subprocess.Popen(program(ENDLESS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        server = psutil.Process(server_of(running.stdout.readline()))
        running.kill()
        running.communicate(timeout=PATIENCE)
    assert has_ended(server)


def has_ended(process):
    """Whether it ends in time. Its parent is gone, so it may stay a zombie where nobody collects orphans."""
    try:
        while process.status() != psutil.STATUS_ZOMBIE:
            process.wait(0.05)
    except psutil.TimeoutExpired:
        return has_ended(process)
    except psutil.NoSuchProcess:
        pass
    return True


def test_a_server_that_does_not_start_is_reported(tmp_path, monkeypatch):
    (tmp_path / "localstripe.py").write_text("raise ImportError('a broken installation')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    ended = subprocess.run(program(ENDLESS), capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert ended.returncode == 1
    assert ended.stderr.strip().endswith("FAILED: localstripe did not start: ImportError: a broken installation")
