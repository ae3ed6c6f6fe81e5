//! The model check: every interleaving of a few callers, on the very types that are shipped.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release --no-default-features --test model` (`make model`). Without that flag
//! there is nothing in here. `runtime::sync` is what swaps the primitives.
//!
//! With two callers the checker explores every order of their locks and atomics; with three, every order in which a
//! thread that could go on is preempted at most [`PREEMPTIONS_OF_THREE`] times (switches where a thread blocks or ends
//! are not counted). Where nobody is left that could go on it reports a deadlock: so a lost wake fails a model
//! without an assertion of its own. Time does not pass: a wait ends when it is over, or, for an impatient caller, at
//! any moment.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]

use jaseci_svc::runtime::blocking::{Blocking, Ident, Waited};
use jaseci_svc::runtime::daemon::{Daemon, Daemons, Termination, terminate};
use jaseci_svc::runtime::events::{Event, EventLog, Read, now};
use jaseci_svc::runtime::gate::Purpose;
use jaseci_svc::runtime::lifecycle::{Asked, Lifecycle, Refused, Ticket, Written};
use jaseci_svc::runtime::process::Process;
use jaseci_svc::runtime::registry::{Slots, Turn};
use jaseci_svc::runtime::state::ServiceState;
use jaseci_svc::runtime::sync::{Arc, Mutex, Signal};
use loom::thread;
use std::convert::Infallible;
// The checker's own counters: what they count must not be a point where it switches.
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const PREEMPTIONS_OF_THREE: usize = 3;

/// Explores the model completely.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    explore_within(None, model);
}

/// Explores the model of three callers.
fn explore_three(model: impl Fn() + Sync + Send + 'static) {
    explore_within(Some(PREEMPTIONS_OF_THREE), model);
}

fn explore_within(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
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

impl Termination for Patient {
    fn next_grace(&mut self) {}

    fn interrupt(&mut self, _: &Daemon) {
        unreachable!("a patient caller waits for everybody");
    }
}

/// Its deadline is over whenever it looks: with the checker's help, at any moment.
struct Impatient;

impl Blocking for Impatient {
    type Interrupt = Infallible;

    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        Ok(if signal.is_set() { Waited::Happened } else { Waited::TimedOut })
    }

    fn renew(&mut self) {}
}

/// Interrupted as soon as it waits.
struct Interrupted;

impl Blocking for Interrupted {
    type Interrupt = ();

    fn wait(&mut self, _: &Signal) -> Result<Waited, ()> {
        Err(())
    }

    fn renew(&mut self) {}
}

/// Its first deadline is over as soon as everybody waits; after that it has all the time.
struct Renewed {
    waiting: Arc<(AtomicUsize, Signal)>,
    everybody: usize,
    renewed: bool,
}

impl Blocking for Renewed {
    type Interrupt = Infallible;

    fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
        if self.renewed {
            return Patient.wait(signal);
        }
        if self.waiting.0.fetch_add(1, Ordering::SeqCst) + 1 == self.everybody {
            self.waiting.1.set();
        }
        assert!(self.waiting.1.wait(None));
        Impatient.wait(signal)
    }

    fn renew(&mut self) {
        self.renewed = true;
    }
}

/// A service as a host would build one: what it guards, and code that must not run twice at once.
struct Service {
    life: Lifecycle<&'static str>,
    /// The app is the number of the run that made it.
    app: Mutex<Option<u64>>,
    runs: AtomicU64,
    inside: AtomicUsize,
}

/// What `run` is going to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Well,
    Badly,
}

impl Service {
    fn new(process: &Arc<Process<&'static str>>, name: &'static str) -> Arc<Self> {
        let life = Lifecycle::new(Arc::clone(process), name, name.into());
        let service = Self { life, app: Mutex::new(None), runs: AtomicU64::new(0), inside: AtomicUsize::new(0) };
        assert_eq!(service.life.write(None, |flags| flags.enabled(true)), Written::Done(()));
        Arc::new(service)
    }

    fn alone() -> (Arc<Process<&'static str>>, Arc<Self>) {
        let process = Arc::new(Process::default());
        let service = Self::new(&process, "service");
        (process, service)
    }

    /// What a host does for `start()`.
    fn start(&self, me: Ident, run: Run) -> Result<(), Refused<Infallible>> {
        let ticket = self.life.begin_start(me, Asked::Explicitly, &mut Patient)?;
        if let Some(ticket) = ticket {
            self.execute(me, &ticket, run, || {});
        }
        Ok(())
    }

    /// What a host does for a read of `app`.
    fn read(&self, me: Ident, run: Run) -> Option<u64> {
        if self.life.starts_when_read()
            && let Some(ticket) = self.life.begin_start(me, Asked::ByReading, &mut Patient).unwrap()
        {
            self.execute(me, &ticket, run, || {});
        }
        *self.app.lock()
    }

    /// `run`, `post_run` or `failed`, and the end.
    fn execute(&self, me: Ident, ticket: &Ticket, run: Run, rest: impl FnOnce()) {
        assert_eq!(self.inside.fetch_add(1, Ordering::SeqCst), 0, "two runs at once");
        let number = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        let written = self.set_app(me, Some(number));
        assert_eq!(written, Written::Done(()), "only a reset by an impatient caller makes a run late");
        self.inside.fetch_sub(1, Ordering::SeqCst);
        if run == Run::Badly {
            assert!(self.life.fail(ticket, "boom".into(), || {}));
            self.set_app(me, None);
        } else {
            assert!(self.life.ran(ticket));
        }
        rest();
        self.life.end(ticket);
    }

    /// What a host does for an assignment: it says who writes only if it must.
    fn set_app(&self, me: Ident, app: Option<u64>) -> Written<()> {
        let mut writer = if self.life.has_late_writers() { Some(me) } else { None };
        loop {
            let written = self.life.write(writer, |flags| {
                let mut held = self.app.lock();
                flags.has_app(app.is_some());
                *held = app;
            });
            match written {
                Written::WhoWrites => writer = Some(me),
                _ => return written,
            }
        }
    }

    /// What a host does for `reset()`.
    fn reset(&self, me: Ident) {
        let ticket = self.life.begin_end(me, Purpose::Reset, &mut Patient).unwrap();
        self.renew(me, &ticket);
        self.life.end(&ticket);
    }

    fn renew(&self, me: Ident, ticket: &Ticket) {
        assert!(self.life.clear(ticket, || *self.app.lock() = None).is_some());
        // The settings are read again: for a moment the service is disabled.
        assert_eq!(self.life.write(Some(me), |flags| flags.enabled(false)), Written::Done(()));
        assert_eq!(self.life.write(Some(me), |flags| flags.enabled(true)), Written::Done(()));
        self.start(me, Run::Well).unwrap();
    }

    /// What a host does for `stop()`.
    fn stop(&self, me: Ident) {
        let ticket = self.life.begin_end(me, Purpose::Stop, &mut Patient).unwrap();
        assert!(self.life.clear(&ticket, || *self.app.lock() = None).is_some());
        self.life.end(&ticket);
    }

    fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }
}

/// What holds of every service that nobody is at work on.
fn assert_settled(process: &Process<&'static str>, service: &Service) {
    let app = *service.app.lock();
    assert_eq!(service.life.holder(), None);
    assert!(process.waits.is_idle(), "somebody is thought to hold or to wait");
    assert!(!service.life.has_late_writers());
    assert_eq!(service.life.is_running(), service.life.state() == ServiceState::Running && app.is_some());
    assert_eq!(app.is_some(), service.life.state() == ServiceState::Running);
    if app.is_some() {
        assert_eq!(app, Some(service.runs()), "the app is that of an earlier run");
        assert!(!process.roster.members().is_empty(), "runs and would never be stopped");
    }
    assert_in_order(process);
}

/// Every event begins where the one before it ended, and the numbers have no gap.
fn assert_in_order(process: &Process<&'static str>) {
    let mut state = ServiceState::NotStarted;
    let mut seen = 0;
    while let Read::Event(event, missed) = process.events.read_after(seen) {
        assert_eq!((event.number, event.before, missed), (seen + 1, state, 0));
        (seen, state) = (event.number, event.after);
    }
}

#[test]
fn of_two_starters_one_runs_and_both_see_the_outcome() {
    for run in [Run::Well, Run::Badly] {
        explore(move || {
            let (process, service) = Service::alone();
            let outcome = if run == Run::Well { ServiceState::Running } else { ServiceState::Failed };
            let other = Arc::clone(&service);
            let starter = thread::spawn(move || {
                other.start(Ident(1), run).unwrap();
                assert_eq!(other.life.state(), outcome);
            });
            service.start(Ident(2), run).unwrap();
            assert_eq!(service.life.state(), outcome);
            starter.join().unwrap();
            assert_eq!(service.runs(), 1);
            assert_settled(&process, &service);
        });
    }
}

#[test]
fn of_three_starters_one_runs() {
    explore_three(|| {
        let (process, service) = Service::alone();
        let starters = [1, 2].map(|ident| {
            let service = Arc::clone(&service);
            thread::spawn(move || service.start(Ident(ident), Run::Well).unwrap())
        });
        service.start(Ident(3), Run::Well).unwrap();
        assert!(service.life.is_running());
        for starter in starters {
            starter.join().unwrap();
        }
        assert_eq!(service.runs(), 1);
        assert_settled(&process, &service);
    });
}

#[test]
fn a_start_and_a_reset_do_not_interleave() {
    explore(|| {
        let (process, service) = Service::alone();
        let other = Arc::clone(&service);
        let starter = thread::spawn(move || {
            other.start(Ident(1), Run::Well).unwrap();
        });
        service.reset(Ident(2));
        assert!(service.life.is_running());
        starter.join().unwrap();
        assert_eq!(service.life.generation(), 2);
        assert_settled(&process, &service);
    });
}

#[test]
fn two_resets_come_one_after_the_other() {
    explore(|| {
        let (process, service) = Service::alone();
        let other = Arc::clone(&service);
        let resetter = thread::spawn(move || other.reset(Ident(1)));
        service.reset(Ident(2));
        resetter.join().unwrap();
        assert_eq!((service.life.generation(), service.runs()), (3, 2));
        assert!(service.life.is_running());
        assert_settled(&process, &service);
    });
}

#[test]
fn a_start_that_meets_a_stop_comes_before_or_after_it() {
    explore(|| {
        let (process, service) = Service::alone();
        let other = Arc::clone(&service);
        let stopper = thread::spawn(move || other.stop(Ident(1)));
        service.start(Ident(2), Run::Well).unwrap();
        stopper.join().unwrap();
        assert_settled(&process, &service);
        if service.life.is_running() {
            service.stop(Ident(2));
        }
        assert!(process.roster.members().is_empty(), "a stopped service is left in the roster");
        assert_eq!(service.read(Ident(3), Run::Well), None);
    });
}

#[test]
fn a_stop_of_a_running_service_that_meets_a_start_is_not_undone_by_halves() {
    explore(|| {
        let (process, service) = Service::alone();
        service.start(Ident(2), Run::Well).unwrap();
        let other = Arc::clone(&service);
        let starter = thread::spawn(move || other.start(Ident(1), Run::Well).unwrap());
        service.stop(Ident(2));
        starter.join().unwrap();
        assert_settled(&process, &service);
        assert_eq!(process.roster.members().len(), usize::from(service.life.is_running()));
    });
}

#[test]
fn a_start_that_meets_a_shutdown_is_refused_or_stopped() {
    explore(|| {
        let (process, service) = Service::alone();
        let other = Arc::clone(&service);
        let starter = thread::spawn(move || match other.start(Ident(1), Run::Well) {
            Ok(()) | Err(Refused::Closed(_)) => {}
            Err(refused) => panic!("{refused:?}"),
        });
        process.roster.close();
        while process.roster.pop_last().is_some() {
            service.stop(Ident(2));
        }
        starter.join().unwrap();
        assert_eq!(service.life.state(), ServiceState::NotStarted);
        assert_settled(&process, &service);
    });
}

#[test]
fn a_reader_sees_the_finished_app_whoever_starts() {
    explore(|| {
        let (process, service) = Service::alone();
        let other = Arc::clone(&service);
        let starter = thread::spawn(move || {
            other.start(Ident(1), Run::Well).unwrap();
        });
        assert_eq!(service.read(Ident(2), Run::Well), Some(1));
        starter.join().unwrap();
        assert_eq!(service.runs(), 1);
        assert_settled(&process, &service);
    });
}

#[test]
fn a_reader_never_sees_the_app_of_a_run_that_goes_on() {
    explore(|| {
        let (_process, service) = Service::alone();
        let ticket = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
        let other = Arc::clone(&service);
        let reader = thread::spawn(move || {
            if other.read(Ident(2), Run::Well).is_some() {
                assert_eq!(other.inside.load(Ordering::SeqCst), 0, "the app is not ready yet");
            }
        });
        service.inside.store(1, Ordering::SeqCst);
        service.set_app(Ident(1), Some(1));
        // The run goes on for a while.
        thread::yield_now();
        service.inside.store(0, Ordering::SeqCst);
        service.life.ran(&ticket);
        service.life.end(&ticket);
        reader.join().unwrap();
    });
}

#[test]
fn a_reader_goes_on_while_post_run_waits_for_it() {
    explore(|| {
        let (process, service) = Service::alone();
        let ticket = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
        let other = Arc::clone(&service);
        let reader = thread::spawn(move || assert_eq!(other.read(Ident(2), Run::Well), Some(1)));
        service.execute(Ident(1), &ticket, Run::Well, || reader.join().unwrap());
        assert_settled(&process, &service);
    });
}

#[test]
fn a_reader_goes_on_while_failed_waits_for_it() {
    explore(|| {
        let (process, service) = Service::alone();
        let ticket = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
        let other = Arc::clone(&service);
        let reader = thread::spawn(move || assert_eq!(other.read(Ident(2), Run::Well), None));
        service.execute(Ident(1), &ticket, Run::Badly, || reader.join().unwrap());
        assert_eq!((service.life.state(), service.runs()), (ServiceState::Failed, 1));
        assert_settled(&process, &service);
    });
}

#[test]
fn a_reader_waits_through_a_reset() {
    explore(|| {
        let (process, service) = Service::alone();
        service.start(Ident(1), Run::Well).unwrap();
        let other = Arc::clone(&service);
        let resetter = thread::spawn(move || other.reset(Ident(1)));
        if service.life.generation() == 2 && !service.life.is_running() {
            assert!(service.read(Ident(2), Run::Well).is_some(), "a reset shines through");
        }
        resetter.join().unwrap();
        assert_eq!(service.runs(), 2);
        assert_settled(&process, &service);
    });
}

#[test]
fn what_a_given_up_run_writes_and_reports_is_dropped() {
    for run in [Run::Well, Run::Badly] {
        explore(move || {
            let (process, service) = Service::alone();
            let hung = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
            let other = Arc::clone(&service);
            let late = thread::spawn(move || {
                other.set_app(Ident(1), Some(77));
                let reported = match run {
                    Run::Well => other.life.ran(&hung),
                    Run::Badly => other.life.fail(&hung, "late".into(), || *other.app.lock() = Some(78)),
                };
                other.set_app(Ident(1), if reported { Some(79) } else { Some(80) });
                other.life.end(&hung);
            });
            let ticket = service.life.begin_end(Ident(2), Purpose::Reset, &mut Impatient).unwrap();
            service.renew(Ident(2), &ticket);
            service.life.end(&ticket);
            late.join().unwrap();
            assert!(service.life.is_running());
            assert_settled(&process, &service);
        });
    }
}

#[test]
fn two_resets_that_wait_for_one_hung_run_do_not_run_at_once() {
    explore_three(|| {
        let (process, service) = Service::alone();
        let hung = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
        let waiting = Arc::new((AtomicUsize::new(0), Signal::new()));
        let reset = |me: Ident, service: &Service, waiting| {
            let mut blocking = Renewed { waiting, everybody: 2, renewed: false };
            let ticket = service.life.begin_end(me, Purpose::Reset, &mut blocking).unwrap();
            service.renew(me, &ticket);
            service.life.end(&ticket);
        };
        let other = (Arc::clone(&service), Arc::clone(&waiting));
        let resetter = thread::spawn(move || reset(Ident(3), &other.0, other.1));
        reset(Ident(2), &service, waiting);
        resetter.join().unwrap();
        service.life.end(&hung);
        assert_eq!((service.life.generation(), service.runs()), (3, 2));
        assert_settled(&process, &service);
    });
}

#[test]
fn a_run_that_waits_to_be_asked_to_stop_is_asked_although_another_takes_its_request_back() {
    explore_three(|| {
        let (process, service) = Service::alone();
        let ticket = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
        let (one, two) = (Arc::clone(&service), Arc::clone(&service));
        let resetter = thread::spawn(move || one.reset(Ident(2)));
        let interrupted = thread::spawn(move || {
            match two.life.begin_end(Ident(3), Purpose::Stop, &mut Interrupted) {
                // It came when nobody held the service.
                Ok(ticket) => two.life.end(&ticket),
                Err(refused) => assert!(matches!(refused, Refused::Interrupted(()))),
            }
        });
        service.execute(Ident(1), &ticket, Run::Well, || assert!(service.life.stop_signal(Ident(1)).wait(None)));
        resetter.join().unwrap();
        interrupted.join().unwrap();
        assert_settled(&process, &service);
    });
}

#[test]
fn of_two_that_wait_to_end_a_generation_the_first_to_come_is_the_first_to_go() {
    /// Says when it waits.
    struct Announced(Arc<Signal>);
    impl Blocking for Announced {
        type Interrupt = Infallible;

        fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
            self.0.set();
            Patient.wait(signal)
        }

        fn renew(&mut self) {}
    }
    explore_three(|| {
        let (process, service) = Service::alone();
        let held = service.life.begin_end(Ident(1), Purpose::Reset, &mut Patient).unwrap();
        let went = Arc::new(Mutex::new(Vec::new()));
        let stoppers = [2, 3].map(|ident| {
            let waits = Arc::new(Signal::new());
            let (service, went, announced) = (Arc::clone(&service), Arc::clone(&went), Announced(Arc::clone(&waits)));
            let stopper = thread::spawn(move || {
                let ticket = service.life.begin_end(Ident(ident), Purpose::Stop, &mut { announced }).unwrap();
                went.lock().push(ident);
                service.life.end(&ticket);
            });
            assert!(waits.wait(None));
            stopper
        });
        service.life.end(&held);
        for stopper in stoppers {
            stopper.join().unwrap();
        }
        assert_eq!(*went.lock(), [2, 3]);
        assert_settled(&process, &service);
    });
}

#[test]
fn a_starter_that_waits_for_a_run_that_is_given_up_sees_the_new_one() {
    explore_three(|| {
        let (process, service) = Service::alone();
        let hung = service.life.begin_start(Ident(1), Asked::Explicitly, &mut Patient).unwrap().unwrap();
        let other = Arc::clone(&service);
        let waiting = thread::spawn(move || {
            other.start(Ident(3), Run::Well).unwrap();
            assert!(other.life.is_running());
        });
        let ticket = service.life.begin_end(Ident(2), Purpose::Reset, &mut Impatient).unwrap();
        service.renew(Ident(2), &ticket);
        service.life.end(&ticket);
        waiting.join().unwrap();
        service.life.end(&hung);
        assert_eq!(service.runs(), 1);
        assert_settled(&process, &service);
    });
}

#[test]
fn a_waiter_that_gives_up_leaves_nothing_behind() {
    explore(|| {
        let (process, service) = Service::alone();
        let other = Arc::clone(&service);
        let starter = thread::spawn(move || other.start(Ident(1), Run::Well).unwrap());
        match service.life.begin_start(Ident(2), Asked::Explicitly, &mut Impatient) {
            Ok(Some(ticket)) => service.execute(Ident(2), &ticket, Run::Well, || {}),
            Ok(None) => assert!(service.life.is_running()),
            Err(Refused::TimedOut(holder)) => assert_eq!(holder, Ident(1)),
            Err(refused) => panic!("{refused:?}"),
        }
        starter.join().unwrap();
        assert_eq!(service.runs(), 1);
        assert_settled(&process, &service);
    });
}

#[test]
fn services_that_start_each_other_find_the_cycle_on_one_thread_or_two() {
    explore(|| {
        let process = Arc::new(Process::default());
        let (a, b) = (Service::new(&process, "a"), Service::new(&process, "b"));
        let cycles = Arc::new(AtomicUsize::new(0));
        let start = |me: Ident, one: Arc<Service>, two: Arc<Service>, cycles: Arc<AtomicUsize>| {
            let Some(ticket) = one.life.begin_start(me, Asked::Explicitly, &mut Patient).unwrap() else { return };
            match two.life.begin_start(me, Asked::Explicitly, &mut Patient) {
                Ok(Some(inner)) => {
                    // What the other's `run` does on this thread: it needs the first one.
                    let back = one.life.begin_start(me, Asked::Explicitly, &mut Patient);
                    assert!(matches!(back, Err(Refused::Cycle(_))), "{back:?}");
                    cycles.fetch_add(1, Ordering::SeqCst);
                    two.life.fail(&inner, "cycle".into(), || {});
                    two.life.end(&inner);
                }
                Ok(None) => {}
                Err(Refused::Cycle(_)) => {
                    cycles.fetch_add(1, Ordering::SeqCst);
                }
                Err(refused) => panic!("{refused:?}"),
            }
            one.life.fail(&ticket, "cycle".into(), || {});
            one.life.end(&ticket);
        };
        let other = (Arc::clone(&a), Arc::clone(&b), Arc::clone(&cycles));
        let starter = thread::spawn(move || start(Ident(1), other.1, other.0, other.2));
        start(Ident(2), Arc::clone(&a), Arc::clone(&b), Arc::clone(&cycles));
        starter.join().unwrap();
        assert!(cycles.load(Ordering::SeqCst) >= 1);
        assert!(process.waits.is_idle());
    });
}

#[test]
fn a_daemon_admitted_while_its_service_stops_is_stopped_or_in_the_roster() {
    explore(|| {
        let (process, service) = Service::alone();
        service.start(Ident(1), Run::Well).unwrap();
        let other = Arc::clone(&service);
        let spawner = thread::spawn(move || {
            if let Some(daemon) = other.life.admit(Ident(1), &"worker".into()).unwrap() {
                // The thread that it would have.
                if daemon.begin(Ident(3)) {
                    if daemon.stop().is_set() {
                        daemon.finish(None, || {});
                    }
                } else {
                    daemon.finish(None, || {});
                }
            }
        });
        let ticket = service.life.begin_end(Ident(2), Purpose::Stop, &mut Patient).unwrap();
        let daemons = service.life.daemons();
        let past = daemons.before(service.life.generation());
        for daemon in past {
            daemon.stop().set();
        }
        service.life.clear(&ticket, || *service.app.lock() = None);
        service.life.end(&ticket);
        spawner.join().unwrap();
        let unasked = daemons.named(&["worker".into()]).iter().any(|daemon| !daemon.stop().is_set());
        assert!(!unasked || !process.roster.members().is_empty(), "a daemon that nobody would stop");
    });
}

#[test]
fn a_stop_is_not_undone_by_a_daemon_that_resets_its_service() {
    explore(|| {
        let (process, service) = Service::alone();
        service.start(Ident(1), Run::Well).unwrap();
        let daemon = service.life.admit(Ident(1), &"healer".into()).unwrap().unwrap();
        let other = Arc::clone(&service);
        let healer = thread::spawn(move || {
            if daemon.begin(Ident(3)) {
                let ticket = other.life.begin_end(Ident(3), Purpose::Reset, &mut Patient).unwrap();
                if other.life.is_in_force(&ticket) {
                    other.renew(Ident(3), &ticket);
                }
                other.life.end(&ticket);
            }
            daemon.finish(None, || {});
            other.life.daemon_ended();
        });
        service.stop(Ident(2));
        healer.join().unwrap();
        assert_eq!(service.read(Ident(2), Run::Well), None);
        assert!(process.roster.members().is_empty());
        assert_settled(&process, &service);
    });
}

#[test]
fn racing_callers_construct_once() {
    explore_three(|| get_by_three(0));
}

#[test]
fn of_those_who_wait_for_a_failing_constructor_one_tries_again() {
    explore_three(|| get_by_three(1));
}

/// Three callers want the same name; the first `failures` constructions fail.
fn get_by_three(failures: usize) {
    struct Registry {
        process: Process<&'static str>,
        slots: Slots,
        kept: Mutex<Option<usize>>,
        constructed: AtomicUsize,
        inside: AtomicUsize,
    }
    impl Registry {
        fn get(&self, me: Ident, failures: usize) -> Option<usize> {
            let name = "name".into();
            loop {
                if let Some(kept) = *self.kept.lock() {
                    return Some(kept);
                }
                let Turn::Construct(turn) = self.slots.begin(&self.process, &name, me, &mut Patient).unwrap() else {
                    continue;
                };
                let found = *self.kept.lock();
                let kept = found.or_else(|| {
                    assert_eq!(self.inside.fetch_add(1, Ordering::SeqCst), 0, "two constructors at once");
                    let number = self.constructed.fetch_add(1, Ordering::SeqCst) + 1;
                    thread::yield_now();
                    self.inside.fetch_sub(1, Ordering::SeqCst);
                    let made = Some(number).filter(|number| *number > failures);
                    *self.kept.lock() = made;
                    made
                });
                self.slots.end(&self.process, turn);
                return kept;
            }
        }
    }
    let registry = Arc::new(Registry {
        process: Process::default(),
        slots: Slots::default(),
        kept: Mutex::new(None),
        constructed: AtomicUsize::new(0),
        inside: AtomicUsize::new(0),
    });
    let others = [1, 2].map(|ident| {
        let registry = Arc::clone(&registry);
        thread::spawn(move || registry.get(Ident(ident), failures))
    });
    let mine = registry.get(Ident(3), failures);
    let [one, two] = others.map(|other| other.join().unwrap());
    let failed = [mine, one, two].iter().filter(|got| got.is_none()).count();
    assert_eq!(failed, failures, "a failure reaches who constructed, and nobody else");
    assert!([mine, one, two].into_iter().flatten().all(|number| number == failures + 1));
    assert_eq!(registry.constructed.load(Ordering::SeqCst), failures + 1);
    assert!(registry.process.waits.is_idle());
}

#[test]
fn nothing_is_raised_in_a_thread_whose_daemon_has_ended() {
    /// Asks, does not wait, interrupts.
    struct Hasty(Arc<AtomicUsize>);
    impl Blocking for Hasty {
        type Interrupt = Infallible;
        fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
            Impatient.wait(signal)
        }
        fn renew(&mut self) {}
    }
    impl Termination for Hasty {
        fn next_grace(&mut self) {}
        fn interrupt(&mut self, daemon: &Daemon) {
            daemon.while_running(|ident| {
                assert_eq!(ident, Ident(1));
                assert_eq!(self.0.load(Ordering::SeqCst), 1, "a stranger was hit");
            });
        }
    }
    explore(|| {
        let daemons = Arc::new(Daemons::default());
        let daemon = daemons.enter(&"worker".into(), 1).unwrap();
        let on_thread = Arc::new(AtomicUsize::new(1));
        let (target, running) = (Arc::clone(&daemon), Arc::clone(&on_thread));
        let worker = thread::spawn(move || {
            target.begin(Ident(1));
            target.finish(None, || running.store(0, Ordering::SeqCst));
        });
        let left = terminate(&[daemon], Ident(2), &mut Hasty(on_thread)).unwrap();
        worker.join().unwrap();
        assert!(left.iter().all(|daemon| !daemon.is_alive()));
    });
}

#[test]
fn a_daemon_that_is_asked_to_stop_ends_and_its_name_is_free() {
    explore(|| {
        let daemons = Arc::new(Daemons::default());
        let daemon = daemons.enter(&"worker".into(), 1).unwrap();
        let worker = thread::spawn(move || {
            if daemon.begin(Ident(1)) {
                daemon.stop().wait(None);
            }
            daemon.finish(None, || {});
        });
        let left = terminate(&daemons.named(&["worker".into()]), Ident(2), &mut Patient).unwrap();
        assert!(left.is_empty() && !daemons.any_alive());
        assert!(daemons.enter(&"worker".into(), 1).is_some());
        worker.join().unwrap();
    });
}

#[test]
fn of_two_spawns_of_a_name_one_gets_it() {
    explore(|| {
        let daemons = Arc::new(Daemons::default());
        let table = Arc::clone(&daemons);
        let spawner = thread::spawn(move || table.enter(&"worker".into(), 1).is_some());
        let mine = daemons.enter(&"worker".into(), 1).is_some();
        assert!(mine ^ spawner.join().unwrap());
        assert_eq!(daemons.infos().len(), 1);
    });
}

#[test]
fn a_reader_of_events_misses_none_and_sleeps_through_none() {
    explore(|| {
        let log = Arc::new(EventLog::default());
        let recorder = Arc::clone(&log);
        let recording = thread::spawn(move || {
            for service in ["a", "b"] {
                let (before, after) = (ServiceState::NotStarted, ServiceState::Started);
                recorder.record(Event { number: 0, service: service.into(), before, after, reason: None, when: now() });
            }
        });
        let mut seen = Vec::new();
        while seen.len() < 2 {
            match log.read_after(seen.len() as u64) {
                Read::Event(event, missed) => {
                    assert_eq!(missed, 0);
                    seen.push(event.service.to_string());
                }
                Read::Nothing(next) => assert!(next.0.wait(None)),
            }
        }
        assert_eq!(seen, ["a", "b"]);
        recording.join().unwrap();
    });
}
