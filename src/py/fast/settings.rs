//! `build_settings`: the settings of a service whose `build_config` returns what a hook has served, as most do.
//!
//! Anything else is looked at, and refused if need be, in Python.

use super::arguments::{none, or_none, sole_argument};
use super::calling::{call_with_self, vectorcall, vectorcall_method};
use super::entries::{BUILD_SETTINGS, CHECK_KUBE, FAIL_SETTINGS, TAKE_SETTINGS};
use super::raised::{raise, raised};
use super::{native, pointer};
use crate::py::building::BUILDING;
use crate::py::config::as_served;
use crate::py::service::settings::Settings;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::atomic::{AtomicPtr, Ordering};

static BUILD_KUBE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
static BUILD_CONFIG: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
/// The context variable that says which service builds its settings.
static VARIABLE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// # Safety
/// A method of `ServiceCore`, called by its descriptor.
pub unsafe extern "C" fn build_settings(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract.
    unsafe {
        let hook = sole_argument(args, positional, keywords);
        // Without a hook there is one to be found first.
        if hook.is_null() || hook == none() {
            return call_with_self(BUILD_SETTINGS.object(), slf, args, positional, keywords);
        }
        ffi::Py_DecRef(noted_glob(slf));
        if build(slf, hook, Known::Nothing) { ffi::Py_NewRef(none()) } else { std::ptr::null_mut() }
    }
}

/// What is known about a service before its settings are built.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Known {
    /// Nothing.
    Nothing,
    /// It is new, and nobody has overridden `build_kube`: so there are no manifests.
    NewWithoutKube,
}

/// Builds the settings; false with an exception set, which is none of the settings'.
///
/// # Safety
/// Attached; a live `ServiceCore`, and a hook.
pub unsafe extern "C" fn build(slf: *mut ffi::PyObject, hook: *mut ffi::PyObject, known: Known) -> bool {
    // SAFETY: by this function's contract; every reference made here is given back here.
    unsafe {
        let variable = VARIABLE.load(Ordering::Acquire);
        let token = ffi::PyContextVar_Set(variable, slf);
        if token.is_null() {
            return false;
        }
        let mut error = std::ptr::null_mut();
        if !read(slf, hook, known) {
            error = what_is_left(slf, raised());
        }
        if ffi::PyContextVar_Reset(variable, token) != 0 && !error.is_null() {
            ffi::PyErr_Clear();
        }
        ffi::Py_DecRef(token);
        if !error.is_null() {
            raise(error);
        }
        ffi::PyErr_Occurred().is_null()
    }
}

/// Calls what builds the settings, and takes them over; false with an exception set.
unsafe extern "C" fn read(slf: *mut ffi::PyObject, hook: *mut ffi::PyObject, known: Known) -> bool {
    // SAFETY: as for `build`.
    unsafe {
        let args = [slf, hook];
        let (mut kube, mut kube_name) = (std::ptr::null_mut(), std::ptr::null_mut());
        if known != Known::NewWithoutKube {
            kube = vectorcall_method(BUILD_KUBE.load(Ordering::Acquire), args.as_ptr(), 2);
            if kube.is_null() || !is_kube(slf, kube) {
                ffi::Py_DecRef(kube);
                return false;
            }
            kube_name = noted_glob(slf);
        }
        let config = vectorcall_method(BUILD_CONFIG.load(Ordering::Acquire), args.as_ptr(), 2);
        let taken = !config.is_null() && take(slf, kube, kube_name, config);
        ffi::Py_DecRef(config);
        ffi::Py_DecRef(kube_name);
        ffi::Py_DecRef(kube);
        taken
    }
}

/// Whether these are manifests, or none; false with an exception set.
unsafe extern "C" fn is_kube(slf: *mut ffi::PyObject, kube: *mut ffi::PyObject) -> bool {
    // SAFETY: as for `build`.
    unsafe {
        if kube == none() {
            return true;
        }
        let args = [slf, kube];
        let checked = vectorcall(CHECK_KUBE.object(), args.as_ptr(), 2, std::ptr::null_mut());
        ffi::Py_DecRef(checked);
        !checked.is_null()
    }
}

/// Takes over what was built; `kube` and its name are null for a service that has none.
unsafe extern "C" fn take(
    slf: *mut ffi::PyObject,
    kube: *mut ffi::PyObject,
    kube_name: *mut ffi::PyObject,
    config: *mut ffi::PyObject,
) -> bool {
    // SAFETY: as for `build`.
    unsafe {
        let mut old = [std::ptr::null_mut(); 4];
        if or_none(kube) == none() && kube_name.is_null() && take_served(slf, config, &raw mut old) {
            ffi::Py_DecRef(old[0]);
            ffi::Py_DecRef(old[1]);
            ffi::Py_DecRef(old[2]);
            ffi::Py_DecRef(old[3]);
            return ffi::PyErr_Occurred().is_null();
        }
        let args = [slf, or_none(kube), or_none(kube_name), config];
        let taken = vectorcall(TAKE_SETTINGS.object(), args.as_ptr(), 4, std::ptr::null_mut());
        ffi::Py_DecRef(taken);
        !taken.is_null()
    }
}

/// Disables a service whose settings have raised. Returns the exception if it is none of the settings', or null.
unsafe extern "C" fn what_is_left(slf: *mut ffi::PyObject, error: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `build`; takes the reference to the exception.
    unsafe {
        let args = [slf, error];
        let disabled = vectorcall(FAIL_SETTINGS.object(), args.as_ptr(), 2, std::ptr::null_mut());
        ffi::Py_DecRef(error);
        ffi::Py_DecRef(disabled);
        if disabled.is_null() { raised() } else { std::ptr::null_mut() }
    }
}

// What follows has destructors, and so calls no code of the user's.

/// The glob that was noted last: a new reference, or null.
#[inline(never)]
unsafe extern "C" fn noted_glob(slf: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `build`.
    pointer(unsafe { native(slf) }.body.attributes().glob_read.take().map(Py::into_any))
}

/// Takes over a config that holds just what was served last, for a service without manifests. False if it does not.
/// Hands out what the caller has to drop.
#[inline(never)]
unsafe extern "C" fn take_served(
    slf: *mut ffi::PyObject,
    config: *mut ffi::PyObject,
    old: *mut [*mut ffi::PyObject; 4],
) -> bool {
    // SAFETY: as for `build`; `old` is a place of the caller's.
    unsafe {
        let py = Python::assume_attached();
        let core = native(slf);
        let config = Bound::from_borrowed_ptr(py, config);
        let taken = match as_served(&config) {
            Ok(Some((own, [enabled, quiet]))) => core.take_settings(py, Settings { own, enabled, quiet }, true, None),
            Ok(None) => return false,
            Err(error) => Err(error),
        };
        match taken {
            Ok(taken) => *old = taken.map(pointer),
            Err(error) => error.restore(py),
        }
        true
    }
}

/// Notes the names of what is called, and the context variable. Called once.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    BUILD_KUBE.store(PyString::intern(py, "build_kube").into_ptr(), Ordering::Release);
    BUILD_CONFIG.store(PyString::intern(py, "build_config").into_ptr(), Ordering::Release);
    VARIABLE.store(BUILDING.variable(py)?.clone().into_ptr(), Ordering::Release);
    Ok(())
}
