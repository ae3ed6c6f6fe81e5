//! The moves of a service from one phase to another: it comes up, gets into trouble, is condemned or found healthy.

use super::health::Verdict;
use super::machine::{Machine, shortened};
use super::restarts::Next;
use super::supervised::Supervised;
use super::task::Severity;
use super::unit::{Ailing, Epochs, Phase};
use std::sync::Arc;
use std::time::Duration;

impl<S: Supervised> Machine<S> {
    pub(super) fn enter(&mut self, at: usize, against: Epochs, now: Duration) {
        let checking = self.units[at].policy.checking;
        let unit = &mut self.units[at];
        unit.leave(now);
        unit.phase = Phase::Up;
        unit.epoch += 1;
        unit.against = against;
        unit.up_since = now;
        unit.checks.begin(now, checking, &mut self.jitter);
        // A check of a past generation that hangs allows no other: so this is all that is known of the new one.
        let hanging = unit.checks.flight.filter(|flight| flight.hangs);
        unit.checks.was_healthy = hanging.is_none();
        if let Some((flight, service)) = hanging.zip(unit.service.as_ref()) {
            service.judged(unit.generation, Verdict::Unanswered { began: flight.began }, now);
        }
        self.let_dependents_stop_first(at);
    }

    /// Who requires it and went on running was started earlier, and must be stopped earlier all the same.
    fn let_dependents_stop_first(&self, at: usize) {
        if self.graph.dependents(at).is_empty() {
            return;
        }
        let mut reached = vec![false; self.units.len()];
        reached[at] = true;
        for other in self.graph.order() {
            if !self.graph.requires(*other).iter().any(|required| reached[*required]) {
                continue;
            }
            reached[*other] = true;
            if let Some(service) = self.units[*other].service.as_ref().filter(|_| self.units[*other].is_up()) {
                service.stop_earlier();
            }
        }
    }

    /// It is not running, or must not go on as it is.
    pub(super) fn trouble(&mut self, at: usize, cause: Arc<str>, now: Duration) {
        let cause = shortened(&cause);
        let up_for = self.units[at].leave(now);
        if self.units[at].is_never_restarted() {
            self.units[at].phase = Phase::GivenUp { cause };
            return;
        }
        let (due, give_up) = match self.next(at, up_for, now) {
            Next::After(delay) => {
                self.remark(at, Severity::Warning, &format!("restart in {:.2} s: {cause}", delay.as_secs_f64()));
                (now + delay, false)
            }
            Next::GiveUp => (now, true),
        };
        self.units[at].phase = Phase::Down { due, give_up, has_failed: true, cause };
    }

    /// It runs, and is reset or given up as soon as it may be.
    pub(super) fn condemn(&mut self, at: usize, give_up: bool, cause: Arc<str>, now: Duration) {
        if !give_up {
            self.remark(at, Severity::Warning, &format!("restart: {cause}"));
        }
        self.units[at].leave(now);
        self.units[at].phase = Phase::Down { due: now, give_up, has_failed: give_up, cause };
    }

    pub(super) fn judge(&mut self, at: usize, verdict: Verdict, now: Duration) {
        let unit = &mut self.units[at];
        let (is_healthy, reason) = (verdict.is_healthy(), verdict.reason(now));
        if let Some(service) = unit.service.as_ref() {
            service.judged(unit.generation, verdict, now);
        }
        let has_changed = std::mem::replace(&mut unit.checks.was_healthy, is_healthy) != is_healthy;
        let Some(reason) = reason else {
            unit.ailing = None;
            if has_changed {
                self.remark(at, Severity::Info, "healthy again");
            }
            return;
        };
        let reason = shortened(&format!("unhealthy: {reason}"));
        if has_changed {
            self.remark(at, Severity::Warning, &reason);
        }
        self.treat(at, reason, now);
    }

    fn treat(&mut self, at: usize, cause: Arc<str>, now: Duration) {
        let unit = &self.units[at];
        match &unit.ailing {
            _ if unit.is_never_restarted() => {}
            Some(ailing) if ailing.confirming => self.condemn(at, false, cause, now),
            Some(_) => {}
            None => match self.next(at, Some(now.saturating_sub(unit.up_since)), now) {
                Next::After(delay) => {
                    self.units[at].ailing = Some(Ailing { due: now + delay, cause, confirming: false });
                }
                Next::GiveUp => self.condemn(at, true, cause, now),
            },
        }
    }

    pub(super) fn next(&mut self, at: usize, up_for: Option<Duration>, now: Duration) -> Next {
        let unit = &mut self.units[at];
        match (unit.restarts.next(now, up_for, &unit.policy, &mut self.jitter), unit.insists) {
            (Next::GiveUp, Some(pause)) => Next::After(pause),
            (Next::After(delay), Some(pause)) => Next::After(delay.min(pause)),
            (next, None) => next,
        }
    }

    pub(super) fn count_restart(&mut self, at: usize, cause: Arc<str>, now: Duration) {
        let unit = &mut self.units[at];
        unit.restarts.record(now, cause);
        if let Some(service) = unit.service.as_ref() {
            service.restarted();
        }
    }
}
