//! What there is one of in a process: the waits-for graph, the event stream, the roster of started services.

use super::blocking::Ident;
use super::events::EventLog;
use super::roster::Roster;
use super::sync::{AtomicU64, Ordering};
use super::waits::Waits;

/// The process-wide part of the runtime; `M` is the host's handle of a service.
#[derive(Debug)]
pub struct Process<M> {
    /// Who waits for whom.
    pub waits: Waits,
    /// What happened.
    pub events: EventLog,
    /// What runs.
    pub roster: Roster<M>,
    forks: AtomicU64,
}

impl<M: Clone> Default for Process<M> {
    fn default() -> Self {
        Self {
            waits: Waits::default(),
            events: EventLog::default(),
            roster: Roster::default(),
            forks: AtomicU64::new(0),
        }
    }
}

impl<M: Clone> Process<M> {
    /// In a forked child, where only the thread `me` lives on.
    pub fn keep_only(&self, me: Ident) {
        self.forks.fetch_add(1, Ordering::AcqRel);
        self.waits.keep_only(me);
        self.events.forget_waiters();
    }

    /// How many forks lie between this process and the one that this memory began in.
    pub fn forks(&self) -> u64 {
        self.forks.load(Ordering::Acquire)
    }
}
