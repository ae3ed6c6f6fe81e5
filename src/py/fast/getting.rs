//! `get_service`: a look into the kept services, or else the Python way.

use super::calling::call_with_self;
use super::entries::BUILD_AND_KEEP;
use crate::py::meta;
use pyo3::ffi;

/// # Safety
/// A method of `MetaCore`, called by its descriptor.
pub unsafe extern "C" fn get_service(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by a method descriptor of `MetaCore`, which has checked the type; `args` holds `positional`
    // references and the values of `keywords`. What `kept` returns is a new reference or null.
    unsafe {
        if positional > 0 {
            let kept = meta::kept(*args);
            if !kept.is_null() {
                return kept;
            }
            if !ffi::PyErr_Occurred().is_null() {
                return std::ptr::null_mut();
            }
        }
        call_with_self(BUILD_AND_KEEP.object(), slf, args, positional, keywords)
    }
}
