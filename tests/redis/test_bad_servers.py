"""What a process gets from an address behind which there is no good Redis: an error that names it, soon, and no default."""

import pytest
from bad_servers import (
    BadServer,
    announces_a_huge_answer,
    denies_access,
    hangs_up,
    never_ends_a_line,
    refuses,
    refuses_writes,
    says_nothing,
    speaks_http,
    stops_in_the_middle,
    talks_garbage,
)
from jaseci.svc import ServiceState
from shared_process import configure

# Seconds, with the stacks of all threads: nothing here waits for more than a few timeouts of a second.
pytestmark = pytest.mark.timeout(60)

NOT_REDIS = "does not speak the protocol of Redis"


def called(value):
    """How a behaviour is called in the name of a test."""
    return getattr(value, "__name__", "")


# --- At the first start


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (speaks_http, NOT_REDIS),
        (talks_garbage, NOT_REDIS),
        (says_nothing, "has not answered within 1 s"),
        (hangs_up, "dropped the connection"),
        (never_ends_a_line, "cannot be reached: the answer is longer than any of a Redis"),
        (stops_in_the_middle, "has not answered within 1 s"),
        (announces_a_huge_answer, "has not answered within 1 s"),
        (denies_access, "protected mode"),
        (refuses("LOADING Redis is loading the dataset in memory"), "is loading its data"),
        (refuses("NOAUTH Authentication required."), "wants a password"),
        (refuses("MASTERDOWN Link with MASTER is down"), "has lost its primary"),
    ],
    ids=called,
)
def test_a_service_does_not_start_on_what_is_no_good_redis_and_names_it(meta, behaviour, reason):
    with BadServer(behaviour) as bad:
        configure(bad)
        service = meta.build_hook().redis
        assert service.has_failed()
        assert bad.address in str(service.error)
        assert reason in str(service.error)


@pytest.mark.parametrize("config", [{"password": None}, {"username": "nobody", "password": "guess-guess"}])
def test_a_service_does_not_start_on_a_redis_whose_password_it_does_not_know(meta, new_redis_server, config):
    server = new_redis_server(password="hush-hush")
    configure(server, **config)
    service = meta.build_hook().redis
    assert service.has_failed()
    assert "password" in str(service.error)
    assert str(server.port) in str(service.error)
    assert "guess-guess" not in str(service.error)


@pytest.mark.parametrize("has_tls", [True, False])
def test_a_service_does_not_start_where_one_side_speaks_tls_and_the_other_does_not(meta, new_redis_server, has_tls):
    server = new_redis_server(tls=has_tls)
    configure(server, ssl=not has_tls)
    service = meta.build_hook().redis
    assert service.has_failed()
    assert str(server.port) in str(service.error)


# --- Where a good one was


@pytest.mark.parametrize(
    "behaviour",
    [
        speaks_http,
        talks_garbage,
        says_nothing,
        hangs_up,
        stops_in_the_middle,
        announces_a_huge_answer,
        denies_access,
        refuses("LOADING Redis is loading the dataset in memory"),
        refuses("NOAUTH Authentication required."),
    ],
    ids=called,
)
def test_where_a_good_redis_was_the_last_value_is_kept_and_nothing_is_written(shared, behaviour):
    shared.hook().commit_setting("A_CONFIG", '{"n": 1}')
    shared.server.kill()
    shared.wait_for(ServiceState.FAILED)
    with BadServer(behaviour, shared.server.port) as bad:
        told = shared.explain("A_CONFIG")
        assert (told.value, told.stale) == ('{"n": 1}', True)
        assert bad.address in told.reason
        assert shared.hook().service_glob("A_CONFIG", {"n": 0}) == {"n": 1}
        [answer] = shared.meta.build_super_master().config_set("A_CONFIG", '{"n": 2}', do_check=False)
        assert "is not set" in answer
        assert bad.address in answer
        assert shared.read("A_CONFIG") == '{"n": 1}'


# --- One that answers, and has a bad day


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("MISCONF Redis is configured to save RDB snapshots, but is unable to persist to disk", "takes no writes"),
        ("NOREPLICAS Not enough good replicas to write.", "takes no writes"),
        ("NOPERM this user has no permissions to run the 'hset' command", "does not permit"),
    ],
    ids=["misconf", "noreplicas", "noperm"],
)
def test_a_refused_write_says_why(meta, error, reason):
    with BadServer(refuses_writes(error)) as bad:
        configure(bad)
        [answer] = meta.build_super_master().config_set("A_CONFIG", "{}", do_check=False)
        assert "is not set" in answer
        assert reason in answer
