//! The watchdog: a daemon that promised to say that it is alive, and how long it has been silent.

// Not `runtime::sync`: single values that stand for themselves give the model check nothing to explore.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A daemon's signs of life. Lives as long as the daemon's record.
#[derive(Debug, Default)]
pub struct Pulse {
    /// How long it may be silent, in nanoseconds; 0 as long as it has promised nothing.
    interval: AtomicU64,
    /// When it was last heard of, in nanoseconds of the supervisor's clock.
    last: AtomicU64,
}

impl Pulse {
    /// It promises to be heard of this often from now on. Returns whether that is news.
    pub fn promise(&self, interval: Duration) -> bool {
        let interval = nanos(interval);
        self.interval.swap(interval, Ordering::AcqRel) != interval
    }

    /// It is alive.
    pub fn beat(&self, now: Duration) {
        self.last.store(nanos(now), Ordering::Release);
    }

    /// What it promised.
    pub fn interval(&self) -> Option<Duration> {
        Some(self.interval.load(Ordering::Acquire)).filter(|nanos| *nanos != 0).map(Duration::from_nanos)
    }

    /// How long it has been silent.
    pub fn silent_for(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.last.load(Ordering::Acquire)))
    }

    /// When its silence will be too long; nothing if it promised nothing.
    pub fn deadline(&self) -> Option<Duration> {
        self.interval().map(|interval| Duration::from_nanos(self.last.load(Ordering::Acquire)) + interval)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What is wrong with a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ailment {
    /// It ended without having been asked to, with this error or none.
    Ended(Option<Arc<str>>),
    /// It has been silent for so long, having promised to be heard of so often.
    Silent(Duration, Duration),
}

/// What a service's daemons have to tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct DaemonNews {
    /// Who is not well, by name, and why.
    pub ailing: Vec<(Arc<str>, Ailment)>,
    /// When the next one will have been silent for too long.
    pub deadline: Option<Duration>,
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_promised_nothing_is_never_too_silent() {
        let pulse = Pulse::default();
        pulse.beat(Duration::from_secs(3));
        assert_eq!(pulse.deadline(), None);
    }

    #[test]
    fn a_sign_of_life_moves_the_deadline() {
        let pulse = Pulse::default();
        pulse.beat(Duration::from_secs(1));
        assert!(pulse.promise(Duration::from_secs(5)));
        assert!(!pulse.promise(Duration::from_secs(5)));
        assert_eq!(pulse.deadline(), Some(Duration::from_secs(6)));
        pulse.beat(Duration::from_secs(4));
        assert_eq!(pulse.deadline(), Some(Duration::from_secs(9)));
        assert_eq!(pulse.silent_for(Duration::from_secs(10)), Duration::from_secs(6));
    }
}
