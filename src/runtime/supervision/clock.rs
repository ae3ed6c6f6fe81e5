//! The clock that supervision goes by: monotonic, so that a jump of the wall clock has no effect; or one that a test
//! moves by hand.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Not a time: the clock runs by itself.
const RUNS: u64 = u64::MAX;

/// A clock. Times are durations since some moment before the first of them.
#[derive(Debug)]
pub struct Clock {
    /// Where it was set by hand, in nanoseconds.
    by_hand: AtomicU64,
}

impl Clock {
    /// A clock that runs.
    pub const fn new() -> Self {
        Self { by_hand: AtomicU64::new(RUNS) }
    }

    /// The time.
    pub fn now(&self) -> Duration {
        match self.by_hand.load(Ordering::Acquire) {
            RUNS => ORIGIN.elapsed(),
            nanos => Duration::from_nanos(nanos),
        }
    }

    /// Whether it stands still until it is set.
    pub fn is_manual(&self) -> bool {
        self.by_hand.load(Ordering::Acquire) != RUNS
    }

    /// Sets it by hand; from then on it stands still between two settings.
    pub fn set(&self, now: Duration) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(RUNS - 1);
        self.by_hand.store(nanos.min(RUNS - 1), Ordering::Release);
    }

    /// Lets it run again.
    pub fn let_run(&self) {
        self.by_hand.store(RUNS, Ordering::Release);
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_by_hand_stands_still_until_it_is_set_again() {
        let clock = Clock::new();
        clock.set(Duration::from_secs(5));
        assert_eq!((clock.now(), clock.is_manual()), (Duration::from_secs(5), true));
        assert_eq!(clock.now(), Duration::from_secs(5));
    }

    #[test]
    fn a_clock_that_runs_never_goes_back() {
        let clock = Clock::new();
        clock.set(Duration::from_secs(1));
        clock.let_run();
        let first = clock.now();
        assert!(!clock.is_manual() && clock.now() >= first);
    }
}
