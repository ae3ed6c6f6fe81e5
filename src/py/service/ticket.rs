//! `Ticket`: the right to start, reset or stop, as the Python side holds it.

use super::body::Body;
use crate::py::host::SECRETS;
use crate::runtime::lifecycle;
use crate::runtime::sync::Arc;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::Weak;

/// The right to start, reset or stop a service. Ends when it is dropped at the latest, so that an exception that
/// strikes between two lines leaves no service held for ever.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Ticket {
    body: Weak<Body>,
    ticket: lifecycle::Ticket,
}

impl Ticket {
    /// What the core has handed out for this body.
    pub fn new(body: &Arc<Body>, ticket: lifecycle::Ticket) -> Self {
        Self { body: Arc::downgrade(body), ticket }
    }

    fn body(&self) -> PyResult<Arc<Body>> {
        self.body.upgrade().ok_or_else(|| PyRuntimeError::new_err("the service of this ticket is gone"))
    }
}

#[pymethods]
impl Ticket {
    /// Whether what its holder does still counts: its generation is in force.
    fn is_in_force(&self) -> PyResult<bool> {
        Ok(self.body()?.life.is_in_force(&self.ticket))
    }

    /// Reports that `run` has ended well; True if `post_run` is due.
    fn ran(&self) -> PyResult<bool> {
        Ok(self.body()?.life.ran(&self.ticket))
    }

    /// Reports a failure with its cause; True if it was this generation's.
    fn fail(&self, error: Py<PyAny>, reason: &str) -> PyResult<bool> {
        let body = self.body()?;
        let mut old = None;
        let failed = body.life.fail(&self.ticket, SECRETS.mask(reason).into(), || {
            old = body.attributes().error.replace(error);
        });
        drop(old);
        Ok(failed)
    }

    /// Puts the service back to `NOT_STARTED`. Returns what it took out, a tuple with the app, for the caller to drop;
    /// None if the ticket is from the past.
    #[allow(clippy::type_complexity, reason = "an app or none, if it was the caller's to take")]
    fn clear(&self) -> PyResult<Option<(Option<Py<PyAny>>,)>> {
        let body = self.body()?;
        Ok(body.life.clear(&self.ticket, || (body.attributes().app.take(),)))
    }

    /// Ends it. Again is allowed.
    fn end(&self) {
        if let Some(body) = self.body.upgrade() {
            body.life.end(&self.ticket);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(body) = self.body.upgrade() {
            body.life.abort(&self.ticket);
        }
    }
}
