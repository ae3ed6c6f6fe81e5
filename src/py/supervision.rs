//! The supervisor as Python sees it, and what a service shows of its health.

use super::errors::DependencyError;
use super::host::{self, CLOCK, PROCESS, Wait};
use super::service::{Body, ServiceCore};
use crate::runtime::blocking::{Blocking, Waited};
use crate::runtime::events::Read;
use crate::runtime::supervision::backoff::{Backoff, Jitter};
use crate::runtime::supervision::graph::{Graph, GraphError, Node};
use crate::runtime::supervision::health::{Record, Verdict};
use crate::runtime::supervision::policy::{self, Cap, Checking, Invalid, OnLoss, Restart};
use crate::runtime::supervision::supervised::{Sample, Supervised};
use crate::runtime::supervision::supervisor::{Ended, Spec, Supervisor, Timekeeper};
use crate::runtime::supervision::task::{self, Kind, Past, Severity, Token};
use crate::runtime::supervision::watchdog::DaemonNews;
use crate::runtime::sync::{Arc, AtomicU64, Ordering};
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use std::time::Duration;

/// A service in the supervisor's hands. It keeps the body, which is nothing without its Python object.
#[derive(Clone)]
struct Handle(Arc<Body>);

impl Supervised for Handle {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn sample(&self) -> Sample {
        self.0.life.sample()
    }

    fn daemons(&self, now: Duration) -> DaemonNews {
        self.0.life.daemons().news(self.0.life.generation(), now)
    }

    fn judged(&self, generation: u64, verdict: Verdict, at: Duration) {
        self.0.health.show(Record { generation, verdict, at });
    }

    fn remark(&self, reason: &str) {
        self.0.life.remark(host::masked(reason).into());
    }

    fn restarted(&self) {
        self.0.life.tally().count_restart();
    }

    fn stop_earlier(&self) {
        self.0.life.stop_earlier();
    }
}

/// What a service wants done about it, checked.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Policy(policy::Policy);

fn invalid(invalid: Invalid) -> PyErr {
    PyValueError::new_err(invalid.to_string())
}

/// An attribute as the type that it has to have; `TypeError` says what that looks like.
fn attribute<'py, T: FromPyObjectOwned<'py>>(name: &str, value: &Bound<'py, PyAny>, example: &str) -> PyResult<T> {
    value.extract().map_err(|_| {
        let shown = value.repr().map_or_else(|_| "something else".to_owned(), |shown| shown.to_string());
        PyTypeError::new_err(format!("{name} must be as in {name} = {example}, not {shown}"))
    })
}

#[pymethods]
impl Policy {
    /// From the attributes of a service; durations in seconds.
    #[new]
    fn new(
        restart: &Bound<'_, PyAny>,
        on_dependency_loss: &Bound<'_, PyAny>,
        backoff: &Bound<'_, PyAny>,
        restart_cap: &Bound<'_, PyAny>,
        health_interval: &Bound<'_, PyAny>,
        health_timeout: &Bound<'_, PyAny>,
        start_timeout: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let restart: String = attribute("restart", restart, "'on-failure'")?;
        let on_loss: String = attribute("on_dependency_loss", on_dependency_loss, "'restart'")?;
        let (first, longest) = attribute("backoff", backoff, "(0.5, 30.0)")?;
        let (restarts, window): (i64, f64) = attribute("restart_cap", restart_cap, "(5, 60.0)")?;
        let interval: Option<f64> = attribute("health_interval", health_interval, "10.0")?;
        let timeout = attribute("health_timeout", health_timeout, "2.0")?;
        let start_timeout = attribute("start_timeout", start_timeout, "30.0")?;
        let read = || {
            let timeout = policy::seconds("health_timeout", timeout)?;
            let interval = interval.map(|interval| policy::seconds("health_interval", interval)).transpose()?;
            Ok(policy::Policy {
                restart: Restart::named(&restart)?,
                on_loss: OnLoss::named(&on_loss)?,
                backoff: Backoff::between(first, longest)?,
                cap: Cap::of(restarts, window)?,
                checking: interval.map(|interval| Checking { interval, timeout }),
                start_timeout: host::duration(start_timeout),
            })
        };
        read().map(Self).map_err(invalid)
    }
}

/// A service of the plan: its name, what it requires and wants, its policy.
type Planned<'py> = (String, Vec<String>, Vec<String>, PyRef<'py, Policy>);

fn node(name: String, requires: Vec<String>, wants: Vec<String>) -> Node {
    let shared = |names: Vec<String>| names.into_iter().map(Into::into).collect();
    Node { name: name.into(), requires: shared(requires), wants: shared(wants) }
}

fn no_order(error: GraphError) -> PyErr {
    DependencyError::new_err(error.to_string())
}

/// Raises `DependencyError` for a circle among these services: each a name, and what it needs. What is not among them
/// is passed over.
#[pyfunction]
pub fn check_graph(services: Vec<(String, Vec<String>)>) -> PyResult<()> {
    let nodes: Vec<Node> = services.into_iter().map(|(name, needs)| node(name, Vec::new(), needs)).collect();
    Graph::of(&nodes, &[]).map_err(no_order)?;
    Ok(())
}

/// Something to be done with a service.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Task(task::Task);

#[pymethods]
impl Task {
    /// To report with.
    #[getter]
    fn token(&self) -> u64 {
        self.0.token.0
    }

    /// The service's name.
    #[getter]
    fn service(&self) -> &str {
        &self.0.service
    }

    /// What: "start", "restart", "stop", "block", "give up" or "restart daemon".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.kind {
            Kind::Start => "start",
            Kind::Restart => "restart",
            Kind::Stop { .. } => "stop",
            Kind::Block { .. } => "block",
            Kind::GiveUp { .. } => "give up",
            Kind::RestartDaemon { .. } => "restart daemon",
        }
    }

    /// Why, or the name of the daemon; empty where there is nothing to say.
    #[getter]
    fn detail(&self) -> &str {
        match &self.0.kind {
            Kind::Stop { reason } | Kind::Block { reason } | Kind::GiveUp { reason, .. } => reason,
            Kind::RestartDaemon { daemon } => daemon,
            Kind::Start | Kind::Restart => "",
        }
    }

    /// The restarts that were too many: how many seconds ago, and why.
    #[getter]
    fn history(&self) -> Vec<(f64, String)> {
        let Kind::GiveUp { history, .. } = &self.0.kind else { return Vec::new() };
        let now = CLOCK.now();
        let told = |past: &Past| (now.saturating_sub(past.at).as_secs_f64(), past.cause.to_string());
        history.iter().map(told).collect()
    }
}

fn ended(
    service: Option<PyRef<'_, ServiceCore>>,
    policy: Option<PyRef<'_, Policy>>,
    failure: Option<String>,
) -> Ended<Handle> {
    Ended {
        service: service.map(|service| Handle(Arc::clone(&service.body))),
        policy: policy.map(|policy| policy.0),
        failure: failure.map(|failure| host::masked(&failure).into()),
    }
}

/// The decisions of the process's supervisor.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct SupervisorCore {
    supervisor: Supervisor<Handle>,
    /// The last life-cycle event that it knows of.
    seen: AtomicU64,
}

#[pymethods]
impl SupervisorCore {
    /// One without services. `seed` is where its jitter comes from; None: there is none.
    #[new]
    #[pyo3(signature = (seed))]
    fn new(seed: Option<u64>) -> Self {
        let jitter = seed.map_or(Jitter::Off, Jitter::Seeded);
        Self { supervisor: Supervisor::new(jitter), seen: AtomicU64::new(PROCESS.events.last()) }
    }

    /// Takes a plan over; `known` are the names that an error offers. Raises `DependencyError`, and nothing has changed
    /// then.
    fn plan(&self, services: Vec<Planned<'_>>, known: Vec<String>) -> PyResult<()> {
        let spec =
            |(name, requires, wants, policy): Planned<'_>| Spec { node: node(name, requires, wants), policy: policy.0 };
        self.supervisor.plan(services.into_iter().map(spec).collect(), &known).map_err(no_order)
    }

    /// The names of the services in the plan.
    fn names(&self) -> Vec<String> {
        self.supervisor.names().iter().map(ToString::to_string).collect()
    }

    /// Looks at a service that may have changed: its own policy, if it has one, and why it is FAILED.
    fn observe(
        &self,
        name: &str,
        service: Option<PyRef<'_, ServiceCore>>,
        policy: Option<PyRef<'_, Policy>>,
        failure: Option<String>,
    ) {
        self.supervisor.observe(name, ended(service, policy, failure), CLOCK.now());
    }

    /// Decides what follows by now. Returns how many tasks and how many checks wait, how many checks hang, and when to look
    /// again: by the clock, in nanoseconds, so that it is exact.
    fn advance(&self) -> (usize, usize, usize, Option<u64>) {
        let now = CLOCK.now();
        let outlook = self.supervisor.advance(now);
        if outlook.earlier {
            PROCESS.events.ring();
        }
        let wake = outlook.wake.map(|wake| u64::try_from(wake.as_nanos()).unwrap_or(u64::MAX));
        (outlook.tasks, outlook.checks, outlook.hanging, wake)
    }

    /// Waits until something happens that calls for `advance`, at most until `wake`, as `advance` has told it (None: as long
    /// as it takes). Returns the names of the services that have changed.
    #[pyo3(signature = (wake))]
    fn wait_for_news(&self, py: Python<'_>, wake: Option<u64>) -> PyResult<Vec<String>> {
        let bell = PROCESS.events.listen();
        let names = self.changed();
        if !names.is_empty() || self.supervisor.is_closed() {
            return Ok(names);
        }
        let now = CLOCK.now();
        let wake = wake.map(Duration::from_nanos);
        self.supervisor.timekeeper(wake.map_or(Timekeeper::Sleeps, Timekeeper::Until));
        // What happened since the caller decided to sleep: from now on the bell tells.
        let is_late = self.supervisor.advance(now).earlier;
        let seconds = wake.map(|wake| wake.saturating_sub(now).as_secs_f64());
        let waited = if is_late { Ok(Waited::Happened) } else { Wait::new(py, seconds).wait(&bell) };
        self.supervisor.timekeeper(Timekeeper::Awake);
        waited?;
        Ok(self.changed())
    }

    /// Ends a wait for news, without any.
    #[allow(clippy::unused_self)] // one process, one bell
    fn ring(&self) {
        PROCESS.events.ring();
    }

    /// The names of the services that have changed since the last time.
    fn changed(&self) -> Vec<String> {
        let mut names = Vec::new();
        while let Read::Event(event, missed) = PROCESS.events.read_after(self.seen.load(Ordering::Acquire)) {
            self.seen.store(event.number, Ordering::Release);
            if missed > 0 {
                names = self.names();
            } else if !names.iter().any(|name| *name == *event.service) {
                names.push(event.service.to_string());
            }
        }
        names
    }

    /// Takes a task, if one waits.
    fn take_task(&self) -> Option<Task> {
        self.supervisor.take_task(CLOCK.now()).map(Task)
    }

    /// Takes a check that is due: what to report with, and the service.
    fn take_check<'py>(&self, py: Python<'py>) -> Option<(u64, Bound<'py, PyAny>)> {
        loop {
            let now = CLOCK.now();
            let check = self.supervisor.take_check(now)?;
            if let Some(service) = check.service.0.object(py) {
                return Some((check.token.0, service));
            }
            // Nobody has it any more: nobody is unwell.
            self.supervisor.check_done(check.token, Verdict::Healthy, now);
        }
    }

    /// Reports the end of a task: the service if it could be built, its own policy, and what went wrong.
    fn task_done(
        &self,
        token: u64,
        service: Option<PyRef<'_, ServiceCore>>,
        policy: Option<PyRef<'_, Policy>>,
        failure: Option<String>,
    ) {
        self.supervisor.task_done(Token(token), ended(service, policy, failure), CLOCK.now());
    }

    /// Reports what a check has found: what is wrong, or None. True: something may follow from it.
    fn check_done(&self, token: u64, reason: Option<&str>) -> bool {
        let verdict = reason.map_or(Verdict::Healthy, |reason| Verdict::Unhealthy(host::masked(reason).into()));
        self.supervisor.check_done(Token(token), verdict, CLOCK.now())
    }

    /// Has all services run, also those that were stopped or given up.
    fn resume(&self) {
        self.supervisor.resume();
    }

    /// Has a service kept running whatever happens, with at most so many seconds between attempts (None: no longer).
    #[pyo3(signature = (name, pause))]
    fn insist(&self, name: &str, pause: Option<f64>) {
        self.supervisor.insist(name, pause.map(host::duration), CLOCK.now());
    }

    /// What the log is to say since the last time: levels of `logging`, and texts.
    fn lines(&self) -> Vec<(u8, String)> {
        let level = |severity| match severity {
            Severity::Info => 20,
            Severity::Warning => 30,
            Severity::Error => 40,
        };
        self.supervisor.lines().into_iter().map(|line| (level(line.severity), line.text)).collect()
    }

    /// Waits until every service is RUNNING or has failed, at most `timeout` seconds (None: as long as it takes), and
    /// says whether that is so.
    fn wait_until_settled(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let settled = self.supervisor.settled();
        Ok(Wait::new(py, timeout).wait(&settled)? == Waited::Happened)
    }

    /// Ends it: nothing is handed out any more.
    fn close(&self) {
        self.supervisor.close();
        PROCESS.events.ring();
    }

    /// Whether it has ended.
    fn is_closed(&self) -> bool {
        self.supervisor.is_closed()
    }
}

// ---------------------------------------------------------------------- the clock

/// The time of the supervisor's clock, in seconds since some moment.
#[pyfunction]
pub fn clock_now() -> f64 {
    CLOCK.now().as_secs_f64()
}

/// Whether that clock stands still until it is set.
#[pyfunction]
pub fn clock_is_manual() -> bool {
    CLOCK.is_manual()
}

/// Sets that clock by hand, to so many seconds; None lets it run again.
#[pyfunction]
#[pyo3(signature = (seconds))]
pub fn set_clock(seconds: Option<f64>) {
    match seconds {
        Some(seconds) => CLOCK.set(host::duration(seconds)),
        None => CLOCK.let_run(),
    }
}

// ---------------------------------------------------------------------- a service's health

/// The last verdict on the generation in force: what is wrong or None, and how many seconds ago it was given. None if
/// there is no verdict.
#[pyfunction]
pub fn health_of(service: PyRef<'_, ServiceCore>) -> Option<(Option<String>, f64)> {
    let now = CLOCK.now();
    let body = &service.body;
    let record = body.health.of(body.life.generation())?;
    let reason = record.verdict.reason(now).map(|reason| reason.to_string());
    Some((reason, now.saturating_sub(record.at).as_secs_f64()))
}

/// What is wrong with a service by the last verdict; None if nothing is, or nobody has looked.
#[pyfunction]
pub fn ailment_of(service: PyRef<'_, ServiceCore>) -> Option<String> {
    if !service.body.health.is_alarmed() {
        return None;
    }
    health_of(service).and_then(|(reason, _)| reason)
}

/// What a service has been through: starts, failures, restarts, and how many seconds the last start took.
#[pyfunction]
pub fn counts_of(service: PyRef<'_, ServiceCore>) -> (u64, u64, u64, Option<f64>) {
    let counts = service.body.life.tally().counts();
    (counts.starts, counts.failures, counts.restarts, counts.start_took.map(|took| took.as_secs_f64()))
}

/// The calling daemon of this service is alive, and promises to say so every so many seconds. False: the caller is none
/// of its daemons.
#[pyfunction]
#[pyo3(signature = (service, promised))]
pub fn beat(py: Python<'_>, service: PyRef<'_, ServiceCore>, promised: Option<f64>) -> PyResult<bool> {
    let promised = promised.map(|seconds| policy::seconds("interval", seconds)).transpose().map_err(invalid)?;
    let Some(daemon) = service.body.life.daemons().running_on(host::ident(py)?) else { return Ok(false) };
    if daemon.beat(promised, CLOCK.now()) {
        PROCESS.events.ring();
    }
    Ok(true)
}
