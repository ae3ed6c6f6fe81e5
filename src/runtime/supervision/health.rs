//! Health: the last verdict on a service, and when the next check is due.

use super::backoff::Jitter;
use super::policy::Checking;
use super::task::Token;
use crate::runtime::sync::{AtomicBool, Mutex, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing wrong.
    Healthy,
    /// This is wrong. Free of secrets.
    Unhealthy(Arc<str>),
    /// The check that began then has not answered.
    Unanswered {
        /// When it began.
        began: Duration,
    },
}

impl Verdict {
    /// Whether all is well.
    pub fn is_healthy(&self) -> bool {
        *self == Self::Healthy
    }

    /// What is wrong, as of now.
    pub fn reason(&self, now: Duration) -> Option<Arc<str>> {
        match self {
            Self::Healthy => None,
            Self::Unhealthy(reason) => Some(Arc::clone(reason)),
            Self::Unanswered { began } => {
                let waited = now.saturating_sub(*began).as_secs_f64();
                Some(format!("health() has not answered for {waited:.1} s").into())
            }
        }
    }
}

/// A verdict, of which generation, and when it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The generation it is about.
    pub generation: u64,
    /// What was found.
    pub verdict: Verdict,
    /// When, by the supervisor's clock.
    pub at: Duration,
}

/// Where a service shows its health. Lives as long as the service.
#[derive(Debug)]
pub struct Board {
    /// So that the usual question costs one load.
    alarm: AtomicBool,
    last: Mutex<Option<Record>>,
}

impl Default for Board {
    fn default() -> Self {
        Self { alarm: AtomicBool::new(false), last: Mutex::new(None) }
    }
}

impl Board {
    /// Shows a verdict.
    pub fn show(&self, record: Record) {
        let mut last = self.last.lock();
        self.alarm.store(!record.verdict.is_healthy(), Ordering::Release);
        *last = Some(record);
    }

    /// Takes down whatever is shown.
    pub fn wipe(&self) {
        let mut last = self.last.lock();
        self.alarm.store(false, Ordering::Release);
        *last = None;
    }

    /// Whether the last verdict, of whichever generation, was a bad one. One atomic load.
    pub fn is_alarmed(&self) -> bool {
        self.alarm.load(Ordering::Acquire)
    }

    /// The last verdict, if it is about this generation.
    pub fn of(&self, generation: u64) -> Option<Record> {
        self.last.lock().clone().filter(|record| record.generation == generation)
    }
}

/// How long a due check may wait to be taken before somebody else is asked to.
const HELP: Duration = Duration::from_millis(50);

/// A check that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flight {
    pub token: Token,
    pub began: Duration,
    pub generation: u64,
    /// Its time is over.
    pub hangs: bool,
}

/// The checks of one service.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// When the next one is due; nothing if none is to be made.
    pub due: Option<Duration>,
    /// At most one is under way, also when it hangs: it costs one thread, once.
    pub flight: Option<Flight>,
    /// Whether the last verdict was a good one; a service begins as one.
    pub was_healthy: bool,
}

impl Checks {
    /// A generation begins. Its first check comes after one interval, so that it has time to find its feet; a tenth
    /// earlier or less, so that what started together is not checked together.
    pub fn begin(&mut self, now: Duration, checking: Option<Checking>, jitter: &mut Jitter) {
        self.due = checking.map(|checking| now + checking.interval.mul_f64(1.0 - jitter.fraction() / 10.0));
    }

    /// Whether one should be made now. Those that would be due soon are made with those that are, so that a process
    /// with many services does not wake up for each of them.
    pub fn is_due(&self, now: Duration, slack: Duration) -> bool {
        self.flight.is_none() && self.due.is_some_and(|due| due <= now + slack)
    }

    /// One is handed out.
    pub fn depart(&mut self, token: Token, now: Duration, generation: u64, checking: Option<Checking>) {
        self.flight = Some(Flight { token, began: now, generation, hangs: false });
        self.due = checking.map(|checking| now + checking.interval);
    }

    /// When something is to be done about a check: it is due, or has waited so long to be taken that more must help, or
    /// its time is over.
    pub fn wake(&self, now: Duration, checking: Option<Checking>) -> Option<Duration> {
        let Checking { interval, timeout } = checking?;
        let help = HELP.min(timeout).min(interval);
        match &self.flight {
            None => self.due.map(|due| if due <= now { now + help } else { due }),
            Some(flight) if !flight.hangs => Some(flight.began + timeout),
            Some(_) => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_of_a_past_generation_is_none() {
        let board = Board::default();
        let verdict = Verdict::Unhealthy("boom".into());
        board.show(Record { generation: 1, verdict, at: Duration::ZERO });
        assert!(board.is_alarmed());
        assert!(board.of(1).is_some() && board.of(2).is_none());
        board.wipe();
        assert!(!board.is_alarmed() && board.of(1).is_none());
    }

    #[test]
    fn a_check_that_does_not_answer_says_for_how_long() {
        let verdict = Verdict::Unanswered { began: Duration::from_secs(10) };
        let told = verdict.reason(Duration::from_millis(13_500));
        assert_eq!(told.as_deref(), Some("health() has not answered for 3.5 s"));
    }
}
