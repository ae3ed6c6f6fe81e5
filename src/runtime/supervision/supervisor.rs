//! The supervisor: it is told what happens and what time it is, and answers with what to do.
//!
//! Expected flow, by the host: [`Supervisor::plan`]; then, whenever something has happened or the time of
//! [`Outlook::wake`] has come, [`Supervisor::advance`]. Any number of workers take tasks and checks, execute them without
//! any lock, and report each. What is in flight when the supervisor is closed may go on; nothing follows from it.
//!
//! Guarantees: those of the decisions (see `machine.rs`), made one at a time, each on a service's state of that moment.
//! After [`Supervisor::close`] nothing is handed out.
//!
//! Assumption: a host that executes a task ends it in bounded time or tolerates its loss. Services that require one whose
//! task takes longer than its policy allows go on without it.

use super::backoff::Jitter;
use super::graph::{GraphError, Node};
use super::health::Verdict;
use super::machine::Machine;
use super::policy::Policy;
use super::supervised::Supervised;
use super::task::{Check, Line, Task, Token};
use crate::runtime::sync::{Arc, Mutex, Signal};
use std::time::Duration;

/// A service as the plan has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its name and what it needs.
    pub node: Node,
    /// What it wants done about it.
    pub policy: Policy,
}

/// How a task has ended, or how a service was found.
#[derive(Debug)]
pub struct Ended<S> {
    /// The service, if it could be built.
    pub service: Option<S>,
    /// Its policy, if it says another one than its class.
    pub policy: Option<Policy>,
    /// What went wrong, for people. Free of secrets.
    pub failure: Option<std::sync::Arc<str>>,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// How many tasks wait to be taken.
    pub tasks: usize,
    /// How many checks wait to be made.
    pub checks: usize,
    /// How many checks hang, each on a thread of its host.
    pub hanging: usize,
    /// When to look again, if nothing happens before.
    pub wake: Option<Duration>,
    /// Whether that is earlier than the one who sleeps until then knows.
    pub earlier: bool,
}

#[derive(Debug)]
struct Inner<S> {
    machine: Machine<S>,
    timekeeper: Timekeeper,
}

/// What the host's timekeeper does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timekeeper {
    /// It is about to look.
    Awake,
    /// It sleeps until then.
    Until(Duration),
    /// It sleeps until something happens.
    Sleeps,
}

impl Timekeeper {
    fn misses(self, wake: Option<Duration>) -> bool {
        wake.is_some_and(|wake| match self {
            Self::Awake => false,
            Self::Until(then) => wake < then,
            Self::Sleeps => true,
        })
    }
}

/// The supervisor of a process. Lives from the first call for supervision to the shutdown.
#[derive(Debug)]
pub struct Supervisor<S> {
    inner: Mutex<Inner<S>>,
}

impl<S: Supervised> Supervisor<S> {
    /// One without services; `jitter` is where its randomness comes from.
    pub fn new(jitter: Jitter) -> Self {
        Self { inner: Mutex::new(Inner { machine: Machine::new(jitter), timekeeper: Timekeeper::Awake }) }
    }

    /// Takes a plan over: services that it knows already go on, new ones wait for their start, the others are left as
    /// they are. `known` are the names that an error offers.
    ///
    /// # Errors
    /// [`GraphError`]; nothing has changed then.
    pub fn plan(&self, specs: Vec<Spec>, known: &[String]) -> Result<(), GraphError> {
        let dropped = self.inner.lock().machine.plan(specs, known)?;
        drop(dropped);
        Ok(())
    }

    /// The names of the services in the plan.
    pub fn names(&self) -> Vec<std::sync::Arc<str>> {
        self.inner.lock().machine.names()
    }

    /// Something has happened to a service: looks at it. It may be another one that was built under the name; its failure
    /// is why it is FAILED.
    pub fn observe(&self, name: &str, found: Ended<S>, now: Duration) {
        let old = self.inner.lock().machine.observe(name, found, now);
        drop(old);
    }

    /// Decides what follows by now.
    pub fn advance(&self, now: Duration) -> Outlook {
        let mut inner = self.inner.lock();
        inner.machine.settle(now);
        let wake = inner.machine.wake(now);
        let earlier = inner.timekeeper.misses(wake);
        Outlook {
            tasks: inner.machine.tasks_waiting(),
            checks: inner.machine.checks_waiting(now),
            hanging: inner.machine.checks_hanging(),
            wake,
            earlier,
        }
    }

    /// The host's timekeeper goes to sleep or wakes up.
    pub fn timekeeper(&self, timekeeper: Timekeeper) {
        self.inner.lock().timekeeper = timekeeper;
    }

    /// Hands out a task, if one waits.
    pub fn take_task(&self, now: Duration) -> Option<Task> {
        self.inner.lock().machine.take_task(now)
    }

    /// Hands out a health check, if one is due.
    pub fn take_check(&self, now: Duration) -> Option<Check<S>> {
        self.inner.lock().machine.take_check(now)
    }

    /// A task has ended.
    pub fn task_done(&self, token: Token, ended: Ended<S>, now: Duration) {
        let old = self.inner.lock().machine.task_done(token, ended, now);
        drop(old);
    }

    /// A check has answered. One of a past generation says nothing of the present one. Returns whether something may
    /// follow, so that it is time to [`Supervisor::advance`].
    pub fn check_done(&self, token: Token, verdict: Verdict, now: Duration) -> bool {
        self.inner.lock().machine.check_done(token, verdict, now)
    }

    /// Has all services run: those that were stopped, given up or disabled are started as if for the first time.
    pub fn resume(&self) {
        self.inner.lock().machine.resume();
    }

    /// Somebody insists that a service runs (`None`: no longer): it is never given up then, but tried again after the pause
    /// at the latest. What was given up or stopped is reset.
    pub fn insist(&self, name: &str, pause: Option<Duration>, now: Duration) {
        self.inner.lock().machine.insist(name, pause, now);
    }

    /// What the log is to say since the last time.
    pub fn lines(&self) -> Vec<Line> {
        self.inner.lock().machine.lines()
    }

    /// A signal that is set once every service is RUNNING or has failed, or the supervisor is closed.
    pub fn settled(&self) -> Arc<Signal> {
        self.inner.lock().machine.settled()
    }

    /// Ends it.
    pub fn close(&self) {
        let handles = self.inner.lock().machine.close();
        drop(handles);
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.inner.lock().machine.closed
    }
}

#[cfg(all(test, not(loom)))]
#[path = "supervisor_tests.rs"]
mod tests;
