//! Daemons as Python sees them: the record that a daemon's thread reports to, its stop signal, what is visible.

use super::host::{self, CLOCK, PROCESS, Wait};
use super::service::Body;
use crate::runtime::blocking::{Blocking, Waited};
use crate::runtime::daemon::{self, Termination};
use crate::runtime::sync::{Arc, Signal};
use pyo3::prelude::*;
use std::sync::Weak;

/// A request to stop. True once it was made.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct StopSignal {
    signal: Arc<Signal>,
}

impl StopSignal {
    /// The Python side of a signal.
    pub fn new(signal: Arc<Signal>) -> Self {
        Self { signal }
    }

    /// From now on `follower` happens with the request.
    pub fn let_follow(&self, follower: &Arc<Signal>) {
        self.signal.let_follow(follower);
    }
}

#[pymethods]
impl StopSignal {
    fn __bool__(&self) -> bool {
        self.signal.is_set()
    }

    /// Whether the request was made.
    fn is_set(&self) -> bool {
        self.signal.is_set()
    }

    /// Waits for the request, at most `timeout` seconds (None: as long as it takes), and says whether it was made.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        Ok(Wait::new(py, timeout).wait(&self.signal)? == Waited::Happened)
    }

    fn __repr__(&self) -> &'static str {
        if self.signal.is_set() { "<StopSignal: stop requested>" } else { "<StopSignal: not requested>" }
    }
}

/// What the outside sees of a daemon.
#[pyclass(module = "jaseci.svc._core", frozen, get_all)]
pub struct DaemonInfo {
    /// Its name.
    name: String,
    /// Whether its thread runs.
    alive: bool,
    /// When it was spawned, in seconds since the epoch.
    since: f64,
    /// What ended it, if that was an error; without secrets.
    last_error: Option<String>,
}

impl From<daemon::DaemonInfo> for DaemonInfo {
    fn from(info: daemon::DaemonInfo) -> Self {
        let last_error = info.last_error.map(|error| error.to_string());
        Self { name: info.name.to_string(), alive: info.alive, since: info.since, last_error }
    }
}

#[pymethods]
impl DaemonInfo {
    fn __repr__(&self) -> String {
        let state = if self.alive { "alive" } else { "ended" };
        let error = self.last_error.as_ref().map_or_else(String::new, |error| format!(", last error: {error}"));
        format!("<DaemonInfo {}: {state}{error}>", self.name)
    }
}

/// The record that a daemon's thread reports to.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Daemon {
    daemon: Arc<daemon::Daemon>,
    body: Weak<Body>,
}

impl Daemon {
    /// The Python side of a daemon of the service with this body, which it does not keep alive.
    pub fn new(daemon: Arc<daemon::Daemon>, body: &Arc<Body>) -> Self {
        Self { daemon, body: Arc::downgrade(body) }
    }
}

#[pymethods]
impl Daemon {
    /// Its name, without the service's.
    #[getter]
    fn name(&self) -> String {
        self.daemon.name().to_string()
    }

    /// A number that no other daemon of the process has while this one lives.
    #[getter]
    fn key(&self) -> usize {
        Arc::as_ptr(&self.daemon).addr()
    }

    /// Its thread is about to call the target; False if it was stopped before.
    fn begin(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.daemon.begin(host::ident(py)?))
    }

    /// Its thread reports the end. Nothing can be raised in the thread from here on, and what was raised and has not
    /// arrived is taken back.
    #[pyo3(signature = (error=None))]
    fn finish(&self, py: Python<'_>, error: Option<&str>) -> PyResult<()> {
        let me = host::ident(py)?;
        self.daemon.finish(error.map(|error| host::masked(error).into()), || clear_pending(me.0));
        if let Some(body) = self.body.upgrade() {
            body.life.daemon_ended();
        }
        // The supervisor may have to run it again.
        PROCESS.events.ring();
        Ok(())
    }

    /// It promises, from now on, to say every so many seconds that it is alive.
    fn promise(&self, seconds: f64) {
        self.daemon.beat(Some(host::duration(seconds)), CLOCK.now());
        PROCESS.events.ring();
    }

    /// Its thread could not be had.
    fn withdraw(&self) {
        if let Some(body) = self.body.upgrade() {
            body.life.daemons().withdraw(&self.daemon);
        }
    }

    /// Whether it has been asked to stop.
    #[getter]
    fn stopping(&self) -> bool {
        self.daemon.stop().is_set()
    }
}

/// The end of some daemons: two grace periods of equal length, `SystemExit` between them.
pub struct Ending<'py> {
    py: Python<'py>,
    grace: f64,
    wait: Wait<'py>,
}

impl<'py> Ending<'py> {
    /// The first grace period, of `grace` seconds, begins.
    pub fn new(py: Python<'py>, grace: f64) -> Self {
        Self { py, grace, wait: Wait::new(py, Some(grace)) }
    }
}

impl Blocking for Ending<'_> {
    type Interrupt = PyErr;

    fn wait(&mut self, signal: &Signal) -> PyResult<Waited> {
        self.wait.wait(signal)
    }

    fn renew(&mut self) {
        self.wait.renew();
    }
}

impl Termination for Ending<'_> {
    fn next_grace(&mut self) {
        self.wait = Wait::new(self.py, Some(self.grace));
    }

    fn interrupt(&mut self, daemon: &daemon::Daemon) {
        daemon.while_running(|ident| raise_system_exit(ident.0));
    }
}

#[allow(unsafe_code)]
fn raise_system_exit(ident: u64) {
    let Ok(ident) = ident.try_into() else { return };
    // SAFETY: attached (the caller holds a `Python` token); the exception is an immortal borrowed reference of the
    // interpreter, and the call only notes it for the thread. It runs no Python code, so the caller's lock may be
    // held; an ident that does not exist is ignored.
    unsafe { pyo3::ffi::PyThreadState_SetAsyncExc(ident, pyo3::ffi::PyExc_SystemExit) };
}

#[allow(unsafe_code)]
fn clear_pending(ident: u64) {
    let Ok(ident) = ident.try_into() else { return };
    // SAFETY: as above; a null exception takes a noted one back.
    unsafe { pyo3::ffi::PyThreadState_SetAsyncExc(ident, std::ptr::null_mut()) };
}
