//! `is_running`, `is_ready`, `has_failed`: one atomic load each.

use super::native;
use crate::runtime::state::ServiceState;
use pyo3::ffi;

pub unsafe extern "C" fn is_running(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by a method descriptor of `ServiceCore`, which has checked the type.
    unsafe { ffi::PyBool_FromLong(native(slf).body.life.is_running().into()) }
}

pub unsafe extern "C" fn is_ready(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `is_running`.
    unsafe { ffi::PyBool_FromLong(native(slf).body.life.is_ready().into()) }
}

pub unsafe extern "C" fn has_failed(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `is_running`.
    unsafe {
        let failed = native(slf).body.life.state() == ServiceState::Failed;
        ffi::PyBool_FromLong(failed.into())
    }
}
