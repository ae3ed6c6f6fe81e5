//! The supervisor on services that are no more than a sample, and a time that the test says.
#![allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]

use super::*;
use crate::runtime::state::ServiceState;
use crate::runtime::supervision::policy::Checking;
use crate::runtime::supervision::supervised::Sample;
use crate::runtime::supervision::task::Kind;
use crate::runtime::supervision::watchdog::DaemonNews;
use std::sync::Mutex as Plain;

/// What a test makes a service be, and what it was told.
#[derive(Clone)]
struct Fake(Arc<Plain<State>>);

struct State {
    sample: Sample,
    remarks: Vec<String>,
    verdict: Option<Verdict>,
}

impl Fake {
    fn new() -> Self {
        let state = ServiceState::NotStarted;
        let sample = Sample { state, enabled: true, stopped: false, resetting: false, generation: 1 };
        Self(Arc::new(Plain::new(State { sample, remarks: Vec::new(), verdict: None })))
    }

    fn be(&self, state: ServiceState) {
        self.0.lock().unwrap().sample.state = state;
    }

    fn renew(&self) {
        self.0.lock().unwrap().sample.generation += 1;
    }

    fn stop(&self) {
        self.renew();
        let sample = &mut self.0.lock().unwrap().sample;
        (sample.state, sample.stopped) = (ServiceState::NotStarted, true);
    }

    fn remarks(&self) -> Vec<String> {
        self.0.lock().unwrap().remarks.clone()
    }
}

impl Supervised for Fake {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    fn sample(&self) -> Sample {
        self.0.lock().unwrap().sample
    }
    fn daemons(&self, _: Duration) -> DaemonNews {
        DaemonNews::default()
    }
    fn judged(&self, _: u64, verdict: Verdict, _: Duration) {
        self.0.lock().unwrap().verdict = Some(verdict);
    }
    fn remark(&self, reason: &str) {
        self.0.lock().unwrap().remarks.push(reason.to_owned());
    }
    fn restarted(&self) {}
    fn stop_earlier(&self) {}
}

/// Services by name, and who requires whom: `("above", &["below"])`.
struct Scene {
    supervisor: Supervisor<Fake>,
    services: Vec<(&'static str, Fake)>,
    now: Duration,
}

impl Scene {
    fn new(graph: &[(&'static str, &[&'static str])], policy: Policy) -> Self {
        let supervisor = Supervisor::new(Jitter::Off);
        let spec = |(name, requires): &(&'static str, &[&'static str])| Spec {
            node: Node {
                name: (*name).into(),
                requires: requires.iter().map(|name| (*name).into()).collect(),
                wants: Vec::new(),
            },
            policy,
        };
        supervisor.plan(graph.iter().map(spec).collect(), &[]).unwrap();
        let services = graph.iter().map(|(name, _)| (*name, Fake::new())).collect();
        Self { supervisor, services, now: Duration::from_secs(1000) }
    }

    fn service(&self, name: &str) -> &Fake {
        &self.services.iter().find(|(other, _)| *other == name).unwrap().1
    }

    /// The tasks that are there after some seconds, as `(what, whom)`; they are taken.
    fn tasks_after(&mut self, seconds: f64) -> Vec<Task> {
        self.now += Duration::from_secs_f64(seconds);
        self.supervisor.advance(self.now);
        std::iter::from_fn(|| self.supervisor.take_task(self.now)).collect()
    }

    fn end(&self, task: &Task, failure: Option<&str>) {
        let service = Some(self.service(&task.service).clone());
        self.supervisor.task_done(
            task.token,
            Ended { service, policy: None, failure: failure.map(Into::into) },
            self.now,
        );
    }

    /// Executes whatever there is to do at once: every start goes well.
    fn come_up(&mut self) {
        loop {
            let tasks = self.tasks_after(0.0);
            if tasks.is_empty() {
                return;
            }
            for task in &tasks {
                self.execute(task);
            }
        }
    }

    fn execute(&self, task: &Task) {
        let service = self.service(&task.service);
        match task.kind {
            Kind::Stop { .. } => service.stop(),
            Kind::Start => service.be(ServiceState::Running),
            Kind::Restart => {
                service.renew();
                service.be(ServiceState::Running);
            }
            _ => service.be(ServiceState::Failed),
        }
        self.end(task, None);
    }

    fn observe(&self, name: &str, failure: Option<&str>) {
        let service = Some(self.service(name).clone());
        self.supervisor.observe(name, Ended { service, policy: None, failure: failure.map(Into::into) }, self.now);
    }

    fn settled(&self) -> bool {
        self.supervisor.settled().is_set()
    }
}

fn told(tasks: &[Task]) -> Vec<String> {
    let kind = |task: &Task| match &task.kind {
        Kind::Start => "start",
        Kind::Restart => "restart",
        Kind::Stop { .. } => "stop",
        Kind::Block { .. } => "block",
        Kind::GiveUp { .. } => "give up",
        Kind::RestartDaemon { .. } => "restart daemon",
    };
    tasks.iter().map(|task| format!("{} {}", kind(task), task.service)).collect()
}

const DIAMOND: &[(&str, &[&str])] =
    &[("top", &["left", "right"]), ("left", &["bottom"]), ("right", &["bottom"]), ("bottom", &[])];

#[test]
fn what_is_free_to_start_starts_at_once_and_nothing_else() {
    let mut scene = Scene::new(DIAMOND, Policy::default());
    for expected in [vec!["start bottom"], vec!["start left", "start right"], vec!["start top"]] {
        let tasks = scene.tasks_after(0.0);
        assert_eq!(told(&tasks), expected);
        assert!(!scene.settled());
        for task in &tasks {
            scene.execute(task);
        }
    }
    assert!(scene.settled());
}

#[test]
fn a_reset_waits_until_everybody_above_is_stopped() {
    let mut scene = Scene::new(DIAMOND, Policy::default());
    scene.come_up();
    scene.service("bottom").be(ServiceState::Failed);
    scene.observe("bottom", Some("boom"));
    let tasks = scene.tasks_after(0.0);
    assert_eq!(told(&tasks), ["stop top"]);
    // Its delay is over, but it waits.
    assert_eq!(told(&scene.tasks_after(0.5)), Vec::<String>::new());
    scene.execute(&tasks[0]);
    let tasks = scene.tasks_after(0.0);
    assert_eq!(told(&tasks), ["stop left", "stop right"]);
    for task in &tasks {
        scene.execute(task);
    }
    let tasks = scene.tasks_after(0.0);
    assert_eq!(told(&tasks), ["restart bottom", "block left", "block right"]);
    for task in &tasks {
        scene.execute(task);
    }
    scene.come_up();
    assert!(scene.services.iter().all(|(_, service)| service.sample().state == ServiceState::Running));
}

#[test]
fn a_start_that_is_overdue_settles_the_matter_for_those_who_wait() {
    let mut scene = Scene::new(&[("above", &["below"]), ("below", &[])], Policy::default());
    let start = scene.tasks_after(0.0);
    assert_eq!(scene.supervisor.advance(scene.now).wake, Some(scene.now + Duration::from_secs(30)));
    assert_eq!(told(&scene.tasks_after(29.9)), Vec::<String>::new());
    let block = scene.tasks_after(0.1);
    assert_eq!(told(&block), ["block above"]);
    scene.execute(&block[0]);
    assert!(scene.settled());
    // It comes after all.
    scene.execute(&start[0]);
    assert_eq!(told(&scene.tasks_after(0.0)), ["start above"]);
}

#[test]
fn a_stop_that_is_overdue_holds_nobody_up_and_its_service_comes_back_after_it() {
    let mut scene = Scene::new(&[("above", &["below"]), ("below", &[])], Policy::default());
    scene.come_up();
    scene.service("below").be(ServiceState::Failed);
    scene.observe("below", Some("boom"));
    let stop = scene.tasks_after(0.0);
    assert_eq!(told(&stop), ["stop above"]);
    assert_eq!(told(&scene.tasks_after(39.9)), Vec::<String>::new());
    let restart = scene.tasks_after(0.1);
    assert_eq!(told(&restart), ["restart below"]);
    scene.execute(&restart[0]);
    assert_eq!(told(&scene.tasks_after(0.0)), Vec::<String>::new());
    // The late stop is the supervisor's own: nobody is thought to have stopped the service.
    scene.service("above").stop();
    scene.observe("above", None);
    scene.end(&stop[0], None);
    assert_eq!(told(&scene.tasks_after(0.0)), ["start above"]);
}

#[test]
fn a_service_in_other_hands_is_looked_at_until_it_is_free() {
    let mut scene = Scene::new(&[("service", &[])], Policy::default());
    scene.come_up();
    let service = scene.service("service").clone();
    service.renew();
    service.be(ServiceState::NotStarted);
    service.0.lock().unwrap().sample.resetting = true;
    scene.observe("service", None);
    assert!(!scene.settled());
    assert_eq!(told(&scene.tasks_after(0.1)), Vec::<String>::new());
    // The reset ended without a start, and without an event: the new settings disable it.
    let sample = Sample { enabled: false, resetting: false, ..service.sample() };
    service.0.lock().unwrap().sample = sample;
    assert_eq!(scene.supervisor.advance(scene.now).wake, Some(scene.now + Duration::from_millis(100)));
    assert_eq!(told(&scene.tasks_after(0.1)), Vec::<String>::new());
    assert!(scene.settled());
}

#[test]
fn an_observation_that_comes_late_says_nothing_new() {
    let mut scene = Scene::new(&[("above", &["below"]), ("below", &[])], Policy::default());
    scene.come_up();
    for _ in 0..3 {
        scene.observe("below", None);
        scene.observe("above", None);
    }
    assert_eq!(told(&scene.tasks_after(1.0)), Vec::<String>::new());
}

#[test]
fn a_plan_that_grows_leaves_what_runs_alone() {
    let mut scene = Scene::new(&[("above", &["below"]), ("below", &[])], Policy::default());
    scene.come_up();
    // What leans on a generation that is over still does, whatever the plan becomes.
    scene.service("below").renew();
    scene.observe("below", None);
    let node = |name: &str, requires: &[&str]| Node {
        name: name.into(),
        requires: requires.iter().map(|name| (*name).into()).collect(),
        wants: Vec::new(),
    };
    let nodes = [node("new", &["below"]), node("below", &[]), node("above", &["below", "new"])];
    let specs = nodes.into_iter().map(|node| Spec { node, policy: Policy::default() });
    scene.supervisor.plan(specs.collect(), &[]).unwrap();
    scene.services.push(("new", Fake::new()));
    assert_eq!(told(&scene.tasks_after(0.0)), ["start new", "stop above"]);
}

#[test]
fn a_plan_that_is_refused_changes_nothing() {
    let mut scene = Scene::new(&[("service", &[])], Policy::default());
    scene.come_up();
    let node = Node { name: "service".into(), requires: vec!["nope".into()], wants: Vec::new() };
    assert!(scene.supervisor.plan(vec![Spec { node, policy: Policy::default() }], &[]).is_err());
    assert_eq!(scene.supervisor.names().len(), 1);
    scene.service("service").be(ServiceState::Failed);
    scene.observe("service", Some("boom"));
    assert_eq!(told(&scene.tasks_after(0.5)), ["restart service"]);
}

#[test]
fn checks_that_are_due_soon_are_made_with_the_one_that_is() {
    let policy = |interval| Policy {
        checking: Some(Checking { interval: Duration::from_secs(interval), timeout: Duration::from_secs(2) }),
        ..Policy::default()
    };
    let mut scene = Scene::new(&[("a", &[]), ("b", &[]), ("c", &[])], policy(100));
    let specs = ["a", "b", "c"].into_iter().zip([100, 104, 120]).map(|(name, interval)| Spec {
        node: Node { name: name.into(), requires: Vec::new(), wants: Vec::new() },
        policy: policy(interval),
    });
    scene.supervisor.plan(specs.collect(), &[]).unwrap();
    scene.come_up();
    scene.now += Duration::from_secs(100);
    assert_eq!(scene.supervisor.advance(scene.now).checks, 2);
    let names: Vec<_> = std::iter::from_fn(|| scene.supervisor.take_check(scene.now)).map(|check| check.name).collect();
    assert_eq!(names, [Arc::<str>::from("a"), Arc::<str>::from("b")]);
}

#[test]
fn a_check_that_hangs_is_known_by_its_timeout_and_frees_a_place() {
    let mut scene = Scene::new(&[("service", &[])], Policy::default());
    scene.come_up();
    scene.now += Duration::from_secs(10);
    scene.supervisor.advance(scene.now);
    let began = scene.now;
    let check = scene.supervisor.take_check(scene.now).unwrap();
    assert_eq!(scene.supervisor.advance(scene.now).wake, Some(began + Duration::from_secs(2)));
    scene.now += Duration::from_secs(2);
    assert_eq!(scene.supervisor.advance(scene.now).hanging, 1);
    assert_eq!(scene.service("service").0.lock().unwrap().verdict, Some(Verdict::Unanswered { began }));
    assert!(scene.supervisor.check_done(check.token, Verdict::Healthy, scene.now));
    assert_eq!(scene.supervisor.advance(scene.now).hanging, 0);
    assert_eq!(scene.service("service").remarks(), ["unhealthy: health() has not answered for 2.0 s", "healthy again"]);
}

#[test]
fn a_timekeeper_that_sleeps_is_told_of_what_is_due_earlier() {
    let mut scene = Scene::new(&[("service", &[])], Policy::default());
    scene.come_up();
    let wake = scene.supervisor.advance(scene.now).wake.unwrap();
    scene.supervisor.timekeeper(Timekeeper::Until(wake));
    assert!(!scene.supervisor.advance(scene.now).earlier);
    scene.service("service").be(ServiceState::Failed);
    scene.observe("service", Some("boom"));
    assert!(scene.supervisor.advance(scene.now).earlier);
}

#[test]
fn after_the_close_nothing_is_handed_out_and_nobody_waits() {
    let mut scene = Scene::new(&[("taken", &[]), ("waiting", &[])], Policy::default());
    scene.supervisor.advance(scene.now);
    let task = scene.supervisor.take_task(scene.now).unwrap();
    let waiting = scene.supervisor.settled();
    scene.supervisor.close();
    assert!(waiting.is_set());
    scene.execute(&task);
    assert_eq!(told(&scene.tasks_after(100.0)), Vec::<String>::new());
    assert!(scene.supervisor.take_check(scene.now).is_none());
}
