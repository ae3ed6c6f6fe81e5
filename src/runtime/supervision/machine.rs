//! What the supervisor decides. Plain data behind [`super::supervisor::Supervisor`]'s lock.
//!
//! Expected flow: something happens and is noted in a unit (`noticing.rs`), which may move it to another phase
//! (`moving.rs`); then [`Machine::settle`] goes over the units until nothing more follows (`deciding.rs`), and has issued
//! the tasks that do.
//!
//! Guarantees: one task at a time for each service. None starts before what it requires runs. None is reset or given up
//! before those that go down with it are stopped. One that is found healthy before its reset is not reset.

use super::backoff::Jitter;
use super::graph::{Graph, GraphError, Node};
use super::supervised::Supervised;
use super::supervisor::Spec;
use super::task::{Check, Kind, Line, Severity, Task, Token};
use super::unit::{Epochs, Job, Unit};
use crate::runtime::sync::{Arc as Shared, Signal};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Checks that would be due within this part of their interval are made with those that are.
const SLACK: u32 = 20;
/// Longer reasons are cut: they are kept, and quoted in others.
const LONGEST_REASON: usize = 400;

#[derive(Debug)]
pub(super) struct Machine<S> {
    pub(super) graph: Graph,
    pub(super) units: Vec<Unit<S>>,
    queue: VecDeque<Token>,
    lines: Vec<Line>,
    pub(super) jitter: Jitter,
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
        Ok(before.into_iter().filter_map(|unit| unit.service).collect())
    }

    /// The names of the plan.
    pub fn names(&self) -> Vec<Arc<str>> {
        self.units.iter().map(|unit| Arc::clone(&unit.name)).collect()
    }

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

    pub(super) fn issue(&mut self, at: usize, kind: Kind) {
        self.tokens += 1;
        let (token, against) = (Token(self.tokens), self.epochs(at));
        self.units[at].job = Some(Job { token, kind, began: None, overdue: false, against });
        self.queue.push_back(token);
    }

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

    pub(super) fn is_check_due(&self, at: usize, now: Duration) -> bool {
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

    pub(super) fn wake_waiters(&mut self) {
        for waiter in self.waiters.drain(..) {
            waiter.set();
        }
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.units.iter().position(|unit| &*unit.name == name)
    }

    /// How those that it requires stand, to be compared later.
    pub(super) fn epochs(&self, at: usize) -> Epochs {
        let required = self.graph.requires(at).iter().map(|other| &self.units[*other]);
        required.map(|other| (Arc::clone(&other.name), other.epoch)).collect()
    }

    /// Into the event stream, and into the log.
    pub(super) fn remark(&mut self, at: usize, severity: Severity, text: &str) {
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

/// A reason that is no longer than others should quote.
pub(super) fn shortened(text: &str) -> Arc<str> {
    match text.char_indices().nth(LONGEST_REASON) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}
