//! The arguments of methods that take a hook or nothing.

use pyo3::ffi;

/// None, borrowed.
pub fn none() -> *mut ffi::PyObject {
    // SAFETY: only the address is taken.
    unsafe { ffi::Py_None() }
}

/// The object, or None for null: borrowed.
pub fn or_none(object: *mut ffi::PyObject) -> *mut ffi::PyObject {
    if object.is_null() { none() } else { object }
}

/// The argument of a method that takes one, positional, None if it is left out: borrowed. Null if it was called in
/// another way.
///
/// # Safety
/// Attached; the arguments of a vectorcall.
pub unsafe fn sole_argument(
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    match positional {
        _ if !keywords.is_null() => std::ptr::null_mut(),
        0 => none(),
        // SAFETY: by the calling convention `args` holds `positional` references.
        1 => unsafe { *args },
        _ => std::ptr::null_mut(),
    }
}
