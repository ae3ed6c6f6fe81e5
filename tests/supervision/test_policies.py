"""What the supervisor does when something goes wrong, on a clock that the test moves: exact delays, caps and verdicts."""

import logging

import pytest
from jaseci.svc import DependencyFailed, RestartLimitReached, ServiceState, ServiceUnhealthy
from jaseci.svc.testing import ManualClock, NoAnswer

from behaviour.services import Plain
from supervision.services import Moody, needing, register, remarks, states

FAILED, RUNNING = ServiceState.FAILED, ServiceState.RUNNING


# ---------------------------------------------------------------------- restarts


def test_a_service_that_keeps_failing_is_started_with_growing_delays_and_then_given_up(meta, manual_clock, moody):
    """0.5 s, then twice as long each time; the sixth failure within a minute is one too many."""
    flaky = moody(runs=False)
    register(meta, flaky=flaky)
    meta.supervise()
    manual_clock.advance(1000)
    assert flaky.starts == [0, 0.5, 1.5, 3.5, 7.5, 15.5]
    assert states(meta) == {"flaky": "FAILED"}


def test_what_is_given_up_has_its_history_as_its_error(meta, manual_clock, moody):
    """When, and why; and what it failed of last is the cause."""
    register(meta, flaky=moody(runs=False, restart_cap=(2, 60.0)))
    meta.supervise()
    manual_clock.advance(100)
    error = meta.get_service("flaky").error
    assert isinstance(error, RestartLimitReached)
    assert error.history == [(1.0, "OSError: no route"), (0.0, "OSError: no route")]
    assert isinstance(error.__cause__, OSError)
    assert "mend the cause and reset it" in str(error)


def test_delays_grow_to_the_longest_and_stay_there(meta, manual_clock, moody):
    """`backoff` has the first and the longest."""
    flaky = moody(runs=False, backoff=(1.0, 3.0), restart_cap=(1000, 60.0))
    register(meta, flaky=flaky)
    meta.supervise()
    manual_clock.advance(12)
    assert flaky.starts == [0, 1, 3, 6, 9, 12]


def test_delays_begin_anew_after_a_stable_time(meta, manual_clock, moody):
    """As long as the cap looks back."""
    flaky = moody(restart_cap=(5, 20.0), health_interval=None)
    register(meta, flaky=flaky)
    meta.supervise()
    service = meta.get_service("flaky")
    for pause in (5, 5, 30):
        manual_clock.advance(pause)
        service.failed()
        manual_clock.advance(2)
    assert flaky.starts == [0, 5.5, 13, 44.5]


def test_old_restarts_do_not_count_towards_the_cap(meta, manual_clock, moody):
    """So a service that fails now and then is never given up."""
    flaky = moody(restart_cap=(1, 10.0), health_interval=None)
    register(meta, flaky=flaky)
    meta.supervise()
    for _ in range(20):
        meta.get_service("flaky").failed()
        manual_clock.advance(15)
    assert (len(flaky.starts), states(meta)) == (21, {"flaky": "RUNNING"})


def test_jitter_shortens_delays_and_is_the_same_for_the_same_seed(meta, moody):
    """A test can have it, too."""

    def starts(seed):
        with ManualClock(jitter=seed) as clock:
            flaky = moody(runs=False, clock=clock)
            meta.add_service_builder("flaky", flaky, replace=True)
            meta.supervise()
            clock.advance(100)
            return flaky.starts

    first, again, other = starts(1), starts(1), starts(2)
    assert first == again != other
    assert len(first) == 6
    assert first[1] < 0.5


@pytest.mark.usefixtures("manual_clock")
def test_never_means_never(meta, manual_clock, moody):
    """It is left FAILED, with its own error."""
    flaky = moody(runs=False, restart="never")
    register(meta, flaky=flaky)
    meta.supervise()
    manual_clock.advance(1000)
    assert flaky.starts == [0]
    assert isinstance(meta.get_service("flaky").error, OSError)


def test_a_stopped_service_is_left_alone(meta, manual_clock, moody):
    """Whoever stops it means it."""
    plain = moody()
    register(meta, plain=plain)
    meta.supervise()
    meta.get_service("plain").stop()
    manual_clock.advance(1000)
    assert states(meta) == {"plain": "NOT_STARTED"}


def test_who_stops_a_service_that_waits_for_its_restart_means_it_too(meta, manual_clock, moody):
    """It is not tried again."""
    flaky = moody(runs=False)
    register(meta, flaky=flaky)
    meta.supervise()
    meta.get_service("flaky").stop()
    manual_clock.advance(1000)
    assert (flaky.starts, states(meta)) == ([0], {"flaky": "NOT_STARTED"})


def test_always_means_after_a_stop_too(meta, manual_clock, moody):
    """With the delays of a failure."""
    plain = moody(restart="always")
    register(meta, plain=plain)
    meta.supervise()
    meta.get_service("plain").stop()
    manual_clock.advance(0.5)
    assert plain.starts == [0, 0.5]


def test_who_resets_a_service_that_was_given_up_has_it_supervised_again(meta, manual_clock, moody):
    """From the beginning."""
    flaky = moody(runs=False, restart_cap=(0, 60.0))
    register(meta, flaky=flaky)
    meta.supervise()
    flaky.runs, flaky.restart_cap = True, (5, 60.0)
    service = meta.get_service("flaky")
    service.reset()
    manual_clock.settle()
    service.failed()
    manual_clock.advance(10)
    assert states(meta) == {"flaky": "RUNNING"}


def test_a_service_that_fails_for_ever_has_a_bounded_history_and_log(meta, manual_clock, moody, caplog):
    """A thousand failures: one record for each delay, twenty in memory, none longer than a line or so."""
    flaky = moody(runs=False, backoff=(1.0, 1.0), restart_cap=(998, 10_000.0))
    register(meta, flaky=flaky)
    meta.supervise()
    manual_clock.advance(5000)
    service = meta.get_service("flaky")
    assert (len(flaky.starts), len(service.error.history)) == (999, 20)
    assert len([record for record in caplog.records if "restart in" in record.getMessage()]) == 998
    caplog.clear()
    manual_clock.advance(5000)
    assert caplog.records == []


def test_a_long_reason_is_cut(meta, manual_clock, moody, lifecycle_events):
    """It is kept, and quoted in others."""

    def run(self):
        raise OSError("x" * 100_000)

    register(meta, flaky=moody(run=run))
    meta.supervise()
    assert all(len(remark) < 1000 for remark in remarks(lifecycle_events, "flaky"))


def test_supervise_called_again_starts_what_was_stopped_or_given_up(meta, manual_clock, moody):
    """It is asked to."""
    flaky = moody(runs=False, restart_cap=(0, 60.0))
    register(meta, flaky=flaky, plain=moody())
    meta.supervise()
    meta.get_service("plain").stop()
    manual_clock.advance(100)
    flaky.runs = True
    meta.supervise()
    assert states(meta) == {"flaky": "RUNNING", "plain": "RUNNING"}


def test_a_builder_that_is_replaced_is_supervised_like_the_one_before(meta, manual_clock, moody):
    """As soon as it runs; who requires it leans on the new one then."""
    above = moody(requires=("below",))
    register(meta, below=moody(), above=above)
    meta.supervise()
    meta.add_service_builder("below", moody(), replace=True)
    manual_clock.advance(1)
    assert states(meta)["above"] == "FAILED"
    replacement = meta.get_service("below").start()
    manual_clock.advance(1)
    assert (states(meta)["above"], len(above.starts)) == ("RUNNING", 2)
    replacement.failed()
    manual_clock.advance(1)
    assert states(meta) == {"below": "RUNNING", "above": "RUNNING"}


# ---------------------------------------------------------------------- those that require it


def test_who_requires_a_service_is_restarted_with_it(meta, manual_clock, moody, lifecycle_events):
    """Stopped before it, started after it."""
    register(meta, below=moody(), above=moody(requires=("below",)))
    meta.supervise()
    meta.get_service("below").failed()
    manual_clock.advance(1)
    moves = [(event.service, event.after.name) for event in lifecycle_events.all() if event.before is not event.after]
    begin = moves.index(("below", "FAILED"))
    assert [move for move in moves[begin:] if move[1] in {"FAILED", "RUNNING"}] == [
        ("below", "FAILED"),
        ("above", "FAILED"),
        ("below", "RUNNING"),
        ("above", "RUNNING"),
    ]


def test_who_requires_an_unhealthy_service_is_stopped_before_its_reset(meta, manual_clock, moody, lifecycle_events):
    """In reverse order of the graph, and started in its order."""
    below = moody()
    register(meta, below=below, middle=moody(requires=("below",)), top=moody(requires=("middle",)))
    meta.supervise()
    below.health_is = "tired"
    manual_clock.advance(10.5)
    below.health_is = True
    moves = [(event.service, event.after.name) for event in lifecycle_events.all() if event.before is not event.after]
    assert [move for move in moves[6:] if move[1] != "STARTED"] == [
        ("top", "NOT_STARTED"),
        ("middle", "NOT_STARTED"),
        ("below", "NOT_STARTED"),
        ("below", "RUNNING"),
        ("middle", "RUNNING"),
        ("top", "RUNNING"),
    ]


def test_who_keeps_going_is_not_touched(meta, manual_clock, moody):
    """`on_dependency_loss = "keep"`."""
    above = moody(requires=("below",), on_dependency_loss="keep")
    register(meta, below=moody(), above=above)
    meta.supervise()
    meta.get_service("below").failed()
    manual_clock.advance(1)
    assert above.starts == [0]


def test_who_keeps_going_is_still_stopped_first_at_the_end(meta, manual_clock, moody):
    """Though the service that it requires was started later."""
    stops = []

    def stop(self):
        stops.append(self._name)
        Plain.stop(self)

    register(meta, below=moody(stop=stop), above=moody(requires=("below",), on_dependency_loss="keep", stop=stop))
    meta.supervise()
    meta.get_service("below").failed()
    manual_clock.advance(1)
    meta.shutdown()
    assert stops == ["above", "below"]


def test_who_requires_a_service_that_somebody_resets_is_restarted(meta, manual_clock, moody):
    """It leans on what is no more."""
    above = moody(requires=("below",))
    register(meta, below=moody(), above=above)
    meta.supervise()
    manual_clock.advance(1)
    meta.get_service("below").reset()
    manual_clock.settle()
    assert above.starts == [0, 1]


def test_who_requires_a_stopped_service_is_stopped_and_says_why(meta, manual_clock, moody):
    """It comes back with it."""
    register(meta, below=moody(), above=moody(requires=("below",)))
    meta.supervise()
    meta.get_service("below").stop()
    manual_clock.settle()
    above = meta.get_service("above")
    assert isinstance(above.error, DependencyFailed)
    assert 'requires "below", which was stopped' in str(above.error)
    meta.get_service("below").start()
    manual_clock.settle()
    assert states(meta) == {"below": "RUNNING", "above": "RUNNING"}


def test_a_dependency_that_dies_in_the_middle_of_the_start_takes_its_dependents_with_it(meta, manual_clock, moody):
    """They are stopped or not started, and come back with it."""

    def run(self):
        Moody.run(self)
        meta.get_service("below").failed()

    below, unlucky, above = moody(), moody(requires=("below",), run=run), moody(requires=("unlucky",))
    register(meta, below=below, unlucky=unlucky, above=above)
    meta.supervise()
    assert states(meta) == {"below": "FAILED", "unlucky": "FAILED", "above": "FAILED"}
    assert 'requires "unlucky"' in str(meta.get_service("above").error)
    unlucky.run = Moody.run
    manual_clock.advance(1)
    assert set(states(meta).values()) == {"RUNNING"}


def test_a_restart_with_a_dependency_does_not_count_towards_the_cap(meta, manual_clock, moody):
    """It has not failed."""
    above = moody(requires=("below",), restart_cap=(1, 1000.0))
    register(meta, below=moody(restart_cap=(10, 60.0), health_interval=None), above=above)
    meta.supervise()
    for _ in range(5):
        meta.get_service("below").failed()
        manual_clock.advance(20)
    assert (len(above.starts), states(meta)["above"]) == (6, "RUNNING")


# ---------------------------------------------------------------------- health


def test_a_service_is_asked_every_interval(meta, manual_clock, moody):
    """For the first time one interval after its start."""
    plain = moody(health_interval=10.0)
    register(meta, plain=plain)
    meta.supervise()
    manual_clock.advance(35)
    assert plain.checks == [10, 20, 30]
    [info] = meta.services()
    assert (info.healthy, info.health_reason, info.health_age) == (True, None, 5.0)


def test_before_the_first_check_nothing_is_known(meta, manual_clock, moody):
    """Not that it is healthy."""
    register(meta, plain=moody())
    [info] = meta.supervise()
    assert (info.healthy, info.health_reason, info.health_age) == (None, None, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (False, "health() returned False"),
        ("three of four shards are down", "three of four shards are down"),
        ("", "health() returned an empty text"),
        (ConnectionError, "ConnectionError: ill"),
        (SystemExit, "SystemExit: ill"),
        (17, "health() returned int; it returns None or True, or else False or a text that says why"),
        ([], "health() returned list; it returns None or True, or else False or a text that says why"),
    ],
)
def test_what_is_wrong_is_told(meta, manual_clock, moody, lifecycle_events, answer, reason):
    """In `services()`, in the events and to `poke`."""
    register(meta, ill=moody(health_is=answer, restart="never"))
    meta.supervise()
    manual_clock.advance(10)
    [info] = meta.services()
    assert (info.state, info.healthy, info.health_reason) == (RUNNING, False, reason)
    assert remarks(lifecycle_events, "ill") == [f"unhealthy: {reason}"]
    with pytest.raises(ServiceUnhealthy) as caught:
        meta.get_service("ill").poke()
    assert str(caught.value) == f"service 'ill' (Moody) is RUNNING but unhealthy: {reason}"


@pytest.mark.parametrize("answer", [None, True])
def test_what_is_not_wrong_is_healthy(meta, manual_clock, moody, answer):
    """Saying nothing is enough."""
    register(meta, well=moody(health_is=answer))
    meta.supervise()
    manual_clock.advance(10)
    assert meta.services()[0].healthy is True


def test_an_async_health_is_refused(meta, manual_clock, moody):
    """Its code has not run."""

    async def health(self):
        return True

    register(meta, odd=moody(health=health, restart="never"))
    meta.supervise()
    manual_clock.advance(10)
    assert "'async def'" in meta.services()[0].health_reason


def test_the_base_finds_a_service_without_an_app_unhealthy(meta, manual_clock):
    """RUNNING with an app is what it asks for."""

    def run(self):
        self.app = None

    register(meta, empty=type("Empty", (Plain,), {"run": run, "restart": "never"}), full=Plain)
    meta.supervise()
    manual_clock.advance(10)
    assert [info.healthy for info in meta.services()] == [False, True]


def test_an_unhealthy_service_is_reset_after_the_delay_if_it_still_is(meta, manual_clock, moody):
    """It is asked once more at that moment."""
    ill = moody(health_is=False)
    register(meta, ill=ill)
    meta.supervise()
    manual_clock.advance(10.5)
    assert (ill.checks, ill.starts) == ([10, 10.5], [0, 10.5])


def test_a_service_that_is_healthy_again_is_not_reset(meta, manual_clock, moody, lifecycle_events):
    """And that is an event, too."""
    ill = moody(health_is="tired")
    register(meta, ill=ill)
    meta.supervise()
    manual_clock.advance(10.2)
    ill.health_is = True
    manual_clock.advance(100)
    assert ill.starts == [0]
    assert remarks(lifecycle_events, "ill") == ["unhealthy: tired", "healthy again"]


def test_who_stays_unhealthy_is_given_up(meta, manual_clock, moody):
    """FAILED, without an app, with the history."""
    ill = moody(health_is="tired", restart_cap=(2, 600.0))
    register(meta, ill=ill)
    meta.supervise()
    manual_clock.advance(1000)
    service = meta.get_service("ill")
    assert (service.state, service.app, len(ill.starts)) == (FAILED, None, 3)
    assert [cause for _, cause in service.error.history] == ["unhealthy: tired"] * 2
    assert isinstance(service.error, RestartLimitReached)


def test_a_check_that_hangs_is_made_once(meta, manual_clock, moody):
    """The verdict says for how long it has not answered."""
    stuck = moody(health_is=NoAnswer, restart="never")
    register(meta, stuck=stuck)
    meta.supervise()
    manual_clock.advance(11)
    assert meta.services()[0].healthy is None
    manual_clock.advance(1)
    assert meta.services()[0].health_reason == "health() has not answered for 2.0 s"
    manual_clock.advance(988)
    assert meta.services()[0].health_reason == "health() has not answered for 990.0 s"
    assert stuck.checks == [10]


def test_a_service_whose_check_hangs_is_reset_once(meta, manual_clock, moody):
    """Nothing is known of the new generation until the check returns; it is not reset for that."""
    stuck = moody(health_is=NoAnswer)
    register(meta, stuck=stuck)
    meta.supervise()
    manual_clock.advance(1000)
    assert stuck.starts == [0, 12.5]
    assert meta.services()[0].healthy is False
    stuck.health_is = True
    manual_clock.answer()
    manual_clock.advance(20)
    assert meta.services()[0].healthy is True


def test_a_late_answer_counts(meta, manual_clock, moody):
    """It is the last thing that is known."""
    late = moody(health_is=NoAnswer)
    register(meta, late=late)
    meta.supervise()
    manual_clock.advance(12.2)
    assert meta.services()[0].healthy is False
    manual_clock.answer()
    late.health_is = True
    manual_clock.advance(100)
    assert late.starts == [0]
    assert meta.services()[0].healthy is True


def test_a_verdict_ends_with_its_generation(meta, manual_clock, moody):
    """The next one has not been looked at."""
    ill = moody(health_is=False, restart="never")
    register(meta, ill=ill)
    meta.supervise()
    manual_clock.advance(10)
    meta.get_service("ill").reset()
    assert meta.services()[0].healthy is None
    assert meta.get_service("ill").poke() is not None


def test_without_an_interval_nobody_asks(meta, manual_clock, moody):
    """`health_interval = None`."""
    plain = moody(health_interval=None)
    register(meta, plain=plain)
    meta.supervise()
    manual_clock.advance(1000)
    assert plain.checks == []


def test_a_service_may_know_its_interval_from_its_config(meta, manual_clock, moody):
    """What the instance says comes before what the class says."""

    def run(self):
        self.health_interval = 3.0
        Moody.run(self)

    plain = moody(run=run)
    register(meta, plain=plain)
    meta.supervise()
    manual_clock.advance(7)
    assert plain.checks == [3, 6]


def test_reading_app_in_health_starts_nothing(meta, manual_clock, moody):
    """A check is no request."""
    seen = []

    def health(self):
        self.stop()
        self.start_again = seen.append(self.app)

    register(meta, odd=moody(health=health))
    meta.supervise()
    manual_clock.advance(10)
    assert seen == [None]
    assert states(meta) == {"odd": "NOT_STARTED"}


def test_flapping_health_is_told_with_each_change_only(meta, manual_clock, moody, caplog):
    """A thousand bad answers are one record."""
    ill = moody(health_is=False, restart="never", health_interval=1.0)
    register(meta, ill=ill)
    meta.supervise()
    caplog.set_level(logging.INFO)
    manual_clock.advance(1000)
    assert len(ill.checks) == 1000
    assert [record.getMessage() for record in caplog.records] == ['Service "ill": unhealthy: health() returned False']


# ---------------------------------------------------------------------- numbers


def test_services_counts_starts_failures_and_restarts(meta, manual_clock, moody):
    """For those who measure."""
    flaky = moody(runs=False)
    register(meta, flaky=flaky)
    meta.supervise()
    manual_clock.advance(1)
    flaky.runs = True
    manual_clock.advance(5)
    [info] = meta.services()
    assert (info.starts, info.failures, info.restarts) == (3, 2, 2)
    assert info.start_duration > 0


# ---------------------------------------------------------------------- attributes


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"restart": "sometimes"}, "restart must be one of 'never', 'on-failure' and 'always', not \"sometimes\""),
        ({"on_dependency_loss": "cry"}, "on_dependency_loss must be one of"),
        ({"backoff": (2.0, 1.0)}, r"backoff must be \(first, longest\) with first <= longest"),
        ({"backoff": 1.0}, "backoff"),
        ({"restart_cap": (-1, 60.0)}, "restart_cap"),
        ({"health_interval": 0}, "health_interval must be a number of seconds above 0"),
        ({"health_timeout": float("nan")}, "health_timeout must be a number of seconds above 0"),
        (
            {"requires": "redis"},
            r"requires must be a tuple of service names, as in requires = \('redis',\), not 'redis'",
        ),
        ({"wants": (1,)}, "wants must be a tuple of service names"),
        ({"watchdog": {"worker": 0}}, "watchdog must have a number of seconds above 0 for daemon 'worker', not 0"),
    ],
)
def test_attributes_that_are_no_policy_are_refused_at_registration(meta, attributes, told):
    """With the service and the attribute."""
    with pytest.raises((TypeError, ValueError), match=f"service 'odd' .*{told}"):
        meta.add_service_builder("odd", needing(**attributes))
    assert meta.services() == []


def test_a_method_that_happens_to_be_called_so_is_no_policy(meta, manual_clock):
    """Services are older than supervision."""

    class Old(Plain):
        def restart(self):
            return self.reset(None)

        def watchdog(self):
            self.spawn_daemon(watching=list)

        def post_run(self):
            self.watchdog()

        @property
        def backoff(self):
            return "whatever"

    register(meta, old=Old)
    meta.supervise()
    assert states(meta) == {"old": "RUNNING"}


def test_a_service_that_cannot_be_built_is_tried_again_as_one_that_failed(meta, manual_clock, moody):
    """And harms nobody."""
    attempts = []

    class Unbuilt(moody()):
        def __init__(self, hook=None):
            attempts.append(None)
            if len(attempts) < 3:
                raise OSError("no settings")
            super().__init__(hook)

    register(meta, unbuilt=Unbuilt, other=moody())
    meta.supervise()
    assert states(meta) == {"unbuilt": "NOT_STARTED", "other": "RUNNING"}
    manual_clock.advance(10)
    assert states(meta) == {"unbuilt": "RUNNING", "other": "RUNNING"}


def test_a_service_that_its_config_disables_is_left_alone_and_comes_back_with_it(meta, manual_clock, moody):
    """After a refresh; who requires it comes and goes with it."""
    settings = {"enabled": True}
    below = moody(build_config=lambda self, hook: dict(settings))
    register(meta, below=below, above=moody(requires=("below",)))
    meta.supervise()
    settings["enabled"] = False
    meta.get_service("below").reset()
    manual_clock.advance(1)
    assert states(meta) == {"below": "NOT_STARTED", "above": "FAILED"}
    assert "is disabled" in str(meta.get_service("above").error)
    settings["enabled"] = True
    meta.get_service("below").reset()
    manual_clock.advance(1)
    assert states(meta) == {"below": "RUNNING", "above": "RUNNING"}
