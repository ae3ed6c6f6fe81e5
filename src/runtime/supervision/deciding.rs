//! What follows: one decision about one service at a time, from how it and those around it stand.

use super::machine::{Machine, shortened};
use super::policy::OnLoss;
use super::supervised::Supervised;
use super::task::{Kind, Severity};
use super::unit::{FallenDaemon, Phase, Unit};
use std::sync::Arc;
use std::time::Duration;

impl<S: Supervised> Machine<S> {
    /// One decision about one service. Returns whether something has changed.
    pub(super) fn step(&mut self, at: usize, now: Duration) -> bool {
        if self.units[at].job.is_some() {
            return false;
        }
        match &self.units[at].phase {
            Phase::Waiting | Phase::Blocked { .. } => self.step_waiting(at),
            Phase::Up => self.step_up(at, now),
            Phase::Stopping { reason } => {
                let reason = Arc::clone(reason);
                let free = !self.carries(at);
                if free {
                    self.units[at].phase = Phase::Waiting;
                    self.issue(at, Kind::Stop { reason });
                }
                free
            }
            Phase::Down { due, .. } if *due <= now => self.step_down(at, now),
            _ => false,
        }
    }

    fn step_waiting(&mut self, at: usize) -> bool {
        if let Some(reason) = self.missing(at) {
            let is_new = self.units[at].phase == Phase::Waiting;
            if is_new {
                self.remark(at, Severity::Warning, &format!("not started: it {reason}"));
                self.issue(at, Kind::Block { reason });
            }
            return is_new;
        }
        let wanted = self.graph.wants(at).iter().all(|other| self.units[*other].is_settled());
        let starts = wanted && self.has_what_it_requires(at);
        if starts {
            self.issue(at, Kind::Start);
        }
        starts
    }

    fn step_up(&mut self, at: usize, now: Duration) -> bool {
        if let Some(reason) = self.loss(at) {
            self.remark(at, Severity::Warning, &format!("stopping: it {reason}"));
            self.units[at].leave(now);
            self.units[at].phase = Phase::Stopping { reason };
            return true;
        }
        let unit = &mut self.units[at];
        if let Some(ailing) = unit.ailing.as_mut().filter(|ailing| ailing.due <= now && !ailing.confirming) {
            if unit.checks.flight.is_some_and(|flight| flight.hangs) {
                let cause = Arc::clone(&ailing.cause);
                self.condemn(at, false, cause, now);
                return true;
            }
            // It may have recovered: nothing is reset that is healthy.
            ailing.confirming = true;
            unit.checks.due = Some(now);
        }
        let due = unit.fallen.iter().position(|daemon| daemon.due <= now);
        if let Some(due) = due {
            let FallenDaemon { name, cause, .. } = unit.fallen.swap_remove(due);
            self.count_restart(at, cause, now);
            self.issue(at, Kind::RestartDaemon { daemon: name });
        }
        due.is_some()
    }

    fn step_down(&mut self, at: usize, now: Duration) -> bool {
        let Phase::Down { give_up, cause, .. } = &self.units[at].phase else { return false };
        let (give_up, cause) = (*give_up, Arc::clone(cause));
        if self.carries(at) || !(give_up || self.has_what_it_requires(at)) {
            return false;
        }
        if give_up {
            let history = self.units[at].restarts.history();
            self.remark(at, Severity::Error, &format!("given up, it was restarted too often: {cause}"));
            self.issue(at, Kind::GiveUp { reason: cause, history });
        } else {
            self.count_restart(at, cause, now);
            self.issue(at, Kind::Restart);
        }
        true
    }

    fn has_what_it_requires(&self, at: usize) -> bool {
        self.graph.requires(at).iter().all(|other| self.units[*other].is_up())
    }

    /// What it requires and cannot count on.
    fn missing(&self, at: usize) -> Option<Arc<str>> {
        let out = |other: &usize| Some((&self.units[*other].name, self.units[*other].absence()?));
        let (name, absence) = self.graph.requires(at).iter().find_map(out)?;
        Some(shortened(&format!("requires {name:?}, which {absence}")))
    }

    /// What it requires and lost, if that is to end it.
    fn loss(&self, at: usize) -> Option<Arc<str>> {
        let unit = &self.units[at];
        if unit.policy.on_loss == OnLoss::Keep {
            return None;
        }
        let is_lost =
            |other: &&Unit<S>| unit.against.iter().any(|(name, epoch)| *name == other.name && *epoch != other.epoch);
        let other = self.graph.requires(at).iter().map(|other| &self.units[*other]).find(is_lost)?;
        let became = match &other.phase {
            Phase::Up => "was started anew".to_owned(),
            Phase::Down { cause, has_failed: false, .. } => format!("is restarted: {cause}"),
            _ => other.absence().unwrap_or_else(|| "is being restarted".to_owned()),
        };
        Some(shortened(&format!("requires {:?}, which {became}", other.name)))
    }

    /// Whether somebody must be stopped before it.
    fn carries(&self, at: usize) -> bool {
        self.graph.dependents(at).iter().any(|other| self.units[*other].leans_on_what_it_requires())
    }
}
