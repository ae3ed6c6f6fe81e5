"""The example that `make run` shows does what it says, with a Redis and without, and leaves nothing behind however it ends."""

import contextlib
import json
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
    "5. Share its settings with a second process",
    "6. A daemon in the background",
    "7. A service that fails, and why",
    "8. What runs, and how it came to that",
    "9. Stop everything, in order",
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


KEY_LINES_WITH_REDIS = [
    "[ok] a second process has the settings, without having set any",
    "[ok] it sees what is changed here",
    "[ok] and that it is changed back",
    "[ok] it shows no key",
]

# A reader of the shop's settings, past everything that the example does.
STRIPE_CONFIG = ("HGET", "global", "STRIPE_CONFIG")


@pytest.fixture(scope="module")
def told_alone():
    """One run of the example as a user starts it, where there is no Redis."""
    return run()


@pytest.fixture(scope="module")
def told_over_redis(module_redis):
    """One run where there is a Redis."""
    return run(module_redis)


@pytest.fixture(params=["told_alone", "told_over_redis"])
def told(request):
    """One run of the example as a user starts it."""
    return request.getfixturevalue(request.param)


def run(redis=None, command=(sys.executable, str(EXAMPLE / "main.py"))):
    return subprocess.run(
        command, env=environment(redis), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def what_stays_in(redis):
    """Its keys, without what it removes by itself in a moment."""
    return sorted(key for key in redis.command("KEYS", "*") if redis.command("TTL", key) < 0)


def environment(redis):
    return os.environ | ({} if redis is None else redis.environment())


def all_is_well(told):
    assert told.returncode == 0, told.stdout + told.stderr
    assert lines_of(told)[-1] == "Every promise held."
    assert told.stderr == ""


def lines_of(told):
    return [line.strip() for line in told.stdout.splitlines()]


def test_every_promise_holds(told):
    all_is_well(told)


def test_the_chapters_are_told_in_order(told):
    assert [line for line in lines_of(told) if re.match(r"\d\. ", line)] == CHAPTERS


@pytest.mark.parametrize("line", KEY_LINES)
def test_the_transcript_says(told, line):
    assert line in lines_of(told)


@pytest.mark.parametrize("line", KEY_LINES_WITH_REDIS)
def test_the_transcript_says_what_a_second_process_saw(told_over_redis, line):
    assert line in lines_of(told_over_redis)


def test_it_says_where_the_settings_are_shared(told_over_redis, module_redis):
    told = f"Settings are shared over Redis at 127.0.0.1:{module_redis.port}, in its database 1."
    assert lines_of(told_over_redis)[0] == told


def test_it_says_that_there_is_no_redis(told_alone):
    assert lines_of(told_alone)[0] == "No Redis at 127.0.0.1:1: settings live in this process."


def test_nothing_is_left_in_redis(told_over_redis, module_redis):
    assert "Every promise held." in told_over_redis.stdout
    assert what_stays_in(module_redis) == []


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
CHANGING = """
def tell(scene):
    say("waiting")
    changed = {"currency": sys.stdin.readline().strip()}
    settings = scene.hook.service_glob("STRIPE_CONFIG", None)
    scene.meta.build_super_master().config_set("STRIPE_CONFIG", settings | changed, do_check=False)
    sys.stdin.readline()
"""
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


@contextlib.contextmanager
def started(chapter, redis=None, **streams):
    """The program, or with a chapter of our own alone; it is gone afterwards."""
    command = [sys.executable, str(EXAMPLE / "main.py")] if chapter is None else program(chapter)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    with subprocess.Popen(command, env=environment(redis), text=True, **streams) as running:
        try:
            yield running
        finally:
            running.kill()


def until(running, words):
    """Reads on to the next line that begins so; the rest of it."""
    for line in running.stdout:
        if line.strip().startswith(words):
            return line.strip().removeprefix(words).strip()
    raise AssertionError(f"it has ended without {words!r}: {running.stderr.read()}")


@contextlib.contextmanager
def going(chapter, redis=None):
    """The program with a chapter that says "waiting" and goes on for ever, and the process id of its server."""
    with started(chapter, redis) as running:
        server = int(until(running, "A Stripe API answers at").split("process ")[1].rstrip(")."))
        until(running, "waiting")
        yield running, server


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_program_and_its_server(signum, code):
    with going(ENDLESS) as (running, server):
        running.send_signal(signum)
        _, complaints = running.communicate(timeout=PATIENCE)
    assert running.returncode == code, complaints
    assert not psutil.pid_exists(server)


def test_a_killed_program_takes_its_server_along():
    with going(ENDLESS) as (running, pid):
        server = psutil.Process(pid)
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


# --- Several of them beside one Redis


def test_a_second_one_follows_the_settings_of_the_first_until_its_shop_closes(redis_server):
    with started(CHANGING, redis_server, stdin=subprocess.PIPE) as first:
        until(first, "waiting")
        with started(None, redis_server) as second:
            assert until(second, "currency ") == "usd"
            first.stdin.write("nok\n")
            first.stdin.flush()
            assert until(second, "currency ") == "nok"
            first.communicate("\n", timeout=PATIENCE)
            assert "The shop has closed." in second.communicate(timeout=PATIENCE)[0]
    assert (first.returncode, second.returncode) == (0, 0)
    assert what_stays_in(redis_server) == []


def test_a_signal_leaves_nothing_in_redis(redis_server):
    with going(ENDLESS, redis_server) as (running, _):
        assert redis_server.command(*STRIPE_CONFIG) is not None
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=PATIENCE)
    assert what_stays_in(redis_server) == []


def test_what_a_killed_one_left_is_taken_over_and_removed(redis_server):
    with going(ENDLESS, redis_server) as (running, pid):
        server = psutil.Process(pid)
        running.kill()
        running.communicate(timeout=PATIENCE)
    assert has_ended(server)
    assert redis_server.command(*STRIPE_CONFIG) is not None
    all_is_well(run(redis_server))
    assert redis_server.command(*STRIPE_CONFIG) is None


def test_what_others_keep_there_stays(redis_server):
    redis_server.command("HSET", "global", "GLOB_SENTINEL", "theirs", "MAIL_CONFIG", "{}")
    redis_server.command("SET", "celery", "theirs")
    all_is_well(run(redis_server))
    assert what_stays_in(redis_server) == ["celery", "global", "{global}:versions"]
    assert sorted(redis_server.command("HKEYS", "global")) == ["GLOB_SENTINEL", "MAIL_CONFIG"]


def test_the_settings_of_a_real_shop_are_not_touched(redis_server):
    real = json.dumps({"enabled": True, "api_base": "https://api.stripe.com", "key": "sk_live_real"})
    redis_server.command("HSET", "global", "STRIPE_CONFIG", real)
    ended = run(redis_server)
    assert ended.returncode == 1
    assert "name an unused database in REDIS_DB" in ended.stderr
    assert redis_server.command("HGETALL", "global") == ["STRIPE_CONFIG", real]
