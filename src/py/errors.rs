//! The one place where errors of the core become exceptions of `jaseci.svc.errors`.

use super::host;
use crate::runtime::blocking::Ident;
use crate::runtime::config::source::SourceError;
use crate::runtime::lifecycle::Refused;
use crate::runtime::roster::Closed;
use crate::runtime::waits::Cycle;
use pyo3::PyTypeInfo;
use pyo3::prelude::*;

pyo3::import_exception!(jaseci.svc.errors, ConfigError);
pyo3::import_exception!(jaseci.svc.errors, DependencyError);
pyo3::import_exception!(jaseci.svc.errors, ManifestError);
pyo3::import_exception!(jaseci.svc.errors, RuntimeClosed);
pyo3::import_exception!(jaseci.svc.errors, SourceRefused);
pyo3::import_exception!(jaseci.svc.errors, SourceUnavailable);
pyo3::import_exception!(jaseci.svc.errors, StartCycle);
pyo3::import_exception!(jaseci.svc.errors, StartTimeout);

/// The exception for a layer that gives no answer.
pub fn source(error: &SourceError) -> PyErr {
    let message = host::masked(&error.to_string());
    match error {
        SourceError::Unavailable(_) => SourceUnavailable::new_err(message),
        SourceError::Refused(_) => SourceRefused::new_err(message),
    }
}

/// Makes what is made once; see `super::fork::prepare_for_forks`.
pub fn prepare(py: Python<'_>) {
    ConfigError::type_object(py);
    ManifestError::type_object(py);
    RuntimeClosed::type_object(py);
    SourceRefused::type_object(py);
    SourceUnavailable::type_object(py);
    StartCycle::type_object(py);
    StartTimeout::type_object(py);
}

/// What was being attempted, for the message.
#[derive(Clone, Copy)]
pub enum Attempt<'a> {
    /// To start, reset or stop the service of this name.
    Service(&'a str),
    /// To construct the service of this name.
    Construction(&'a str),
}

impl Attempt<'_> {
    fn name(self) -> String {
        match self {
            Self::Service(name) => format!("service {name:?}"),
            Self::Construction(name) => format!("the construction of service {name:?}"),
        }
    }
}

/// The exception for a refusal.
pub fn refused(py: Python<'_>, attempt: Attempt<'_>, after: f64, refusal: Refused<PyErr>) -> PyErr {
    match refusal {
        Refused::Interrupted(error) => error,
        Refused::Closed(closed) => self::closed(attempt, closed),
        Refused::Cycle(cycle) => self::cycle(&cycle),
        Refused::TimedOut(holder) => timed_out(py, attempt, after, holder),
    }
}

/// The exception for a start after the shutdown.
pub fn closed(attempt: Attempt<'_>, closed: Closed) -> PyErr {
    let name = attempt.name();
    RuntimeClosed::new_err(format!("{name} is not started: {closed}; construct MetaService() to populate it anew"))
}

fn cycle(cycle: &Cycle) -> PyErr {
    let path = cycle.path();
    StartCycle::new_err(format!(
        "start cycle: {path}: each of these waits for the next to start; start one of them without the other"
    ))
}

fn timed_out(py: Python<'_>, attempt: Attempt<'_>, after: f64, holder: Ident) -> PyErr {
    let name = attempt.name();
    let thread = host::thread_name(py, holder).unwrap_or_else(|| "that has ended".to_owned());
    StartTimeout::new_err(format!(
        "gave up waiting for {name} after {after} s: it is held by thread {thread} (ident {}), which has not finished",
        holder.0
    ))
}
