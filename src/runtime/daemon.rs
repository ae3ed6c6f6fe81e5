//! Daemons: the bookkeeping of a service's background threads. The threads themselves belong to the host.
//!
//! A daemon ends in three steps, each bounded: it is asked ([`Daemon::stop`]), it is interrupted (the host raises
//! something in it, only while it runs: [`Daemon::while_running`]), it is given up.

use super::blocking::{Blocking, Ident, Waited};
use super::events::now;
use super::supervision::watchdog::{Ailment, DaemonNews, Pulse};
use super::sync::{Arc, Mutex, Signal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How far a daemon's thread has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its thread has been asked for.
    Spawned,
    /// Its target runs on this thread.
    Running(Ident),
    /// Its target has ended.
    Ended,
}

/// One daemon. Lives as long as its service's table or its thread refers to it.
#[derive(Debug)]
pub struct Daemon {
    name: Arc<str>,
    since: f64,
    generation: u64,
    stop: Arc<Signal>,
    ended: Arc<Signal>,
    stage: Mutex<Stage>,
    last_error: Mutex<Option<Arc<str>>>,
    /// Its signs of life, for the watchdog.
    pulse: Pulse,
    /// Whether the supervisor knows that it is not well.
    is_told: AtomicBool,
}

/// What the outside sees of a daemon.
#[derive(Debug, Clone, PartialEq)]
pub struct DaemonInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Whether its thread runs.
    pub alive: bool,
    /// When it was spawned, in seconds since the epoch.
    pub since: f64,
    /// What ended it, if that was an error. Free of secrets.
    pub last_error: Option<Arc<str>>,
}

impl Daemon {
    fn new(name: Arc<str>, generation: u64) -> Self {
        Self {
            name,
            since: now(),
            generation,
            stop: Arc::new(Signal::new()),
            ended: Arc::new(Signal::new()),
            stage: Mutex::new(Stage::Spawned),
            last_error: Mutex::new(None),
            pulse: Pulse::default(),
            is_told: AtomicBool::new(false),
        }
    }

    /// The daemon's name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The generation that it works for.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Asks it to stop by this.
    pub fn stop(&self) -> &Arc<Signal> {
        &self.stop
    }

    /// Happens when its target has ended.
    pub fn ended(&self) -> &Arc<Signal> {
        &self.ended
    }

    /// Its thread reports that the target is about to run. `false`: it was stopped before it began.
    pub fn begin(&self, me: Ident) -> bool {
        let mut stage = self.stage.lock();
        let runs = *stage == Stage::Spawned && !self.stop.is_set();
        if runs {
            *stage = Stage::Running(me);
        }
        runs
    }

    /// Its thread reports the end, once. `cleanup` runs where no [`Daemon::while_running`] can overlap or follow.
    pub fn finish(&self, error: Option<Arc<str>>, cleanup: impl FnOnce()) {
        if error.is_some() {
            *self.last_error.lock() = error;
        }
        self.is_told.store(false, Ordering::Release);
        let survived_fork = {
            let mut stage = self.stage.lock();
            let before = std::mem::replace(&mut *stage, Stage::Ended);
            cleanup();
            before == Stage::Ended
        };
        // Who waited for it stayed in the parent, perhaps with the signal's lock held when it was copied.
        if !survived_fork {
            self.ended.set();
        }
    }

    /// Calls `act` with the thread's ident if the target runs; it cannot end before `act` returns.
    pub fn while_running(&self, act: impl FnOnce(Ident)) {
        let stage = self.stage.lock();
        if let Stage::Running(ident) = *stage {
            act(ident);
        }
    }

    /// It is alive, and if it promises an interval, will say so as often from now on. Returns whether that is news.
    pub fn beat(&self, promised: Option<Duration>, now: Duration) -> bool {
        self.pulse.beat(now);
        let is_news = promised.is_some_and(|interval| self.pulse.promise(interval));
        self.is_told.store(false, Ordering::Release);
        is_news
    }

    /// What is wrong with it, once.
    fn ailment(&self, now: Duration) -> Option<Ailment> {
        if self.stop.is_set() {
            return None;
        }
        let ailment = if self.is_alive() {
            let promised = self.pulse.interval().filter(|_| self.pulse.deadline().is_some_and(|due| due <= now))?;
            Ailment::Silent(self.pulse.silent_for(now), promised)
        } else {
            Ailment::Ended(self.last_error.lock().clone())
        };
        (!self.is_told.swap(true, Ordering::AcqRel)).then_some(ailment)
    }

    /// Whether `ident` is this daemon's running thread.
    pub fn runs_on(&self, ident: Ident) -> bool {
        *self.stage.lock() == Stage::Running(ident)
    }

    /// Whether its thread runs, or is about to.
    pub fn is_alive(&self) -> bool {
        *self.stage.lock() != Stage::Ended
    }

    /// What the outside sees.
    pub fn info(&self) -> DaemonInfo {
        DaemonInfo {
            name: Arc::clone(&self.name),
            alive: self.is_alive(),
            since: self.since,
            last_error: self.last_error.lock().clone(),
        }
    }

    /// In a forked child: its thread is gone.
    fn mark_dead(&self) {
        *self.stage.lock() = Stage::Ended;
    }
}

/// The two waits of a termination and the interruption between them.
pub trait Termination: Blocking {
    /// Begins the next of the two grace periods.
    fn next_grace(&mut self);
    /// Interrupts a daemon that did not stop when asked.
    fn interrupt(&mut self, daemon: &Daemon);
}

/// A service's daemons, in the order of spawning; an ended one stays visible until its name is used again.
#[derive(Debug, Default)]
pub struct Daemons {
    table: Mutex<Vec<Arc<Daemon>>>,
}

impl Daemons {
    /// Enters a daemon, unless this generation has one of this name that is alive. One of a past generation was
    /// asked to stop and may be about to, or stuck: it goes on beside its successor until it ends.
    pub fn enter(&self, name: &Arc<str>, generation: u64) -> Option<Arc<Daemon>> {
        let mut table = self.table.lock();
        let taken = |daemon: &Arc<Daemon>| daemon.name == *name && daemon.generation >= generation && daemon.is_alive();
        if table.iter().any(taken) {
            return None;
        }
        table.retain(|daemon| daemon.name != *name || daemon.is_alive());
        let daemon = Arc::new(Daemon::new(Arc::clone(name), generation));
        table.push(Arc::clone(&daemon));
        Some(daemon)
    }

    /// Takes back a daemon whose thread could not be had.
    pub fn withdraw(&self, daemon: &Arc<Daemon>) {
        daemon.finish(None, || {});
        self.table.lock().retain(|other| !Arc::ptr_eq(other, daemon));
    }

    /// What the outside sees, in the order of spawning.
    pub fn infos(&self) -> Vec<DaemonInfo> {
        let table = self.table.lock();
        let replaced = |at: usize| table[at + 1..].iter().any(|later| later.name == table[at].name);
        let visible = (0..table.len()).filter(|at| table[*at].is_alive() || !replaced(*at));
        visible.map(|at| table[at].info()).collect()
    }

    /// The daemon that runs on this thread.
    pub fn running_on(&self, ident: Ident) -> Option<Arc<Daemon>> {
        self.table.lock().iter().find(|daemon| daemon.runs_on(ident)).cloned()
    }

    /// The living daemons with these names; names that are not there are passed over.
    pub fn named(&self, names: &[Arc<str>]) -> Vec<Arc<Daemon>> {
        self.living(|daemon| names.contains(&daemon.name))
    }

    /// The living daemons of generations before this one, those spawned last first.
    pub fn before(&self, generation: u64) -> Vec<Arc<Daemon>> {
        let mut daemons = self.living(|daemon| daemon.generation < generation);
        daemons.reverse();
        daemons
    }

    /// Whether any of a generation before this one is alive.
    pub fn any_before(&self, generation: u64) -> bool {
        self.table.lock().iter().any(|daemon| daemon.generation < generation && daemon.is_alive())
    }

    /// What the daemons of this generation have to tell the supervisor: each ailment once.
    pub fn news(&self, generation: u64, now: Duration) -> DaemonNews {
        let mut news = DaemonNews::default();
        for daemon in self.table.lock().iter().filter(|daemon| daemon.generation == generation) {
            if let Some(ailment) = daemon.ailment(now) {
                news.ailing.push((Arc::clone(&daemon.name), ailment));
            }
            let due = daemon.pulse.deadline().filter(|due| *due > now && daemon.is_alive());
            news.deadline = [news.deadline, due].into_iter().flatten().min();
        }
        news
    }

    /// Whether any is alive.
    pub fn any_alive(&self) -> bool {
        self.table.lock().iter().any(|daemon| daemon.is_alive())
    }

    /// In a forked child: no thread but the forking one is left, and that was the target of none of these or goes
    /// on as if it were no daemon.
    pub fn forked(&self) {
        for daemon in self.table.lock().iter() {
            daemon.mark_dead();
        }
    }

    fn living(&self, which: impl Fn(&Daemon) -> bool) -> Vec<Arc<Daemon>> {
        let table = self.table.lock();
        table.iter().filter(|daemon| which(daemon) && daemon.is_alive()).cloned().collect()
    }
}

/// Ends these daemons and returns those that are still alive after everything was tried. The caller's own is asked,
/// but not waited for.
///
/// # Errors
/// The interrupt, if one ended a wait. All have been asked to stop by then.
pub fn terminate<T: Termination>(
    daemons: &[Arc<Daemon>],
    me: Ident,
    termination: &mut T,
) -> Result<Vec<Arc<Daemon>>, T::Interrupt> {
    for daemon in daemons {
        daemon.stop.set();
    }
    let others: Vec<_> = daemons.iter().filter(|daemon| !daemon.runs_on(me)).cloned().collect();
    let busy = wait_for_all(&others, termination)?;
    if busy.is_empty() {
        return Ok(busy);
    }
    for daemon in &busy {
        termination.interrupt(daemon);
    }
    wait_for_all(&busy, termination)
}

fn wait_for_all<T: Termination>(
    daemons: &[Arc<Daemon>],
    termination: &mut T,
) -> Result<Vec<Arc<Daemon>>, T::Interrupt> {
    termination.next_grace();
    let mut left = Vec::new();
    for daemon in daemons {
        if termination.wait(&daemon.ended)? == Waited::TimedOut {
            left.push(Arc::clone(daemon));
        }
    }
    Ok(left)
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used, reason = "a test that unwraps says that this cannot fail here")]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Time stands still: what has not happened times out.
    #[derive(Default)]
    struct Impatient {
        graces: usize,
        interrupted: Vec<String>,
        obeys: bool,
    }

    impl Blocking for Impatient {
        type Interrupt = Infallible;
        fn wait(&mut self, signal: &Signal) -> Result<Waited, Infallible> {
            Ok(if signal.is_set() { Waited::Happened } else { Waited::TimedOut })
        }
        fn renew(&mut self) {}
    }

    impl Termination for Impatient {
        fn next_grace(&mut self) {
            self.graces += 1;
        }
        fn interrupt(&mut self, daemon: &Daemon) {
            self.interrupted.push(daemon.name.to_string());
            if self.obeys {
                daemon.finish(None, || {});
            }
        }
    }

    fn spawned(daemons: &Daemons, name: &str, ident: u64) -> Arc<Daemon> {
        let daemon = daemons.enter(&name.into(), 1).unwrap();
        assert!(daemon.begin(Ident(ident)));
        daemon
    }

    #[test]
    fn a_living_name_is_left_alone_and_an_ended_one_is_replaced() {
        let daemons = Daemons::default();
        let first = spawned(&daemons, "worker", 1);
        assert!(daemons.enter(&"worker".into(), 1).is_none());
        first.finish(Some("boom".into()), || {});
        assert_eq!(daemons.infos()[0].last_error.as_deref(), Some("boom"));
        assert!(daemons.enter(&"worker".into(), 1).is_some());
        assert_eq!(daemons.infos().len(), 1);
    }

    #[test]
    fn a_daemon_of_a_past_generation_does_not_keep_the_next_one_from_its_own() {
        let daemons = Daemons::default();
        let stuck = spawned(&daemons, "worker", 1);
        let successor = daemons.enter(&"worker".into(), 2).unwrap();
        assert!(daemons.enter(&"worker".into(), 2).is_none());
        assert_eq!(daemons.named(&["worker".into()]).len(), 2);
        assert_eq!(daemons.before(2).len(), 1);
        assert!(Arc::ptr_eq(&daemons.running_on(Ident(1)).unwrap(), &stuck));
        stuck.finish(None, || {});
        assert_eq!(daemons.infos().len(), 1);
        assert!(daemons.infos()[0].alive && successor.is_alive());
    }

    #[test]
    fn a_daemon_that_got_no_thread_is_not_waited_for() {
        let daemons = Daemons::default();
        let daemon = daemons.enter(&"worker".into(), 1).unwrap();
        daemons.withdraw(&daemon);
        assert!(terminate(&[daemon], Ident(9), &mut Impatient::default()).unwrap().is_empty());
        assert!(daemons.infos().is_empty());
    }

    #[test]
    fn a_daemon_that_goes_on_in_a_forked_child_ends_without_touching_the_copied_signal() {
        let daemons = Daemons::default();
        let daemon = spawned(&daemons, "worker", 1);
        daemons.forked();
        assert!(!daemons.any_alive());
        daemon.finish(Some("boom".into()), || {});
        assert!(!daemon.ended().is_set());
    }

    #[test]
    fn who_does_not_stop_when_asked_is_interrupted_and_then_given_up() {
        let daemons = Daemons::default();
        let stuck = spawned(&daemons, "stuck", 1);
        let mut termination = Impatient::default();
        let left = terminate(&[Arc::clone(&stuck)], Ident(9), &mut termination).unwrap();
        assert!(stuck.stop().is_set());
        assert_eq!(left.len(), 1);
        assert_eq!((termination.graces, termination.interrupted), (2, vec!["stuck".to_owned()]));
    }

    #[test]
    fn who_ends_when_interrupted_is_not_given_up() {
        let daemons = Daemons::default();
        let busy = spawned(&daemons, "busy", 1);
        let mut termination = Impatient { obeys: true, ..Impatient::default() };
        assert!(terminate(&[busy], Ident(9), &mut termination).unwrap().is_empty());
    }

    #[test]
    fn the_caller_itself_is_asked_and_not_waited_for() {
        let daemons = Daemons::default();
        let own = spawned(&daemons, "own", 9);
        let mut termination = Impatient::default();
        assert!(terminate(&[Arc::clone(&own)], Ident(9), &mut termination).unwrap().is_empty());
        assert!(own.stop().is_set() && termination.interrupted.is_empty());
    }

    #[test]
    fn one_that_was_stopped_before_it_began_never_begins() {
        let daemons = Daemons::default();
        let daemon = daemons.enter(&"late".into(), 1).unwrap();
        daemon.stop().set();
        assert!(!daemon.begin(Ident(1)));
    }

    #[test]
    fn nothing_reaches_a_thread_after_its_daemon_has_ended() {
        let daemons = Daemons::default();
        let daemon = spawned(&daemons, "worker", 1);
        daemon.finish(None, || {});
        daemon.while_running(|_| panic!("a stranger was hit"));
    }

    #[test]
    fn only_daemons_of_past_generations_end_with_them() {
        let daemons = Daemons::default();
        daemons.enter(&"old".into(), 1).unwrap();
        daemons.enter(&"new".into(), 2).unwrap();
        let names: Vec<_> = daemons.before(2).iter().map(|daemon| daemon.name().to_string()).collect();
        assert_eq!(names, ["old"]);
    }
}
