//! What there is one of in a process: the waits-for graph, the event stream, the roster of started services.

use super::blocking::Ident;
use super::events::EventLog;
use super::roster::Roster;
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
}

impl<M: Clone> Default for Process<M> {
    fn default() -> Self {
        Self { waits: Waits::default(), events: EventLog::default(), roster: Roster::default() }
    }
}

impl<M: Clone> Process<M> {
    /// In a forked child, where only the thread `me` lives on.
    pub fn keep_only(&self, me: Ident) {
        self.waits.keep_only(me);
        self.events.forget_waiters();
    }
}
