//! States of the core as members of the public enum, and back.

use crate::runtime::state::ServiceState;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static STATES: PyOnceLock<[Py<PyAny>; 4]> = PyOnceLock::new();

/// The member of the public enum.
pub fn public_state(py: Python<'_>, state: ServiceState) -> PyResult<Py<PyAny>> {
    let states = STATES.get_or_try_init(py, || {
        let public = py.import("jaseci.svc.state")?.getattr("ServiceState")?;
        let mut members = [(); 4].map(|()| py.None());
        for (member, state) in members.iter_mut().zip(ServiceState::ALL) {
            *member = public.getattr(state.name())?.unbind();
        }
        Ok::<_, PyErr>(members)
    })?;
    Ok(states[state.index()].clone_ref(py))
}

/// The state that a member of the public enum, or its number, stands for.
pub fn state_from(value: &Bound<'_, PyAny>) -> PyResult<ServiceState> {
    let number = value.getattr("value").unwrap_or_else(|_| value.clone());
    let number: i64 =
        number.extract().map_err(|_| PyTypeError::new_err(format!("a state is a ServiceState, not {value:?}")))?;
    ServiceState::from_number(number).ok_or_else(|| PyValueError::new_err(format!("{number} is no ServiceState")))
}
