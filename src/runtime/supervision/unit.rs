//! One supervised service, as the supervisor sees it.

use super::health::Checks;
use super::policy::{OnLoss, Policy, Restart};
use super::restarts::Restarts;
use super::task::{Kind, Token};
use std::sync::Arc;
use std::time::Duration;

/// Where the supervisor stands with a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// It starts as soon as what it needs is there.
    Waiting,
    /// It runs.
    Up,
    /// It runs, and is stopped as soon as who requires it is.
    Stopping { reason: Arc<str> },
    /// Somebody else is starting or resetting it; look again then.
    InOtherHands { again: Duration },
    /// It is to be reset, or given up, when the time has come and who requires it is stopped.
    Down { due: Duration, give_up: bool, has_failed: bool, cause: Arc<str> },
    /// It is FAILED for the sake of a service that it requires.
    Blocked { reason: Arc<str> },
    /// It is left as it is, for this reason.
    GivenUp { cause: Arc<str> },
    /// Somebody has stopped it.
    Held,
    /// Its settings do not enable it.
    Off,
}

/// How services stand that another one requires: their epochs, by name.
pub(super) type Epochs = Vec<(Arc<str>, u64)>;

/// A task that has been issued.
#[derive(Debug)]
pub(super) struct Job {
    pub token: Token,
    pub kind: Kind,
    /// When it was taken; nothing as long as nobody has.
    pub began: Option<Duration>,
    /// It has taken longer than others should count on it.
    pub overdue: bool,
    /// The epochs of what it requires, when it was issued.
    pub against: Epochs,
}

/// It runs, and is not well.
#[derive(Debug)]
pub(super) struct Ailing {
    /// When it is reset, if it is not well again by then.
    pub due: Duration,
    pub cause: Arc<str>,
    /// The last check before that has been asked for.
    pub confirming: bool,
}

/// A daemon that is to be run again.
#[derive(Debug)]
pub(super) struct FallenDaemon {
    pub name: Arc<str>,
    pub due: Duration,
    pub cause: Arc<str>,
}

/// A service under supervision. Lives as long as it is part of the plan.
#[derive(Debug)]
pub(super) struct Unit<S> {
    pub name: Arc<str>,
    pub policy: Policy,
    /// Its handle, once it is built.
    pub service: Option<S>,
    pub phase: Phase,
    pub job: Option<Job>,
    /// Grows whenever it comes up or goes down: who requires it notes against which one it started.
    pub epoch: u64,
    pub against: Epochs,
    /// The generation that was seen last.
    pub generation: u64,
    pub up_since: Duration,
    pub restarts: Restarts,
    /// Somebody insists that it runs: it is never given up, and tried again after this time at the latest.
    pub insists: Option<Duration>,
    pub checks: Checks,
    pub ailing: Option<Ailing>,
    pub fallen: Vec<FallenDaemon>,
    /// When a daemon of it will have been silent for too long.
    pub silence_due: Option<Duration>,
}

impl<S> Unit<S> {
    pub fn new(name: Arc<str>, policy: Policy) -> Self {
        Self {
            name,
            policy,
            service: None,
            phase: Phase::Waiting,
            job: None,
            epoch: 0,
            against: Vec::new(),
            generation: 0,
            up_since: Duration::ZERO,
            restarts: Restarts::default(),
            insists: None,
            checks: Checks::default(),
            ailing: None,
            fallen: Vec::new(),
            silence_due: None,
        }
    }

    pub fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// Whether a start of it is under way, or a stop.
    fn is_at_work(&self) -> bool {
        let works = |job: &Job| matches!(job.kind, Kind::Start | Kind::Restart | Kind::Stop { .. });
        self.job.as_ref().is_some_and(|job| works(job) && !job.overdue)
    }

    /// Whether what it requires must not go down yet.
    pub fn leans_on_what_it_requires(&self) -> bool {
        let runs = matches!(self.phase, Phase::Up | Phase::Stopping { .. });
        self.policy.on_loss == OnLoss::Restart && (runs || self.is_at_work())
    }

    /// What takes longer than others should count on.
    pub fn overdue(&self) -> Option<String> {
        let job = self.job.as_ref().filter(|job| job.overdue)?;
        let done = if matches!(job.kind, Kind::Stop { .. }) { "stopped" } else { "started" };
        Some(format!("has not {done} within {} s", self.patience(&job.kind)?.as_secs_f64()))
    }

    /// Whether its failures are reported, and nothing else.
    pub fn is_never_restarted(&self) -> bool {
        self.policy.restart == Restart::Never && self.insists.is_none()
    }

    /// Whether it comes back whatever ended it.
    pub fn is_always_restarted(&self) -> bool {
        self.policy.restart == Restart::Always || self.insists.is_some()
    }

    /// Whether it is RUNNING or has failed, or is none of the supervisor's business.
    pub fn is_settled(&self) -> bool {
        match self.phase {
            Phase::Waiting | Phase::InOtherHands { .. } => self.overdue().is_some(),
            _ => true,
        }
    }

    /// Why it cannot be counted on; nothing if it runs or is about to.
    pub fn absence(&self) -> Option<String> {
        match &self.phase {
            Phase::Down { has_failed: true, cause, .. } | Phase::GivenUp { cause } => {
                Some(format!("has failed: {cause}"))
            }
            Phase::Blocked { reason } => Some(format!("is not there either: it {reason}")),
            Phase::Held => Some("was stopped".to_owned()),
            Phase::Off => Some("is disabled".to_owned()),
            _ => self.overdue(),
        }
    }

    /// It is not up any more. Returns how long it was.
    pub fn leave(&mut self, now: Duration) -> Option<Duration> {
        self.ailing = None;
        self.fallen.clear();
        self.silence_due = None;
        self.checks.due = None;
        let was_up = matches!(self.phase, Phase::Up | Phase::Stopping { .. });
        if self.is_up() {
            self.epoch += 1;
        }
        was_up.then(|| now.saturating_sub(self.up_since))
    }

    /// When something is to be done about it by itself; what could be done already waits for something else.
    pub fn wake(&self, now: Duration) -> Option<Duration> {
        // A task or a check that waits to be taken is taken any moment.
        let began = |job: &Job| Some(job.began.unwrap_or(now) + self.patience(&job.kind)?);
        let of_job = self.job.as_ref().filter(|job| !job.overdue).and_then(began);
        let of_phase = match &self.phase {
            Phase::InOtherHands { again } => Some(*again),
            Phase::Down { due, .. } => Some(*due),
            _ => None,
        };
        let of_ailing = self.ailing.as_ref().filter(|ailing| !ailing.confirming).map(|ailing| ailing.due);
        let of_fallen = self.fallen.iter().map(|daemon| daemon.due).min();
        let of_checks = self.checks.wake(now, self.policy.checking);
        let all = [of_job, of_phase, of_ailing, of_fallen, of_checks, self.silence_due];
        all.into_iter().flatten().filter(|due| *due > now).min()
    }

    /// How long a task may take before the others go on without it.
    pub fn patience(&self, kind: &Kind) -> Option<Duration> {
        match kind {
            Kind::Start | Kind::Restart => Some(self.policy.start_timeout),
            Kind::Stop { .. } => Some(self.policy.start_timeout + STOP_GRACE),
            _ => None,
        }
    }
}

/// What a stop may take besides the wait for a start that is under way: two graces for its daemons, and its own code.
const STOP_GRACE: Duration = Duration::from_secs(10);
