//! Which service builds its settings right now, so that it can take note of the globs that a hook serves for them.

use super::config::load_settings;
use super::service::ServiceCore;
#[cfg(not(feature = "abi3"))]
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};

/// Which service builds its settings, in this context.
pub struct Building(PyOnceLock<Py<PyAny>>);

/// The one context variable.
pub static BUILDING: Building = Building(PyOnceLock::new());

impl Building {
    /// The context variable itself; None in it if there is no such service.
    pub fn variable<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let make = || {
            let default = PyDict::new(py);
            default.set_item("default", py.None())?;
            let class = py.import("contextvars")?.getattr("ContextVar")?;
            Ok::<_, PyErr>(class.call(("jaseci.svc.building",), Some(&default))?.unbind())
        };
        Ok(self.0.get_or_try_init(py, make)?.bind(py))
    }

    fn service<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, ServiceCore>>> {
        Ok(self.value(py)?.cast_into().ok())
    }

    #[cfg(not(feature = "abi3"))]
    #[allow(unsafe_code)]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let variable = self.variable(py)?;
        let mut value = std::ptr::null_mut();
        // SAFETY: attached; a context variable with a default, and a place for a new reference.
        unsafe {
            if ffi::PyContextVar_Get(variable.as_ptr(), std::ptr::null_mut(), &raw mut value) != 0 {
                return Err(PyErr::fetch(py));
            }
            Bound::from_owned_ptr_or_err(py, value)
        }
    }

    /// The stable interface has no context variables.
    #[cfg(feature = "abi3")]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.variable(py)?.call_method0("get")
    }
}

/// `load_settings` on behalf of a hook: the service that builds its settings, if there is one, takes note of the name.
#[pyfunction]
pub fn serve_settings<'py>(name: &Bound<'py, PyString>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    note_glob(name)?;
    load_settings(name.to_str()?, text)
}

/// Notes a glob for the service that builds its settings, if there is one.
#[pyfunction]
pub fn note_glob(name: &Bound<'_, PyString>) -> PyResult<()> {
    match BUILDING.service(name.py())? {
        Some(service) => service.get().note_glob(name.clone()),
        None => Ok(()),
    }
}
