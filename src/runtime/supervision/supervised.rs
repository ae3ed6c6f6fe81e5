//! What the supervisor asks of a service, and tells it, at once.

use super::health::Verdict;
use super::watchdog::DaemonNews;
use crate::runtime::state::ServiceState;
use std::time::Duration;

/// Where a service stands, all of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its state.
    pub state: ServiceState,
    /// Whether its settings enable it.
    pub enabled: bool,
    /// Whether it is `NOT_STARTED` because it was stopped.
    pub stopped: bool,
    /// Whether somebody is between two generations of it, so that its settings say nothing yet.
    pub resetting: bool,
    /// The generation in force.
    pub generation: u64,
}

/// A handle of a service. It is called with the supervisor's lock held: so it takes a few instructions, runs nobody's
/// code and never calls the supervisor. A clone of it is dropped outside of the lock only.
pub trait Supervised: Clone {
    /// Whether both are handles of one service.
    fn is(&self, other: &Self) -> bool;

    /// Where it stands.
    fn sample(&self) -> Sample;

    /// What its daemons have to tell; each end is told once.
    fn daemons(&self, now: Duration) -> DaemonNews;

    /// Makes a verdict on the health of this generation visible.
    fn judged(&self, generation: u64, verdict: Verdict, now: Duration);

    /// Puts a remark into the event stream, with the state as it is.
    fn remark(&self, reason: &str);

    /// Counts a restart.
    fn restarted(&self);

    /// Moves it to where a shutdown finds it before everything that started earlier.
    fn stop_earlier(&self);
}
