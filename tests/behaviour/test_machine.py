"""The life cycle against a model of it: any order of start, reset, stop, assignment, failure and daemons."""

from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, ServiceState
from jaseci.svc.testing import LifecycleRecorder, isolated

from behaviour.services import waits_for_stop

NOT_STARTED, RUNNING, FAILED = ServiceState.NOT_STARTED, ServiceState.RUNNING, ServiceState.FAILED
DAEMONS = st.sampled_from(["a", "b", "c"])
MOODS = st.sampled_from(["runs", "fails", "fails late"])


class Subject(CommonService):
    mood = "runs"
    runs = 0

    def build_config(self, hook):
        return hook.service_glob("SUBJECT_CONFIG", {"enabled": True})

    def run(self, hook):
        self.runs += 1
        self.app = self.runs
        if self.mood == "fails":
            raise OSError

    def post_run(self):
        if self.mood == "fails late":
            raise OSError


class LifeCycle(RuleBasedStateMachine):
    """The model: state, app, enabled, stopped, runs, and the living daemons."""

    def __init__(self):
        super().__init__()
        self.isolation = isolated()
        self.isolation.__enter__()
        self.hook = MemoryHook()
        self.recorder = LifecycleRecorder()
        self.service = Subject(self.hook)
        self.setting = True
        self.state, self.app, self.enabled, self.stopped, self.runs = NOT_STARTED, None, True, False, 0
        self.failed_with_error = False
        self.daemons = set()

    def teardown(self):
        self.isolation.__exit__(None, None, None)

    def model_start(self, by_reading=False):
        if not self.enabled or self.state is not NOT_STARTED or self.app is not None or (by_reading and self.stopped):
            return
        self.stopped = False
        self.runs += 1
        runs = self.service.mood == "runs"
        self.state, self.app = (RUNNING, self.runs) if runs else (FAILED, None)
        if not runs:
            self.failed_with_error = True

    def model_end(self):
        self.state, self.app = NOT_STARTED, None
        self.daemons = set()

    @rule(mood=MOODS)
    def change_mood(self, mood):
        self.service.mood = mood

    @rule(enabled=st.booleans())
    def change_setting(self, enabled):
        self.setting = enabled
        self.hook.save_glob("SUBJECT_CONFIG", f'{{"enabled": {str(enabled).lower()}}}')

    @rule()
    def start(self):
        assert self.service.start(self.hook) is self.service
        self.model_start()

    @rule()
    def read_app(self):
        app = self.service.app
        self.model_start(by_reading=True)
        assert app == self.app

    @rule()
    def reset(self):
        self.service.reset(self.hook)
        self.model_end()
        self.enabled, self.stopped, self.failed_with_error = self.setting, False, False
        self.model_start()

    @rule()
    def stop(self):
        self.service.stop()
        self.model_end()
        self.stopped = True

    @rule()
    def fail_by_hand(self):
        self.service.failed()
        self.state, self.app, self.stopped = FAILED, None, False

    @rule(state=st.sampled_from([NOT_STARTED, RUNNING, FAILED]))
    def assign_state(self, state):
        self.service.state = state
        self.state, self.stopped = state, False

    @rule(enabled=st.booleans())
    def assign_enabled(self, enabled):
        self.service.enabled = self.enabled = enabled

    @rule(app=st.sampled_from([None, "assigned"]))
    def assign_app(self, app):
        self.service.app = self.app = app

    @rule(name=DAEMONS)
    def spawn(self, name):
        self.service.spawn_daemon(**{name: waits_for_stop(self.service)})
        self.daemons.add(name)

    @rule(name=DAEMONS)
    def terminate(self, name):
        self.service.terminate_daemon(name)
        self.daemons.discard(name)

    @invariant()
    def the_service_is_as_the_model(self):
        service = self.service
        assert service.state is self.state
        assert service.enabled is self.enabled
        assert service.is_ready() == (self.state is NOT_STARTED and self.app is None)
        assert service.is_running() == (self.state is RUNNING and self.app is not None)
        assert service.has_failed() == (self.state is FAILED)
        assert service.runs == self.runs
        if self.failed_with_error:
            assert isinstance(service.error, OSError)

    @invariant()
    def the_living_daemons_are_those_of_the_model(self):
        assert {daemon.name for daemon in self.service.daemons() if daemon.alive} == self.daemons

    @invariant()
    def the_events_make_one_chain(self):
        moves = self.recorder.of("Subject")
        assert all(earlier[1] is later[0] for earlier, later in pairwise(moves))
        assert (moves[-1][1] if moves else NOT_STARTED) is self.state


TestLifeCycle = LifeCycle.TestCase
