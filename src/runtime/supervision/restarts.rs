//! What a service's restarts were: how long to wait for the next, and when enough is enough.

use super::backoff::Jitter;
use super::policy::Policy;
use super::task::Past;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How many restarts are remembered for people to read. Those that count towards a cap are kept besides.
pub const KEPT_RESTARTS: usize = 20;

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Restart, after this delay.
    After(Duration),
    /// There were too many restarts in too short a time.
    GiveUp,
}

/// The restarts of one service, or of its daemons. Lives as long as the service is supervised.
#[derive(Debug, Default)]
pub struct Restarts {
    /// Since the service was last stable.
    consecutive: u32,
    /// When those were that may still count towards the cap.
    times: VecDeque<Duration>,
    history: VecDeque<Past>,
}

impl Restarts {
    /// What to do about a failure now. `up_for`: how long the service ran before it, if it did. As long as a window of
    /// the cap is stable, and then the delays begin anew.
    pub fn next(&mut self, now: Duration, up_for: Option<Duration>, policy: &Policy, jitter: &mut Jitter) -> Next {
        if up_for.is_some_and(|up_for| up_for >= policy.cap.window) {
            self.consecutive = 0;
        }
        self.forget_before(now.saturating_sub(policy.cap.window));
        if self.times.len() >= policy.cap.restarts {
            return Next::GiveUp;
        }
        Next::After(policy.backoff.delay(self.consecutive, jitter))
    }

    /// Notes a restart that takes place now.
    pub fn record(&mut self, now: Duration, cause: Arc<str>) {
        self.consecutive = self.consecutive.saturating_add(1);
        self.times.push_back(now);
        if self.history.len() == KEPT_RESTARTS {
            self.history.pop_front();
        }
        self.history.push_back(Past { at: now, cause });
    }

    /// The last ones, the oldest first.
    pub fn history(&self) -> Vec<Past> {
        self.history.iter().cloned().collect()
    }

    fn forget_before(&mut self, then: Duration) {
        // One that took place exactly a window ago is outside of it, except at the very beginning of time.
        while self.times.front().is_some_and(|time| *time < then || (*time == then && !then.is_zero())) {
            self.times.pop_front();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn after(restarts: &mut Restarts, now: u64, up_for: Option<u64>) -> Next {
        let up_for = up_for.map(Duration::from_secs);
        restarts.next(Duration::from_secs(now), up_for, &Policy::default(), &mut Jitter::Off)
    }

    #[test]
    fn the_sixth_restart_within_a_minute_is_one_too_many() {
        let mut restarts = Restarts::default();
        for (second, delay) in (100..).zip([0.5, 1.0, 2.0, 4.0, 8.0]) {
            assert_eq!(after(&mut restarts, second, None), Next::After(Duration::from_secs_f64(delay)));
            restarts.record(Duration::from_secs(second), "boom".into());
        }
        assert_eq!(after(&mut restarts, 159, None), Next::GiveUp);
        assert_eq!(after(&mut restarts, 160, None), Next::After(Duration::from_secs(16)));
    }

    #[test]
    fn who_ran_for_a_whole_window_begins_anew() {
        let mut restarts = Restarts::default();
        restarts.record(Duration::from_secs(1), "boom".into());
        assert_eq!(after(&mut restarts, 60, Some(59)), Next::After(Duration::from_secs(1)));
        assert_eq!(after(&mut restarts, 61, Some(60)), Next::After(Duration::from_millis(500)));
    }

    #[test]
    fn a_thousand_restarts_leave_twenty_to_read() {
        let mut restarts = Restarts::default();
        for second in 0..1000 {
            restarts.record(Duration::from_secs(second), "boom".into());
        }
        let history = restarts.history();
        assert_eq!((history.len(), history[0].at), (KEPT_RESTARTS, Duration::from_secs(980)));
    }
}
