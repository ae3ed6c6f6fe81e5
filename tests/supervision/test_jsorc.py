"""Section 6: JsOrc without a cluster keeps the services of `keep_alive` running, by the supervisor of the process."""

import json

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import JsOrcService, MetaService
from jaseci.svc.jsorc import JSORC_CONFIG, JsOrc

from behaviour.services import Disabled
from supervision.services import register, states


@pytest.fixture
def orchestrated(meta):
    """Starts JsOrc with a config, after services were registered."""

    def start(**config):
        MemoryHook().save_glob("JSORC_CONFIG", json.dumps(JSORC_CONFIG | {"enabled": True} | config))
        MemoryHook().commit()
        if "jsorc" not in meta.builders:
            register(meta, jsorc=JsOrcService)
        return meta.get_service("jsorc").start()

    return start


def test_it_is_registered_and_disabled():
    """As every shipped service is; it has to be asked for."""
    service = MetaService().get_service("jsorc")
    assert isinstance(service, JsOrcService)
    assert not service.enabled
    assert service.quiet
    assert service.config == {
        "interval": 10,
        "namespace": "default",
        "keep_alive": ["promon", "redis", "task", "mail"],
    }


def test_its_app_is_a_jsorc_and_its_daemon_is_called_so(orchestrated):
    """`app` a `JsOrc`; daemon `jsorc`."""
    service = orchestrated()
    assert isinstance(service.app, JsOrc)
    assert [daemon.name for daemon in service.daemons()] == ["jsorc"]
    service.stop()
    assert [daemon.alive for daemon in service.daemons()] == [False]


def test_it_starts_the_services_that_it_keeps_alive(meta, manual_clock, moody, orchestrated):
    """Those that are registered, and what they require; no others."""
    register(meta, redis=moody(), task=moody(requires=("broker",)), broker=moody(), other=moody())
    orchestrated()
    assert states(meta) == {
        "redis": "RUNNING",
        "task": "RUNNING",
        "broker": "RUNNING",
        "other": "NOT_STARTED",
        "jsorc": "RUNNING",
    }


def test_what_fails_is_revived_for_ever(meta, manual_clock, moody, orchestrated):
    """Whatever its cap says; at least every `interval` seconds."""
    redis = moody(runs=False)
    register(meta, redis=redis)
    orchestrated(interval=10)
    manual_clock.advance(1000)
    pauses = [after - before for before, after in zip(redis.starts, redis.starts[1:], strict=False)]
    assert max(pauses) == 10
    redis.runs = True
    manual_clock.advance(10)
    assert states(meta)["redis"] == "RUNNING"


def test_what_was_stopped_is_revived(meta, manual_clock, moody, orchestrated):
    """It is to be kept alive."""
    register(meta, redis=moody())
    orchestrated()
    meta.get_service("redis").stop()
    manual_clock.advance(1)
    assert states(meta)["redis"] == "RUNNING"


def test_what_is_never_restarted_by_itself_is_revived(meta, manual_clock, moody, orchestrated):
    """Whoever configures JsOrc has the last word."""
    redis = moody(runs=False, restart="never")
    register(meta, redis=redis)
    meta.supervise()
    manual_clock.advance(100)
    redis.runs = True
    orchestrated()
    assert states(meta)["redis"] == "RUNNING"


def test_an_unhealthy_service_is_reset(meta, manual_clock, moody, orchestrated):
    """Not running and healthy."""
    redis = moody(health_is="no answer to PING")
    register(meta, redis=redis)
    orchestrated()
    manual_clock.advance(10.5)
    assert redis.starts == [0, 10.5]


def test_a_healthy_service_is_never_reset(meta, manual_clock, moody, orchestrated):
    """However long."""
    redis = moody()
    register(meta, redis=redis)
    orchestrated()
    manual_clock.advance(10_000)
    assert redis.starts == [0]


def test_a_disabled_service_is_left_alone(meta, manual_clock, orchestrated):
    """Its config says so."""
    register(meta, redis=Disabled)
    orchestrated()
    manual_clock.advance(100)
    assert states(meta)["redis"] == "NOT_STARTED"


def test_one_failing_service_never_stops_the_others_from_being_looked_at(
    meta, manual_clock, moody, orchestrated, caplog
):
    """One that cannot even be planned is logged, once."""
    redis = moody(runs=False)
    register(meta, promon=moody(requires=("nope",)), redis=redis, task=moody(), mail=moody())
    service = orchestrated()
    service.app.look()
    service.app.look()
    redis.runs = True
    manual_clock.advance(20)
    assert states(meta) == {
        "promon": "NOT_STARTED",
        "redis": "RUNNING",
        "task": "RUNNING",
        "mail": "RUNNING",
        "jsorc": "RUNNING",
    }
    told = [record.getMessage() for record in caplog.records if "keep service 'promon' alive" in record.getMessage()]
    assert len(told) == 1
    assert '"promon" requires "nope", which is not registered' in told[0]


def test_a_service_that_is_registered_later_is_taken_up_by_the_next_round(meta, manual_clock, moody, orchestrated):
    """Every `interval` seconds there is one."""
    service = orchestrated()
    register(meta, redis=moody())
    service.app.look()
    assert states(meta)["redis"] == "RUNNING"


def test_after_its_stop_the_services_own_policies_hold(meta, manual_clock, moody, orchestrated):
    """They run on."""
    redis = moody()
    register(meta, redis=redis)
    service = orchestrated()
    service.stop()
    meta.get_service("redis").stop()
    manual_clock.advance(100)
    assert states(meta)["redis"] == "NOT_STARTED"


def test_a_refresh_of_its_config_changes_what_it_keeps_alive(meta, manual_clock, moody, orchestrated):
    """What is no longer named is left to its own policy."""
    register(meta, redis=moody(), mail=moody())
    orchestrated(keep_alive=["redis"])
    admin = meta.build_super_master()
    admin.config_set("JSORC_CONFIG", JSORC_CONFIG | {"enabled": True, "keep_alive": ["mail"]})
    admin.config_refresh("JSORC_CONFIG")
    meta.get_service("redis").stop()
    meta.get_service("mail").stop()
    manual_clock.advance(100)
    assert (states(meta)["redis"], states(meta)["mail"]) == ("NOT_STARTED", "RUNNING")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"interval": 0}, "'interval' must be a number of seconds above 0, not 0"),
        ({"interval": "often"}, "'interval' must be a number of seconds above 0, not 'often'"),
        ({"namespace": None}, "'namespace' must be the name of one, not None"),
        ({"keep_alive": "redis"}, "'keep_alive' must be a list of service names, not 'redis'"),
    ],
)
def test_a_config_that_cannot_be_used_makes_it_failed(meta, orchestrated, config, told):
    """With the field and the reason."""
    service = orchestrated(**config)
    assert service.has_failed()
    assert str(service.error) == f"JSORC_CONFIG: {told}"


def test_with_kube_and_jsorc_running_jsorc_starts_the_others(meta, manual_clock, moody, orchestrated):
    """`build_hook` leaves that to it."""
    register(meta, kube=moody(), redis=moody(), task=moody(), mail=moody(), promon=moody(), jsorc=JsOrcService)
    MemoryHook().save_glob("JSORC_CONFIG", json.dumps(JSORC_CONFIG | {"enabled": True}))
    MemoryHook().commit()
    meta.build_hook()
    assert set(states(meta).values()) == {"RUNNING"}
