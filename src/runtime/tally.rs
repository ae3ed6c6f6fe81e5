//! What a service has been through, in numbers, for those who measure.

// Not `super::sync`: nothing is decided by these, so there is nothing for the model check to explore.
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The counters of one service. Lives as long as the service; a reset goes on counting. Only who holds the service's
/// lock, or the supervisor's, counts.
#[derive(Debug, Default)]
pub struct Tally {
    starts: AtomicU64,
    failures: AtomicU64,
    restarts: AtomicU64,
    /// When the last start began, in nanoseconds since `ORIGIN`.
    began: AtomicU64,
    /// How long the last one took that went well, in nanoseconds.
    start_took: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// How often `run` was begun.
    pub starts: u64,
    /// How often that ended in FAILED.
    pub failures: u64,
    /// How often a supervisor restarted it, or a daemon of it.
    pub restarts: u64,
    /// How long the last start that went well took, from its beginning to RUNNING.
    pub start_took: Option<Duration>,
}

fn elapsed() -> u64 {
    u64::try_from(ORIGIN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Tally {
    /// A start begins.
    pub fn begin_start(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.began.store(elapsed(), Ordering::Relaxed);
    }

    /// It has ended well.
    pub fn end_start(&self) {
        let took = elapsed().saturating_sub(self.began.load(Ordering::Relaxed));
        self.start_took.store(took.max(1), Ordering::Relaxed);
    }

    /// A start has failed.
    pub fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A supervisor restarts it.
    pub fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// All of them.
    pub fn counts(&self) -> Counts {
        let took = self.start_took.load(Ordering::Relaxed);
        Counts {
            starts: self.starts.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
            restarts: self.restarts.load(Ordering::Relaxed),
            start_took: (took > 0).then(|| Duration::from_nanos(took)),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_fails_leaves_the_duration_of_the_one_before() {
        let tally = Tally::default();
        assert_eq!(tally.counts().start_took, None);
        tally.begin_start();
        tally.end_start();
        let took = tally.counts().start_took;
        tally.begin_start();
        tally.count_failure();
        assert!(took.is_some());
        assert_eq!(tally.counts(), Counts { starts: 2, failures: 1, restarts: 0, start_took: took });
    }
}
