//! What the supervisor decides. Plain data behind [`super::supervisor::Supervisor`]'s lock.
//!
//! Expected flow: something happens (a task ends, a service changes, a verdict, time passes) and is noted in a unit;
//! then [`Machine::settle`] goes over the units until nothing more follows, and has issued the tasks that do.
//!
//! Guarantees: one task at a time for each service. None starts before what it requires runs. None is reset or given up
//! before those that go down with it are stopped. One that is found healthy before its reset is not reset.

use super::backoff::Jitter;
use super::graph::{Graph, GraphError, Node};
use super::health::Verdict;
use super::policy::{OnLoss, Restart};
use super::restarts::{Next, Restarts};
use super::supervised::{Sample, Supervised};
use super::supervisor::{Ended, Spec};
use super::task::{Check, Kind, Line, Severity, Task, Token};
use super::unit::{Ailing, FallenDaemon, Job, Phase, Unit};
use super::watchdog::Ailment;
use crate::runtime::state::ServiceState;
use crate::runtime::sync::{Arc as Shared, Signal};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often a service that somebody else starts or resets is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Checks that would be due within this part of their interval are made with those that are.
const SLACK: u32 = 20;
/// Longer reasons are cut: they are kept, and quoted in others.
const LONGEST_REASON: usize = 400;

#[derive(Debug)]
pub(super) struct Machine<S> {
    graph: Graph,
    units: Vec<Unit<S>>,
    queue: VecDeque<Token>,
    lines: Vec<Line>,
    jitter: Jitter,
    tokens: u64,
    waiters: Vec<Shared<Signal>>,
    pub closed: bool,
}

impl<S: Supervised> Machine<S> {
    pub fn new(jitter: Jitter) -> Self {
        Self {
            graph: Graph::default(),
            units: Vec::new(),
            queue: VecDeque::new(),
            lines: Vec::new(),
            jitter,
            tokens: 0,
            waiters: Vec::new(),
            closed: false,
        }
    }

    /// Takes a plan over: what it knows already goes on. Returns the handles of what is no longer part of it.
    pub fn plan(&mut self, specs: Vec<Spec>, known: &[String]) -> Result<Vec<S>, GraphError> {
        let nodes: Vec<Node> = specs.iter().map(|spec| spec.node.clone()).collect();
        let graph = Graph::of(&nodes, known)?;
        for (at, wanted) in graph.absent() {
            let (name, text) = (&nodes[*at].name, "is not registered; it is started without");
            self.tell(Severity::Warning, format!("Service {name:?} wants {wanted:?}, which {text}"));
        }
        let mut before = std::mem::take(&mut self.units);
        for spec in specs {
            let known = before.iter().position(|unit| unit.name == spec.node.name);
            let mut unit = known.map_or_else(|| Unit::new(spec.node.name, spec.policy), |at| before.swap_remove(at));
            unit.policy = spec.policy;
            self.units.push(unit);
        }
        self.graph = graph;
        for at in 0..self.units.len() {
            self.units[at].against = self.epochs(at);
        }
        Ok(before.into_iter().filter_map(|unit| unit.service).collect())
    }

    /// The names of the plan.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.units.iter().map(|unit| Arc::clone(&unit.name)).collect()
    }

    // ------------------------------------------------------------------ what happens

    /// A service may have changed. Returns a handle to drop.
    pub fn observe(&mut self, name: &str, found: Ended<S>, now: Duration) -> Option<S> {
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
    pub fn task_done(&mut self, token: Token, ended: Ended<S>, now: Duration) -> Option<S> {
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

    fn conclude_start(
        &mut self,
        at: usize,
        sample: Sample,
        against: Vec<u64>,
        failure: Option<Arc<str>>,
        now: Duration,
    ) {
        match sample.state {
            ServiceState::Running => self.enter(at, against, now),
            ServiceState::Started => self.hand_over(at, now),
            ServiceState::NotStarted if sample.resetting => self.hand_over(at, now),
            ServiceState::NotStarted if sample.stopped && failure.is_none() => self.found_stopped(at, now),
            _ => self.trouble(at, failure.unwrap_or_else(|| "it did not start".into()), now),
        }
    }

    /// A check has answered. Returns whether something may follow from that.
    pub fn check_done(&mut self, token: Token, verdict: Verdict, now: Duration) -> bool {
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
    pub fn resume(&mut self) {
        for unit in &mut self.units {
            if unit.job.is_none() && matches!(unit.phase, Phase::Held | Phase::GivenUp { .. } | Phase::Off) {
                unit.restarts = Restarts::default();
                unit.phase = Phase::Waiting;
            }
        }
    }

    /// Somebody insists that this service runs, or no longer: it is never given up then, but tried again after the pause at
    /// the latest. What was left alone is reset now.
    pub fn insist(&mut self, name: &str, pause: Option<Duration>, now: Duration) {
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

    // ------------------------------------------------------------------ what follows

    /// Issues every task that follows from how things stand.
    pub fn settle(&mut self, now: Duration) {
        if self.closed {
            return;
        }
        for at in 0..self.units.len() {
            self.pass_time(at, now);
        }
        loop {
            let mut has_moved = false;
            for number in 0..self.graph.order().len() {
                has_moved |= self.step(self.graph.order()[number], now);
            }
            if !has_moved {
                break;
            }
        }
        self.gather_checks(now);
        if self.units.iter().all(Unit::is_settled) {
            self.wake_waiters();
        }
    }

    fn pass_time(&mut self, at: usize, now: Duration) {
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
        let patience = unit.patience(&job.kind);
        let Some((began, patience)) = job.began.zip(patience).filter(|(began, patience)| *began + *patience <= now)
        else {
            return;
        };
        let seconds = now.saturating_sub(began).as_secs_f64().min(patience.as_secs_f64());
        if matches!(job.kind, Kind::Stop { .. }) {
            // Its thread is left behind; the service is reset when what it requires is back.
            unit.job = None;
            self.trouble(at, format!("it did not stop within {seconds} s").into(), now);
        } else {
            if let Some(job) = unit.job.as_mut() {
                job.overdue = true;
            }
            let name = Arc::clone(&unit.name);
            self.tell(
                Severity::Warning,
                format!("Service {name:?} has not started within {seconds} s; it goes on trying"),
            );
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

    /// One decision about one service. Returns whether something has changed.
    fn step(&mut self, at: usize, now: Duration) -> bool {
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

    // ------------------------------------------------------------------ moves

    fn enter(&mut self, at: usize, against: Vec<u64>, now: Duration) {
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
    fn trouble(&mut self, at: usize, cause: Arc<str>, now: Duration) {
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
    fn condemn(&mut self, at: usize, give_up: bool, cause: Arc<str>, now: Duration) {
        if !give_up {
            self.remark(at, Severity::Warning, &format!("restart: {cause}"));
        }
        self.units[at].leave(now);
        self.units[at].phase = Phase::Down { due: now, give_up, has_failed: give_up, cause };
    }

    fn judge(&mut self, at: usize, verdict: Verdict, now: Duration) {
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

    fn next(&mut self, at: usize, up_for: Option<Duration>, now: Duration) -> Next {
        let unit = &mut self.units[at];
        match (unit.restarts.next(now, up_for, &unit.policy, &mut self.jitter), unit.insists) {
            (Next::GiveUp, Some(pause)) => Next::After(pause),
            (Next::After(delay), Some(pause)) => Next::After(delay.min(pause)),
            (next, None) => next,
        }
    }

    fn count_restart(&mut self, at: usize, cause: Arc<str>, now: Duration) {
        let unit = &mut self.units[at];
        unit.restarts.record(now, cause);
        if let Some(service) = unit.service.as_ref() {
            service.restarted();
        }
    }

    fn issue(&mut self, at: usize, kind: Kind) {
        self.tokens += 1;
        let (token, against) = (Token(self.tokens), self.epochs(at));
        self.units[at].job = Some(Job { token, kind, began: None, overdue: false, against });
        self.queue.push_back(token);
    }

    // ------------------------------------------------------------------ handing out

    pub fn take_task(&mut self, now: Duration) -> Option<Task> {
        while let Some(token) = self.queue.pop_front() {
            let issued = |unit: &&mut Unit<S>| unit.job.as_ref().is_some_and(|job| job.token == token);
            let Some(unit) = self.units.iter_mut().find(issued) else { continue };
            let Some(job) = unit.job.as_mut() else { continue };
            job.began = Some(now);
            return Some(Task { token, service: Arc::clone(&unit.name), kind: job.kind.clone() });
        }
        None
    }

    pub fn take_check(&mut self, now: Duration) -> Option<Check<S>> {
        let due = (0..self.units.len()).filter(|at| self.is_check_due(*at, now));
        let at = due.min_by_key(|at| self.units[*at].checks.due)?;
        self.tokens += 1;
        let token = Token(self.tokens);
        let unit = &mut self.units[at];
        let service = unit.service.clone()?;
        unit.checks.depart(token, now, unit.generation, unit.policy.checking);
        Some(Check { token, name: Arc::clone(&unit.name), service })
    }

    /// Where one check is due, those that soon would be are made as well.
    fn gather_checks(&mut self, now: Duration) {
        if !(0..self.units.len()).any(|at| self.is_check_due(at, now)) {
            return;
        }
        for unit in self.units.iter_mut().filter(|unit| unit.is_up()) {
            let Some(checking) = unit.policy.checking else { continue };
            if unit.checks.is_due(now, checking.interval / SLACK) {
                unit.checks.due = unit.checks.due.min(Some(now));
            }
        }
    }

    fn is_check_due(&self, at: usize, now: Duration) -> bool {
        let unit = &self.units[at];
        unit.is_up() && unit.service.is_some() && unit.checks.is_due(now, Duration::ZERO)
    }

    pub fn tasks_waiting(&self) -> usize {
        self.queue.len()
    }

    pub fn checks_waiting(&self, now: Duration) -> usize {
        (0..self.units.len()).filter(|at| self.is_check_due(*at, now)).count()
    }

    pub fn checks_hanging(&self) -> usize {
        self.units.iter().filter(|unit| unit.checks.flight.is_some_and(|flight| flight.hangs)).count()
    }

    pub fn wake(&self, now: Duration) -> Option<Duration> {
        if self.closed { None } else { self.units.iter().filter_map(|unit| unit.wake(now)).min() }
    }

    pub fn lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Nothing is handed out from now on. Returns the handles, to be dropped.
    pub fn close(&mut self) -> Vec<S> {
        self.closed = true;
        self.queue.clear();
        self.wake_waiters();
        self.units.iter_mut().filter_map(|unit| unit.service.take()).collect()
    }

    /// A signal that is set once every service is RUNNING or has failed; at once if that is so.
    pub fn settled(&mut self) -> Shared<Signal> {
        let signal = Shared::new(Signal::new());
        self.waiters.push(Shared::clone(&signal));
        if self.closed || self.units.iter().all(Unit::is_settled) {
            self.wake_waiters();
        }
        signal
    }

    fn wake_waiters(&mut self) {
        for waiter in self.waiters.drain(..) {
            waiter.set();
        }
    }

    // ------------------------------------------------------------------ looking around

    fn place(&self, name: &str) -> Option<usize> {
        self.units.iter().position(|unit| &*unit.name == name)
    }

    fn epochs(&self, at: usize) -> Vec<u64> {
        self.graph.requires(at).iter().map(|other| self.units[*other].epoch).collect()
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
        let mut lost = self.graph.requires(at).iter().zip(&unit.against);
        let (other, _) = lost.find(|(other, epoch)| self.units[**other].epoch != **epoch)?;
        let other = &self.units[*other];
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

    /// Into the event stream, and into the log.
    fn remark(&mut self, at: usize, severity: Severity, text: &str) {
        let unit = &self.units[at];
        if let Some(service) = unit.service.as_ref() {
            service.remark(text);
        }
        let line = format!("Service {:?}: {text}", unit.name);
        self.tell(severity, line);
    }

    fn tell(&mut self, severity: Severity, text: String) {
        self.lines.push(Line { severity, text });
    }
}

fn shortened(text: &str) -> Arc<str> {
    match text.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}
