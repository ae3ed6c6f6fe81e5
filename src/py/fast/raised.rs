//! Exceptions in the hands of functions that own nothing.

use pyo3::ffi;

/// Takes the exception that is set, a new reference.
///
/// # Safety
/// Attached, and one is set.
#[cfg(Py_3_12)]
pub unsafe fn raised() -> *mut ffi::PyObject {
    // SAFETY: attached.
    unsafe { ffi::PyErr_GetRaisedException() }
}

/// Takes the exception that is set, a new reference.
///
/// # Safety
/// Attached, and one is set.
#[cfg(not(Py_3_12))]
pub unsafe fn raised() -> *mut ffi::PyObject {
    let (mut kind, mut value, mut traceback) = (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: attached; what is fetched are references of ours, of which the value's is handed out.
    unsafe {
        ffi::PyErr_Fetch(&raw mut kind, &raw mut value, &raw mut traceback);
        ffi::PyErr_NormalizeException(&raw mut kind, &raw mut value, &raw mut traceback);
        if !traceback.is_null() {
            ffi::PyException_SetTraceback(value, traceback);
        }
        ffi::Py_DecRef(kind);
        ffi::Py_DecRef(traceback);
    }
    value
}

/// Sets an exception that was taken, and takes the reference.
///
/// # Safety
/// Attached; a live exception.
pub unsafe fn raise(error: *mut ffi::PyObject) {
    // SAFETY: attached; the references are given away. The exception has its traceback with it.
    unsafe {
        let kind = ffi::Py_NewRef(ffi::Py_TYPE(error).cast());
        ffi::PyErr_Restore(kind, error, ffi::PyException_GetTraceback(error));
    }
}
