//! Freeing a service. It drops the app and more, which may run Python code: from here, not from PyO3's frame. The slot
//! is no part of the stable interface.

use super::native;
use crate::py::service::OBJECTS;
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicPtr, Ordering};

/// PyO3's own function, for the rest.
static ORIGINAL: AtomicPtr<()> = AtomicPtr::new(std::ptr::null_mut());

type Objects = [*mut ffi::PyObject; OBJECTS];

unsafe extern "C" fn free(object: *mut ffi::PyObject) {
    // SAFETY: called as `tp_dealloc` of `ServiceCore`, attached, with nobody referring to the object any more. It
    // leaves the collector's sight before Python code runs. The original was stored before this was installed.
    unsafe {
        ffi::PyObject_GC_UnTrack(object.cast());
        let mut objects: Objects = [std::ptr::null_mut(); OBJECTS];
        take_objects(object, &raw mut objects);
        let mut at = 0;
        while at < OBJECTS {
            ffi::Py_DecRef(objects[at]);
            at += 1;
        }
        let original: ffi::destructor = std::mem::transmute(ORIGINAL.load(Ordering::Acquire));
        original(object);
    }
}

#[inline(never)]
unsafe extern "C" fn take_objects(object: *mut ffi::PyObject, objects: *mut Objects) {
    // SAFETY: as for `free`; `objects` is a place of the caller's.
    unsafe {
        *objects = native(object).take_objects().map(|object| object.map_or(std::ptr::null_mut(), Py::into_ptr));
    }
}

/// # Safety
/// `class` is the ready type of `ServiceCore`, before any other class inherits from it.
pub unsafe fn install(class: *mut ffi::PyTypeObject) {
    // SAFETY: by this function's contract; PyO3 gives every class such a slot.
    unsafe {
        if let Some(original) = (*class).tp_dealloc {
            ORIGINAL.store(original as *mut (), Ordering::Release);
            (*class).tp_dealloc = Some(free);
        }
    }
}
