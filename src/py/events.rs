//! The event stream as Python sees it.

use super::host::{PROCESS, Wait};
use super::service::states::public_state;
use crate::runtime::blocking::{Blocking, Waited};
use crate::runtime::events::{self, Read};
use crate::runtime::sync::{AtomicBool, AtomicU64, Ordering};
use pyo3::prelude::*;

/// One change of a service's state.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Event(events::Event);

#[pymethods]
impl Event {
    /// Its place in the stream, from 1, without gaps.
    #[getter]
    fn number(&self) -> u64 {
        self.0.number
    }

    /// The service's name.
    #[getter]
    fn service(&self) -> &str {
        &self.0.service
    }

    /// The state that was left.
    #[getter]
    fn before(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        public_state(py, self.0.before)
    }

    /// The state that was entered.
    #[getter]
    fn after(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        public_state(py, self.0.after)
    }

    /// Why, if there is more to say than the states do; without secrets.
    #[getter]
    fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When, in seconds since the epoch.
    #[getter]
    fn when(&self) -> f64 {
        self.0.when
    }

    fn __repr__(&self) -> String {
        let event = &self.0;
        let reason = event.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
        format!("<Event {}: {} {} -> {}{reason}>", event.number, event.service, event.before.name(), event.after.name())
    }
}

/// A reader's place in the stream.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct EventReader {
    seen: AtomicU64,
    missed: AtomicU64,
    closed: AtomicBool,
}

#[pymethods]
impl EventReader {
    /// A reader that begins with the next event, or with the oldest kept one.
    #[new]
    #[pyo3(signature = (replay=false))]
    fn new(replay: bool) -> Self {
        let seen = if replay { 0 } else { PROCESS.events.last() };
        Self { seen: AtomicU64::new(seen), missed: AtomicU64::new(0), closed: AtomicBool::new(false) }
    }

    /// The next event; None if there is none within `timeout` seconds (None: waits as long as it takes), or none any
    /// more after `close()`.
    #[pyo3(signature = (timeout=None))]
    fn next(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Event>> {
        let mut wait = Wait::new(py, timeout);
        loop {
            match PROCESS.events.read_after(self.seen.load(Ordering::Acquire)) {
                Read::Event(event, missed) => {
                    self.seen.store(event.number, Ordering::Release);
                    self.missed.fetch_add(missed, Ordering::AcqRel);
                    return Ok(Some(Event(event)));
                }
                Read::Nothing(_) if self.closed.load(Ordering::Acquire) => return Ok(None),
                Read::Nothing(next) => {
                    if wait.wait(&next.0)? == Waited::TimedOut {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        self.next(py, None)
    }

    /// Ends the reading after what has happened so far; wakes whoever waits in `next`.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        PROCESS.events.wake();
    }

    /// How many events were lost because they were read too late.
    #[getter]
    fn missed(&self) -> u64 {
        self.missed.load(Ordering::Acquire)
    }
}
