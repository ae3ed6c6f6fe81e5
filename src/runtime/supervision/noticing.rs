//! What happens to services, and what the supervisor makes of it: changes that it sees, tasks and checks that end, wishes, and
//! time that passes.

use super::health::Verdict;
use super::machine::{Machine, shortened};
use super::policy::Restart;
use super::restarts::{Next, Restarts};
use super::supervised::{Sample, Supervised};
use super::supervisor::Ended;
use super::task::{Kind, Severity, Token};
use super::unit::{Epochs, FallenDaemon, Job, Phase, Unit};
use super::watchdog::Ailment;
use crate::runtime::state::ServiceState;
use std::sync::Arc;
use std::time::Duration;

/// How often a service that somebody else starts or resets is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl<S: Supervised> Machine<S> {
    /// A service may have changed. Returns a handle to drop.
    pub(super) fn observe(&mut self, name: &str, found: Ended<S>, now: Duration) -> Option<S> {
        let Some(at) = self.place(name) else { return found.service };
        let (old, failure) = self.take_over(at, found);
        if !self.closed && self.units[at].job.is_none() {
            self.classify(at, failure, now);
        }
        old
    }

    /// Notes how a service was found. Returns the handle that it had before, and why it is FAILED.
    fn take_over(&mut self, at: usize, found: Ended<S>) -> (Option<S>, Option<Arc<str>>) {
        let unit = &mut self.units[at];
        if let Some(policy) = found.policy {
            unit.policy = policy;
        }
        let old = found.service.and_then(|service| {
            if unit.service.as_ref().is_some_and(|known| !known.is(&service)) {
                // Another one was built under the name: none of its generations has been seen.
                unit.generation = 0;
            }
            unit.service.replace(service)
        });
        (old, found.failure)
    }

    fn classify(&mut self, at: usize, failure: Option<Arc<str>>, now: Duration) {
        let Some(sample) = self.units[at].service.as_ref().map(Supervised::sample) else { return };
        let is_news = self.units[at].generation != sample.generation;
        self.units[at].generation = sample.generation;
        match sample.state {
            ServiceState::Running => {
                if is_news || !self.is_known_to_run(at) {
                    let against = self.epochs(at);
                    self.enter(at, against, now);
                }
            }
            ServiceState::Failed => {
                if let Some(cause) = failure.filter(|_| self.would_be_hit(at)) {
                    self.trouble(at, cause, now);
                }
            }
            ServiceState::Started => self.hand_over(at, now),
            ServiceState::NotStarted if sample.resetting => self.hand_over(at, now),
            ServiceState::NotStarted => self.found_not_started(at, sample, is_news, now),
        }
    }

    /// Whether it is what the supervisor takes it for already when it is RUNNING: up, on its way down, or waiting for
    /// its reset.
    fn is_known_to_run(&self, at: usize) -> bool {
        matches!(self.units[at].phase, Phase::Up | Phase::Stopping { .. } | Phase::Down { .. })
    }

    /// Whether a failure is one that nobody has dealt with.
    fn would_be_hit(&self, at: usize) -> bool {
        !matches!(self.units[at].phase, Phase::Down { .. } | Phase::Blocked { .. } | Phase::GivenUp { .. })
    }

    fn hand_over(&mut self, at: usize, now: Duration) {
        self.units[at].leave(now);
        self.units[at].phase = Phase::InOtherHands { again: now + LOOK_AGAIN };
    }

    fn found_not_started(&mut self, at: usize, sample: Sample, is_news: bool, now: Duration) {
        let unit = &mut self.units[at];
        if !sample.enabled {
            unit.leave(now);
            unit.phase = Phase::Off;
            return;
        }
        let was_up = matches!(unit.phase, Phase::Up | Phase::Stopping { .. });
        if sample.stopped {
            // Our own stops leave it so, too: but these are no news.
            if is_news || was_up {
                self.found_stopped(at, now);
            }
        } else if was_up {
            self.trouble(at, "it is NOT_STARTED, though nobody has stopped it".into(), now);
        } else if matches!(unit.phase, Phase::InOtherHands { .. } | Phase::Off) {
            unit.phase = Phase::Waiting;
        }
    }

    fn found_stopped(&mut self, at: usize, now: Duration) {
        if self.units[at].is_always_restarted() {
            self.trouble(at, "it was stopped".into(), now);
        } else {
            self.units[at].leave(now);
            self.units[at].phase = Phase::Held;
        }
    }

    /// A task has come to an end. Returns a handle to drop.
    pub(super) fn task_done(&mut self, token: Token, ended: Ended<S>, now: Duration) -> Option<S> {
        let at = self.units.iter().position(|unit| unit.job.as_ref().is_some_and(|job| job.token == token));
        let Some(at) = at else { return ended.service };
        let (old, failure) = self.take_over(at, ended);
        if let (Some(job), false) = (self.units[at].job.take(), self.closed) {
            self.conclude(at, job, failure, now);
        }
        old
    }

    fn conclude(&mut self, at: usize, job: Job, failure: Option<Arc<str>>, now: Duration) {
        let sample = self.units[at].service.as_ref().map(Supervised::sample);
        let Some(sample) = sample else {
            return self.trouble(at, failure.unwrap_or_else(|| "it was not built".into()), now);
        };
        self.units[at].generation = sample.generation;
        let is_off = sample.state == ServiceState::NotStarted && !sample.enabled && !sample.resetting;
        match job.kind {
            _ if is_off => self.units[at].phase = Phase::Off,
            Kind::Start | Kind::Restart => self.conclude_start(at, sample, job.against, failure, now),
            Kind::Stop { .. } if sample.state == ServiceState::NotStarted => self.units[at].phase = Phase::Waiting,
            Kind::Stop { .. } => {
                let cause = failure.unwrap_or_else(|| "it did not stop".into());
                self.trouble(at, cause, now);
            }
            Kind::Block { reason } if sample.state != ServiceState::Running => {
                self.units[at].phase = Phase::Blocked { reason };
            }
            Kind::GiveUp { reason, .. } if sample.state != ServiceState::Running => {
                self.units[at].phase = Phase::GivenUp { cause: reason };
            }
            Kind::RestartDaemon { .. } if sample.state == ServiceState::Running => {
                if let Some(cause) = failure {
                    self.trouble(at, cause, now);
                }
            }
            Kind::RestartDaemon { .. } => self.classify(at, failure, now),
            // Somebody has started it meanwhile.
            Kind::Block { .. } | Kind::GiveUp { .. } => {
                let against = self.epochs(at);
                self.enter(at, against, now);
            }
        }
    }

    fn conclude_start(&mut self, at: usize, sample: Sample, against: Epochs, failure: Option<Arc<str>>, now: Duration) {
        match sample.state {
            ServiceState::Running => self.enter(at, against, now),
            ServiceState::Started => self.hand_over(at, now),
            ServiceState::NotStarted if sample.resetting => self.hand_over(at, now),
            ServiceState::NotStarted if sample.stopped && failure.is_none() => self.found_stopped(at, now),
            _ => self.trouble(at, failure.unwrap_or_else(|| "it did not start".into()), now),
        }
    }

    /// A check has answered. Returns whether something may follow from that.
    pub(super) fn check_done(&mut self, token: Token, verdict: Verdict, now: Duration) -> bool {
        let flew = |unit: &Unit<S>| unit.checks.flight.is_some_and(|flight| flight.token == token);
        let Some(at) = self.units.iter().position(flew) else { return false };
        let Some(flight) = self.units[at].checks.flight.take() else { return false };
        let runs = self.units[at].is_up() && self.units[at].generation == flight.generation;
        if !runs || self.closed {
            return flight.hangs;
        }
        let verdict = match verdict {
            Verdict::Unhealthy(reason) => Verdict::Unhealthy(shortened(&reason)),
            other => other,
        };
        let follows = flight.hangs || !verdict.is_healthy() || !self.units[at].checks.was_healthy;
        self.judge(at, verdict, now);
        follows
    }

    /// Somebody wants all services to run: also those that were stopped or given up, as if for the first time.
    pub(super) fn resume(&mut self) {
        for unit in &mut self.units {
            if unit.job.is_none() && matches!(unit.phase, Phase::Held | Phase::GivenUp { .. } | Phase::Off) {
                unit.restarts = Restarts::default();
                unit.phase = Phase::Waiting;
            }
        }
    }

    /// Somebody insists that this service runs, or no longer: it is never given up then, but tried again after the pause at
    /// the latest. What was left alone is reset now.
    pub(super) fn insist(&mut self, name: &str, pause: Option<Duration>, now: Duration) {
        let Some(at) = self.place(name) else { return };
        let unit = &mut self.units[at];
        unit.insists = pause;
        let cause: Arc<str> = match &unit.phase {
            Phase::GivenUp { cause } => Arc::clone(cause),
            Phase::Held => "it was stopped".into(),
            _ => return,
        };
        if unit.job.is_none() && pause.is_some() {
            unit.phase = Phase::Down { due: now, give_up: false, has_failed: true, cause };
        }
    }

    pub(super) fn pass_time(&mut self, at: usize, now: Duration) {
        self.notice_overdue(at, now);
        self.notice_silence(at, now);
        let unit = &self.units[at];
        if matches!(unit.phase, Phase::InOtherHands { again } if again <= now) && unit.job.is_none() {
            self.classify(at, None, now);
        }
        if self.units[at].is_up() && self.units[at].job.is_none() {
            self.hear_daemons(at, now);
        }
    }

    /// A task that takes too long: the others go on without it.
    fn notice_overdue(&mut self, at: usize, now: Duration) {
        let unit = &mut self.units[at];
        let Some(job) = unit.job.as_ref().filter(|job| !job.overdue) else { return };
        let due = job.began.zip(unit.patience(&job.kind)).map(|(began, patience)| began + patience);
        if due.is_none_or(|due| due > now) {
            return;
        }
        if let Some(job) = unit.job.as_mut() {
            job.overdue = true;
        }
        if let Some(overdue) = unit.overdue() {
            self.remark(at, Severity::Warning, &format!("it {overdue}; the others go on without it"));
        }
    }

    /// A check whose time is over.
    fn notice_silence(&mut self, at: usize, now: Duration) {
        let unit = &mut self.units[at];
        let Some((flight, checking)) = unit.checks.flight.as_mut().zip(unit.policy.checking) else { return };
        if flight.hangs || flight.began + checking.timeout > now {
            return;
        }
        flight.hangs = true;
        let (began, generation) = (flight.began, flight.generation);
        if unit.is_up() && unit.generation == generation {
            self.judge(at, Verdict::Unanswered { began }, now);
        }
    }

    fn hear_daemons(&mut self, at: usize, now: Duration) {
        let Some(news) = self.units[at].service.as_ref().map(|service| service.daemons(now)) else { return };
        self.units[at].silence_due = news.deadline;
        for (name, ailment) in news.ailing {
            self.daemon_is_ailing(at, name, &ailment, now);
        }
    }

    fn daemon_is_ailing(&mut self, at: usize, name: Arc<str>, ailment: &Ailment, now: Duration) {
        let unit = &self.units[at];
        let (never, always) = (unit.is_never_restarted(), unit.policy.restart == Restart::Always);
        let (cause, is_failure) = match ailment {
            Ailment::Ended(Some(error)) => (format!("daemon {name:?} ended with {error}"), true),
            Ailment::Ended(None) => (format!("daemon {name:?} has returned"), always),
            Ailment::Silent(silence, promised) => {
                let (silence, promised) = (silence.as_secs_f64(), promised.as_secs_f64());
                (format!("daemon {name:?} has been silent for {silence:.1} s, having promised {promised:.1} s"), true)
            }
        };
        if !is_failure {
            return;
        }
        let cause = shortened(&cause);
        if never {
            self.remark(at, Severity::Warning, &cause);
            return;
        }
        match self.next(at, Some(now.saturating_sub(self.units[at].up_since)), now) {
            Next::After(delay) => {
                self.remark(at, Severity::Warning, &format!("{cause}; it runs again in {:.2} s", delay.as_secs_f64()));
                self.units[at].fallen.push(FallenDaemon { name, due: now + delay, cause });
            }
            Next::GiveUp => self.condemn(at, true, cause, now),
        }
    }
}
