//! The model check of supervision: every interleaving of the supervisor's workers with a reset, a stop and a shutdown, on the
//! very types that are shipped.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --no-default-features --test model_supervision` (`make model`). Without that
//! flag there is nothing in here. Explored is every order in which a thread that could go on is preempted at most
//! [`PREEMPTIONS_OF_TWO`] times, of three callers [`PREEMPTIONS_OF_THREE`] times: a task takes and gives back several locks, so
//! that all orders would be too many. Waits are those of `model.rs`. Time does not pass, and delays are none.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]

use jaseci_svc::runtime::blocking::{Blocking, Ident, Waited};
use jaseci_svc::runtime::gate::Purpose;
use jaseci_svc::runtime::lifecycle::{Asked, Lifecycle, Refused, Ticket, Written};
use jaseci_svc::runtime::process::Process;
use jaseci_svc::runtime::state::ServiceState;
use jaseci_svc::runtime::supervision::backoff::{Backoff, Jitter};
use jaseci_svc::runtime::supervision::graph::Node;
use jaseci_svc::runtime::supervision::health::{Board, Record, Verdict};
use jaseci_svc::runtime::supervision::policy::{Cap, Checking, Policy};
use jaseci_svc::runtime::supervision::supervised::{Sample, Supervised};
use jaseci_svc::runtime::supervision::supervisor::{Ended, Spec, Supervisor};
use jaseci_svc::runtime::supervision::task::{Kind, Task};
use jaseci_svc::runtime::supervision::watchdog::DaemonNews;
use jaseci_svc::runtime::sync::{Arc, Signal};
use loom::thread;
use std::convert::Infallible;
// The checker's own counters: what they count must not be a point where it switches.
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PREEMPTIONS_OF_TWO: usize = 5;
const PREEMPTIONS_OF_THREE: usize = 3;
/// Time stands still, long after the beginning.
const NOW: Duration = Duration::from_secs(1000);
/// More rounds than any of these plans needs to come to rest.
const ROUNDS: usize = 20;

fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 100_000;
    builder.check(model);
}

/// Waits as long as it takes.
struct Patient;

impl Blocking for Patient {
    type Interrupt = Infallible;

    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        assert!(signal.wait(None));
        Ok(Waited::Happened)
    }

    fn renew(&mut self) {}
}

/// A service as a host would build one. Its first so many runs fail.
struct Service {
    life: Lifecycle<&'static str>,
    health: Board,
    runs: AtomicUsize,
    inside: AtomicUsize,
    fails: usize,
    requires: Option<Arc<Service>>,
}

#[derive(Clone)]
struct Handle(Arc<Service>);

impl Supervised for Handle {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
    fn sample(&self) -> Sample {
        self.0.life.sample()
    }
    fn daemons(&self, _: Duration) -> DaemonNews {
        DaemonNews::default()
    }
    fn judged(&self, generation: u64, verdict: Verdict, at: Duration) {
        self.0.health.show(Record { generation, verdict, at });
    }
    fn remark(&self, _: &str) {}
    fn restarted(&self) {}
    fn stop_earlier(&self) {
        self.0.life.stop_earlier();
    }
}

impl Service {
    fn new(
        process: &Arc<Process<&'static str>>,
        name: &'static str,
        fails: usize,
        requires: Option<&Arc<Service>>,
    ) -> Arc<Self> {
        let life = Lifecycle::new(Arc::clone(process), name, name.into());
        assert_eq!(life.write(None, |flags| flags.enabled(true)), Written::Done(()));
        let (runs, inside) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { life, health: Board::default(), runs, inside, fails, requires: requires.cloned() })
    }

    /// What a host does for `start()`. `supervised`: what it requires must be running then.
    fn start(&self, me: Ident, supervised: bool) -> Result<(), Refused<Infallible>> {
        let Some(ticket) = self.life.begin_start(me, Asked::Explicitly, &mut Patient)? else { return Ok(()) };
        if let Some(required) = self.requires.as_ref().filter(|_| supervised) {
            assert!(required.runs.load(Ordering::SeqCst) > required.fails, "started before what it requires");
        }
        self.run(me, &ticket);
        self.life.end(&ticket);
        Ok(())
    }

    fn run(&self, me: Ident, ticket: &Ticket) {
        assert_eq!(self.inside.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
        let number = self.runs.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.life.write(Some(me), |flags| flags.has_app(true)), Written::Done(()));
        self.inside.fetch_sub(1, Ordering::SeqCst);
        if number < self.fails {
            assert!(self.life.fail(ticket, "boom".into(), || {}));
            assert_eq!(self.life.write(Some(me), |flags| flags.has_app(false)), Written::Done(()));
        } else {
            self.life.ran(ticket);
        }
    }

    /// What a host does for `reset()`.
    fn reset(&self, me: Ident, supervised: bool) -> Result<(), Refused<Infallible>> {
        let ticket = self.life.begin_end(me, Purpose::Reset, &mut Patient)?;
        let result = if self.life.clear(&ticket, || {}).is_some() { self.start(me, supervised) } else { Ok(()) };
        self.life.end(&ticket);
        result
    }

    /// What a host does for `stop()`.
    fn stop(&self, me: Ident) {
        let ticket = self.life.begin_end(me, Purpose::Stop, &mut Patient).unwrap();
        self.life.clear(&ticket, || {});
        self.life.end(&ticket);
    }

    /// What a host does to leave it FAILED without a start.
    fn mark_failed(&self) {
        let marked = self.life.write(None, |flags| {
            if !matches!(flags.current(), ServiceState::Running | ServiceState::Started) {
                flags.state(ServiceState::Failed, None);
            }
        });
        assert_eq!(marked, Written::Done(()));
    }
}

/// A supervised process.
struct Scene {
    process: Arc<Process<&'static str>>,
    supervisor: Supervisor<Handle>,
    services: Vec<Arc<Service>>,
}

const POLICY: Policy = Policy {
    restart: jaseci_svc::runtime::supervision::policy::Restart::OnFailure,
    on_loss: jaseci_svc::runtime::supervision::policy::OnLoss::Restart,
    backoff: Backoff { first: Duration::ZERO, longest: Duration::ZERO },
    cap: Cap { restarts: 10, window: Duration::from_secs(60) },
    checking: None,
    start_timeout: Duration::from_secs(30),
};

impl Scene {
    /// Two services, of which the second requires the first, or the first alone. The first one fails at first.
    fn new(count: usize, fails: usize, policy: Policy) -> Arc<Self> {
        let process = Arc::new(Process::default());
        let below = Service::new(&process, "below", fails, None);
        let above = Service::new(&process, "above", 0, Some(&below));
        let services = [below, above].into_iter().take(count).collect::<Vec<_>>();
        let supervisor = Supervisor::new(Jitter::Off);
        let spec = |service: &Arc<Service>| Spec {
            node: Node {
                name: service.life.name(),
                requires: service.requires.iter().map(|required| required.life.name()).collect(),
                wants: Vec::new(),
            },
            policy,
        };
        supervisor.plan(services.iter().map(spec).collect(), &[]).unwrap();
        Arc::new(Self { process, supervisor, services })
    }

    fn service(&self, name: &str) -> &Arc<Service> {
        self.services.iter().find(|service| &*service.life.name() == name).unwrap()
    }

    /// What a worker of the host does, until there is nothing to do.
    fn work(&self, me: Ident) {
        self.supervisor.advance(NOW);
        while let Some(task) = self.supervisor.take_task(NOW) {
            self.execute(me, &task);
            self.supervisor.advance(NOW);
        }
    }

    fn execute(&self, me: Ident, task: &Task) {
        let service = self.service(&task.service);
        let outcome = match &task.kind {
            Kind::Start if service.life.state() == ServiceState::Failed => service.reset(me, true),
            Kind::Start => service.start(me, true),
            Kind::Restart => service.reset(me, true),
            Kind::Stop { .. } => {
                service.stop(me);
                Ok(())
            }
            Kind::Block { .. } | Kind::GiveUp { .. } => {
                service.mark_failed();
                Ok(())
            }
            Kind::RestartDaemon { .. } => unreachable!("there are no daemons"),
        };
        let refused = outcome.err().map(|refused| format!("{refused:?}").into());
        let failed = service.life.state() == ServiceState::Failed;
        let failure = refused.or_else(|| failed.then(|| "boom".into()));
        let ended = Ended { service: Some(Handle(Arc::clone(service))), policy: None, failure };
        self.supervisor.task_done(task.token, ended, NOW);
    }

    fn observe(&self, service: &Arc<Service>) {
        let failed = service.life.state() == ServiceState::Failed;
        let failure = failed.then(|| "boom".into());
        let found = Ended { service: Some(Handle(Arc::clone(service))), policy: None, failure };
        self.supervisor.observe(&service.life.name(), found, NOW + Duration::from_secs(1));
    }

    /// What the host's timekeeper does when all events have come in, until nothing more follows.
    fn come_to_rest(&self, me: Ident) {
        for _ in 0..ROUNDS {
            for service in &self.services {
                self.observe(service);
            }
            self.supervisor.advance(NOW + Duration::from_secs(1));
            let Some(task) = self.supervisor.take_task(NOW) else { return };
            self.execute(me, &task);
        }
        panic!("it does not come to rest");
    }

    /// What a host does for `shutdown()`.
    fn shut_down(&self, me: Ident) {
        self.process.roster.close();
        self.supervisor.close();
        while let Some(name) = self.process.roster.pop_last() {
            self.service(name).stop(me);
        }
    }

    fn assert_idle(&self) {
        for service in &self.services {
            assert_eq!(service.life.holder(), None);
        }
        assert!(self.supervisor.take_task(NOW).is_none());
    }

    fn assert_all_running(&self) {
        self.assert_idle();
        for service in &self.services {
            assert!(service.life.is_running(), "{} does not run", service.life.name());
        }
    }

    fn assert_none_running(&self) {
        self.assert_idle();
        for service in &self.services {
            assert!(!service.life.is_running(), "{} runs on", service.life.name());
        }
        assert!(self.process.roster.members().is_empty(), "something was not stopped");
    }
}

#[test]
fn two_workers_start_a_graph_in_order_and_everything_once() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(2, 0, POLICY);
        let other = Arc::clone(&scene);
        let worker = thread::spawn(move || other.work(Ident(1)));
        scene.work(Ident(2));
        worker.join().unwrap();
        scene.work(Ident(2));
        scene.assert_all_running();
        assert!(scene.services.iter().all(|service| service.runs.load(Ordering::SeqCst) == 1));
    });
}

#[test]
fn a_reset_that_meets_a_restart_leaves_one_generation_running() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(1, 1, POLICY);
        let other = Arc::clone(&scene);
        let worker = thread::spawn(move || other.work(Ident(1)));
        scene.services[0].reset(Ident(2), false).unwrap();
        worker.join().unwrap();
        scene.come_to_rest(Ident(2));
        scene.assert_all_running();
        assert!(scene.services[0].runs.load(Ordering::SeqCst) <= 3, "one failure is one restart");
    });
}

#[test]
fn who_requires_a_service_that_is_reset_ends_up_running_on_the_new_generation() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(2, 0, POLICY);
        scene.work(Ident(2));
        let first = scene.services[1].life.generation();
        let other = Arc::clone(&scene);
        let resetter = thread::spawn(move || other.services[0].reset(Ident(1), false).unwrap());
        scene.come_to_rest(Ident(2));
        resetter.join().unwrap();
        scene.come_to_rest(Ident(2));
        scene.assert_all_running();
        assert!(scene.services[1].life.generation() > first, "it leans on a generation that is over");
    });
}

#[test]
fn a_stop_that_meets_the_start_is_respected_and_takes_who_requires_it_along() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(2, 0, POLICY);
        let other = Arc::clone(&scene);
        let stopper = thread::spawn(move || other.services[0].stop(Ident(1)));
        scene.work(Ident(2));
        stopper.join().unwrap();
        scene.come_to_rest(Ident(2));
        scene.assert_idle();
        let [below, above] = [0, 1].map(|at| scene.services[at].life.is_running());
        assert_eq!(below, above, "one runs without the other");
    });
}

#[test]
fn a_shutdown_that_meets_the_start_leaves_nothing_running() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(2, 0, POLICY);
        let other = Arc::clone(&scene);
        let worker = thread::spawn(move || other.work(Ident(1)));
        scene.shut_down(Ident(2));
        worker.join().unwrap();
        scene.assert_none_running();
        assert!(scene.supervisor.settled().is_set(), "somebody waits for ever");
    });
}

#[test]
fn a_shutdown_that_meets_a_restart_leaves_nothing_running() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(1, 1, POLICY);
        let other = Arc::clone(&scene);
        let worker = thread::spawn(move || other.work(Ident(1)));
        scene.shut_down(Ident(2));
        worker.join().unwrap();
        scene.assert_none_running();
    });
}

#[test]
fn supervisor_reset_and_shutdown_at_once_leave_nothing_running() {
    explore(PREEMPTIONS_OF_THREE, || {
        let scene = Scene::new(1, 1, POLICY);
        let [working, resetting] = [Arc::clone(&scene), Arc::clone(&scene)];
        let worker = thread::spawn(move || working.work(Ident(1)));
        let resetter = thread::spawn(move || match resetting.services[0].reset(Ident(3), false) {
            Ok(()) | Err(Refused::Closed(_)) => {}
            Err(refused) => panic!("{refused:?}"),
        });
        scene.shut_down(Ident(2));
        worker.join().unwrap();
        resetter.join().unwrap();
        scene.assert_none_running();
    });
}

#[test]
fn a_verdict_on_a_generation_that_a_reset_ends_says_nothing_of_the_next() {
    let checking = Some(Checking { interval: Duration::ZERO, timeout: Duration::from_secs(2) });
    explore(PREEMPTIONS_OF_TWO, move || {
        let scene = Scene::new(1, 0, Policy { checking, ..POLICY });
        scene.work(Ident(2));
        let check = scene.supervisor.take_check(NOW).unwrap();
        assert!(scene.supervisor.take_check(NOW).is_none(), "two checks of one service");
        let other = Arc::clone(&scene);
        let resetter = thread::spawn(move || {
            other.services[0].reset(Ident(1), false).unwrap();
            other.observe(&other.services[0]);
        });
        scene.supervisor.check_done(check.token, Verdict::Unhealthy("ill".into()), NOW);
        resetter.join().unwrap();
        let service = &scene.services[0];
        assert!(service.health.of(service.life.generation()).is_none(), "the new generation was judged unseen");
        scene.come_to_rest(Ident(2));
        scene.assert_all_running();
    });
}

#[test]
fn who_waits_for_the_start_is_woken_however_it_ends() {
    explore(PREEMPTIONS_OF_TWO, || {
        let scene = Scene::new(1, 0, POLICY);
        let other = Arc::clone(&scene);
        let worker = thread::spawn(move || other.work(Ident(1)));
        // A lost wake would be reported as a deadlock.
        assert!(scene.supervisor.settled().wait(None));
        worker.join().unwrap();
        scene.assert_all_running();
    });
}
