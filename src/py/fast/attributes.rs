//! `app`, `config`, `kube` and `error`. Reading `app` may call the user's `run`; setting any of them drops what it
//! held, which may run Python code as well.

use super::calling::vectorcall;
use super::entries::START_BY_READING;
use super::{native, pointer};
use crate::py::service::Which;
use pyo3::exceptions::PyAttributeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::{CStr, c_void};

const APP: &CStr = c"The library that the service wraps. Reading it starts an enabled service that was not started.";
const CONFIG: &CStr = c"What its config holds besides `enabled` and `quiet`: a dict of its own.";
const KUBE: &CStr = c"The Kubernetes manifests that `build_kube` returned, or None.";
const ERROR: &CStr =
    c"The exception that made it FAILED or its settings unusable, as it was raised; None if there is none.";

/// The attributes for the class, to be kept for ever: descriptors refer to them.
pub fn definitions() -> [ffi::PyGetSetDef; 4] {
    [
        definition(c"app", app, Which::App, APP),
        definition(c"config", config, Which::Config, CONFIG),
        definition(c"kube", kube, Which::Kube, KUBE),
        definition(c"error", error, Which::Error, ERROR),
    ]
}

fn definition(name: &'static CStr, get: ffi::getter, which: Which, doc: &'static CStr) -> ffi::PyGetSetDef {
    ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set: Some(set),
        doc: doc.as_ptr(),
        closure: which as usize as *mut c_void,
    }
}

unsafe extern "C" fn app(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by a getset descriptor of `ServiceCore`, which has checked the type.
    unsafe {
        let app = started_app(slf);
        if app.is_null() {
            return vectorcall(START_BY_READING.object(), &raw const slf, 1, std::ptr::null_mut());
        }
        app
    }
}

/// The app or None, a new reference; null if the service has to be started for it. Apart from `app`, because it could
/// unwind: a function that contains such a call has a landing pad, and a thread that is ended beneath it aborts.
#[inline(never)]
unsafe extern "C" fn started_app(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `app`.
    unsafe {
        let core = native(slf);
        if core.body.life.starts_when_read() {
            return std::ptr::null_mut();
        }
        or_none(core.body.attributes().app.as_ref().map(|app| app.clone_ref(Python::assume_attached())))
    }
}

unsafe extern "C" fn config(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `app`.
    let (py, core) = unsafe { (Python::assume_attached(), native(slf)) };
    if let Some(config) = core.body.attributes().config.as_ref() {
        return config.clone_ref(py).into_ptr();
    }
    // Before any settings: an empty dict of its own, made when it is asked for.
    let empty = PyDict::new(py).into_any();
    core.body.attributes().config.get_or_insert_with(|| empty.clone().unbind()).clone_ref(py).into_ptr()
}

unsafe extern "C" fn kube(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `app`.
    unsafe {
        or_none(native(slf).body.attributes().kube.as_ref().map(|kube| kube.clone_ref(Python::assume_attached())))
    }
}

unsafe extern "C" fn error(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: as for `app`.
    unsafe {
        or_none(native(slf).body.attributes().error.as_ref().map(|error| error.clone_ref(Python::assume_attached())))
    }
}

fn or_none(object: Option<Py<PyAny>>) -> *mut ffi::PyObject {
    // SAFETY: attached, as every getter is.
    object.map_or_else(|| unsafe { ffi::Py_NewRef(ffi::Py_None()) }, Py::into_ptr)
}

unsafe extern "C" fn set(slf: *mut ffi::PyObject, value: *mut ffi::PyObject, which: *mut c_void) -> i32 {
    // SAFETY: as for `app`; the value is borrowed, null for a deletion. Dropping what was there may run Python code,
    // so that is done here, where nothing has a destructor.
    unsafe {
        let mut old = std::ptr::null_mut();
        let code = exchange(slf, value, which, &raw mut old);
        ffi::Py_DecRef(old);
        code
    }
}

/// What of `set` has destructors.
#[inline(never)]
unsafe extern "C" fn exchange(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    which: *mut c_void,
    old: *mut *mut ffi::PyObject,
) -> i32 {
    // SAFETY: as for `set`; `old` is a place of the caller's.
    unsafe {
        let py = Python::assume_attached();
        let which = [Which::App, Which::Config, Which::Kube, Which::Error][which as usize];
        let value = Bound::from_borrowed_ptr_or_opt(py, value);
        if value.is_none() && !matches!(which, Which::App) {
            PyAttributeError::new_err("can't delete attribute").restore(py);
            return -1;
        }
        // A config is whatever it is set to.
        let is_any = |value: &Bound<'_, PyAny>| matches!(which, Which::Config) || !value.is_none();
        let mut value = value.filter(is_any).map(Bound::unbind);
        let exchanged = native(slf).exchange(py, which, &mut value);
        *old = pointer(value);
        exchanged.map_or_else(
            |error| {
                error.restore(py);
                -1
            },
            |()| 0,
        )
    }
}
