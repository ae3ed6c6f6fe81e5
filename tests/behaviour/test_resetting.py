"""Section 3: `reset` and `stop`, also against a start that is still going on."""

from _thread import interrupt_main
from threading import Event

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, ServiceState

from behaviour.services import PATIENCE, Broken, Held, Plain, waits_for_stop
from behaviour.threads import Going, together

NOT_STARTED, RUNNING = ServiceState.NOT_STARTED, ServiceState.RUNNING


class Configured(CommonService):
    def __init__(self, hook, region, size=1):
        super().__init__(hook)
        self.region, self.size, self.built_with = region, size, hook

    def build_config(self, hook):
        return hook.service_glob("CONFIGURED_CONFIG", {"enabled": True, "host": "old"})

    def run(self, hook):
        self.app = (self.config["host"], hook)


def test_a_reset_reads_the_settings_again_and_starts():
    """With the hook that it is given."""
    service = Configured(MemoryHook(), "north").start()
    hook = MemoryHook()
    hook.save_glob("CONFIGURED_CONFIG", '{"enabled": true, "host": "new"}')
    service.reset(hook)
    assert service.app == ("new", hook)


def test_a_reset_calls_the_constructor_with_its_original_arguments_and_the_new_hook():
    """Positional and by keyword."""
    service = Configured(MemoryHook(), "north", size=3).start()
    hook = MemoryHook()
    service.reset(hook)
    assert (service.region, service.size, service.built_with) == ("north", 3, hook)


def test_a_reset_with_a_hook_given_by_keyword_replaces_it_there():
    """Wherever it stood."""
    service = Configured(region="south", hook=MemoryHook()).start()
    hook = MemoryHook()
    service.reset(hook)
    assert (service.region, service.built_with) == ("south", hook)


def test_a_reset_is_the_way_out_of_failed():
    """The error is gone with the failure."""

    class Moody(Broken):
        fails = True

        def run(self, hook=None):
            if self.fails:
                super().run(hook)
            self.app = "app"

    service = Moody().start()
    assert service.has_failed()
    Moody.fails = False
    service.reset(MemoryHook())
    assert (service.state, service.error) == (RUNNING, None)


def test_a_reset_into_disabled_settings_leaves_it_not_started():
    """The app is dropped."""
    service = Configured(MemoryHook(), "north").start()
    hook = MemoryHook()
    hook.save_glob("CONFIGURED_CONFIG", '{"enabled": false}')
    service.reset(hook)
    assert (service.state, service.app) == (NOT_STARTED, None)


def test_the_old_generations_daemons_are_stopped_by_a_reset():
    """The new ones run."""

    class Working(Plain):
        def post_run(self):
            self.spawn_daemon(worker=self.work)

        def work(self):
            self.__dict__.setdefault("signals", []).append(self.stop_requested)
            self.stop_requested.wait(PATIENCE)

    service = Working().start()
    service.reset(MemoryHook())
    assert [daemon.alive for daemon in service.daemons() if daemon.name == "worker"][-1]
    assert service.signals[0].is_set()


def test_a_daemon_may_reset_its_own_service():
    """The calling thread is never joined."""

    class Healing(Plain):
        resets = 0

        def post_run(self):
            if not Healing.resets:
                self.spawn_daemon(healer=self.heal)

        def heal(self):
            Healing.resets += 1
            self.reset(MemoryHook())
            done.append(self.state)
            healed.set()

    done, healed = [], Event()
    Healing().start()
    assert healed.wait(PATIENCE)
    assert done == [RUNNING]


class Impatient(Held):
    """Its resets do not wait long for a run; the first run writes late."""

    start_timeout = 0.05
    runs = 0

    def run(self, hook=None):
        self.runs += 1
        if self.runs > 1:
            self.app = "new"
            return
        self.entered.set()
        assert self.release.wait(PATIENCE)
        self.app, self.config, self.kube = "late", {"late": 1}, {"late": []}
        self.error, self.enabled, self.quiet = OSError("late"), False, True
        self.state = ServiceState.FAILED


@pytest.fixture
def overtaken():
    """A service that was reset over a hanging run, after that run has ended."""
    service = Impatient()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    service.reset(MemoryHook())
    service.release.set()
    assert starter.ended() is service
    return service


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app", "new"),
        ("config", {}),
        ("kube", None),
        ("error", None),
        ("state", RUNNING),
        ("enabled", True),
        ("quiet", False),
    ],
)
def test_what_an_abandoned_run_writes_late_is_dropped(overtaken, name, value):
    """A slow old run overwrote a reset service."""
    assert getattr(overtaken, name) == value


def test_an_abandoned_run_that_fails_does_not_fail_the_new_generation():
    """Its failure is nobody's business any more."""

    class Failing(Impatient):
        def run(self, hook=None):
            super().run(hook)
            if self.app != "new" or self.release.is_set():
                raise OSError("late")

    service = Failing()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    service.reset(MemoryHook())
    service.release.set()
    starter.ended()
    assert (service.state, service.error) == (RUNNING, None)


def test_two_resets_behind_one_hung_start_do_not_overlap():
    """Each holder has its own time: the second reset waits for the start of the first, however long its own wait was."""

    class Resettable(Impatient):
        start_timeout = 0.3
        inside, overlaps = 0, 0

        def run(self, hook=None):
            self.runs += 1
            if self.runs == 1:
                self.entered.set()
                assert self.release.wait(PATIENCE)
                return
            self.inside += 1
            self.overlaps += self.inside > 1
            waits_for_nothing.wait(0.2)
            self.inside -= 1
            self.app = self.runs

    waits_for_nothing = Event()
    service = Resettable()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    together(2, lambda _: service.reset(MemoryHook()))
    service.release.set()
    starter.ended()
    assert (service.app, service.overlaps) == (3, 0)


def test_a_reset_waits_for_a_run_that_looks_at_the_stop_signal():
    """It ends now, and the reset starts anew."""

    class Polite(Held):
        runs = 0

        def run(self, hook=None):
            self.runs += 1
            if self.runs == 1:
                self.entered.set()
                assert self.stop_requested.wait(PATIENCE)
            self.app = self.runs

    service = Polite()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    service.reset(MemoryHook())
    starter.ended()
    assert service.app == 2


@pytest.mark.parametrize("way", ["reset", "stop"])
def test_an_interrupted_reset_or_stop_takes_its_request_back(way):
    """What is refused changes nothing: Ctrl-C while it waits, and the run goes on as if nobody had asked."""

    class Asked(Held):
        def run(self, hook=None):
            self.request = self.stop_requested
            super().run(hook)

    service = Asked()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    Going(lambda: service.request.wait(PATIENCE) and interrupt_main())
    with pytest.raises(KeyboardInterrupt):
        getattr(service, way)()
    assert not service.request
    assert not service.request.wait(0)
    service.release.set()
    assert starter.ended().is_running()


def test_a_run_of_a_generation_that_is_over_is_asked_to_stop():
    """However late it looks."""

    class Late(Impatient):
        def run(self, hook=None):
            super().run(hook)
            self.__dict__.setdefault("asked", []).append(bool(self.stop_requested))

    service = Late()
    starter = Going(service.start)
    assert service.entered.wait(PATIENCE)
    service.reset(MemoryHook())
    service.release.set()
    starter.ended()
    assert service.asked == [False, True]


def test_a_stop_drops_the_app_and_ends_the_daemons():
    """NOT_STARTED."""
    service = Plain().start()
    service.spawn_daemon(worker=waits_for_stop(service))
    service.stop()
    assert service.state is NOT_STARTED
    assert [daemon.alive for daemon in service.daemons()] == [False]


def test_reading_app_does_not_start_a_stopped_service():
    """Whoever stopped it meant it."""
    service = Plain().start()
    service.stop()
    assert (service.app, service.state) == (None, NOT_STARTED)


@pytest.mark.parametrize("way", ["start", "reset"])
def test_start_and_reset_start_a_stopped_service(way):
    """Asked for by name."""
    service = Plain().start()
    service.stop()
    getattr(service, way)(MemoryHook())
    assert service.is_running()


def test_stop_may_be_overridden():
    """Calling super().stop()."""

    class Closing(Plain):
        def stop(self):
            self.closed = self.app
            super().stop()

    service = Closing().start()
    app = service.app
    service.stop()
    assert (service.closed, service.app) == (app, None)


def test_the_events_of_reset_and_stop_say_why(lifecycle_events):
    """In order."""
    service = Plain().start()
    service.reset(MemoryHook())
    service.stop()
    reasons = [reason for _, after, reason in lifecycle_events.of("Plain") if after is NOT_STARTED]
    assert reasons == ["reset", "stopped"]
