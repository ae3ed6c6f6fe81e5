"""Random graphs with failures injected, in simulated time: order, single starts, and how long the start takes.

The decisions are those of the shipped supervisor, and the services are real; what they take is counted, not slept.
"""

import heapq

from hypothesis import given, settings, strategies as st
from jaseci.svc import CommonService, MetaService
from jaseci.svc._core import Policy, SupervisorCore, mark_failed, set_clock
from jaseci.svc.testing import isolated

MOST_SERVICES = 200
BEGIN = 1000.0


class Simulated(CommonService):
    """Fails as often as it is told."""

    def __init__(self, name, failures, log):
        super().__init__()
        self._name, self.enabled, self.quiet = name, True, True
        self.failures, self.log = failures, log

    def run(self):
        self.log.append(self._name)
        if self.failures[self._name]:
            self.failures[self._name] -= 1
            raise OSError("injected")
        self.app = object()


@st.composite
def graphs(draw, failing=True):
    """Services by name: what each requires (those before it, mixed up), how long it takes, how often it fails first."""
    count = draw(st.integers(1, MOST_SERVICES))
    random = draw(st.randoms(use_true_random=False))
    most = draw(st.integers(0, 6))
    names = [f"s{number}" for number in range(count)]
    shape = {
        name: (
            random.sample(names[:at], min(at, random.randint(0, most))),
            random.uniform(0.1, 10.0),
            random.choice((0, 0, 0, 0, 0, 1, 2)) if failing else 0,
        )
        for at, name in enumerate(names)
    }
    random.shuffle(names)
    return {name: shape[name] for name in names}


class Simulation:
    """Executes what the supervisor decides, with as many workers as there are tasks, in simulated time."""

    def __init__(self, graph):
        self.now, self.log = BEGIN, []
        self.requires = {name: requires for name, (requires, _, _) in graph.items()}
        self.durations = {name: duration for name, (_, duration, _) in graph.items()}
        failures = {name: failures for name, (_, _, failures) in graph.items()}
        self.services = {name: Simulated(name, failures, self.log) for name in graph}
        # The tasks that are being executed, by when they end.
        self.ends, self.starting = [], set()
        set_clock(self.now)
        self.core = SupervisorCore(seed=1)
        policy = Policy("on-failure", "restart", (0.5, 2.0), (5, 60.0), None, 2.0, 1000.0)
        self.core.plan([(name, requires, [], policy) for name, requires in self.requires.items()], [])

    def run(self):
        """Until every service runs; how long that took."""
        while not all(service.is_running() for service in self.services.values()):
            wake = self.core.advance()[3]
            while (task := self.core.take_task()) is not None:
                self.begin(task)
            due = [end for end, *_ in self.ends[:1]] + [wake / 1e9 for wake in [wake] if wake is not None]
            self.now = max(self.now, min(due))
            set_clock(self.now)
            while self.ends and self.ends[0][0] <= self.now:
                self.finish(heapq.heappop(self.ends)[2])
        return self.now - BEGIN

    def begin(self, task):
        takes = 0.0
        if task.kind in {"start", "restart"}:
            takes = self.durations[task.service]
            missing = [name for name in self.requires[task.service] if not self.services[name].is_running()]
            assert missing == [], f"{task.service} was started before {missing}"
            assert task.service not in self.starting, f"{task.service} was started twice at a time"
            self.starting.add(task.service)
        heapq.heappush(self.ends, (self.now + takes, task.token, task))

    def finish(self, task):
        service = self.services[task.service]
        if task.kind == "block":
            mark_failed(service, OSError(task.detail), task.detail)
        elif service.has_failed():
            service.reset()
        else:
            service.start()
        self.starting.discard(task.service)
        self.core.task_done(task.token, service, None, "injected" if service.has_failed() else None)


def critical_path(graph):
    """How long the start takes if nothing but what is required is waited for."""
    done = {}

    def end(name):
        if name not in done:
            requires, duration, _ = graph[name]
            done[name] = duration + max(map(end, requires), default=0.0)
        return done[name]

    return max(map(end, sorted(graph, key=lambda name: int(name[1:]))))


def simulate(graph):
    """Runs it on a registry of its own; how long it took, and in which order who was started."""
    with isolated():
        MetaService()
        try:
            simulation = Simulation(graph)
            return simulation.run(), simulation.log
        finally:
            set_clock(None)


@settings(deadline=None, max_examples=25)
@given(graphs(failing=False))
def test_a_start_takes_as_long_as_the_critical_path(graph):
    """Within 15%; in fact exactly: nothing waits for what it does not require."""
    took, _ = simulate(graph)
    path = critical_path(graph)
    assert path - 1e-6 <= took <= path * 1.15


@settings(deadline=None, max_examples=25)
@given(graphs())
def test_whatever_fails_the_order_is_respected_and_nobody_is_started_twice(graph):
    """Each is started once and once more for each of its failures. What it requires runs at that time."""
    _, log = simulate(graph)
    assert {name: log.count(name) for name in graph} == {name: 1 + failures for name, (_, _, failures) in graph.items()}
