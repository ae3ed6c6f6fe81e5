//! Constructing a service, `Service(hook)`, without an argument tuple and without a Python frame of ours between the
//! caller and the user's `build_config`. The slot is no part of the stable interface.

use super::arguments::none;
use super::calling::call_packed;
use super::classes::{CONSTRUCTED_PLAINLY, FAILED, WITHOUT_KUBE, what_is_plain};
use super::native;
use super::settings::{self, Known};
use crate::py::service::{Arguments, ServiceCore};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyTuple, PyType};
use std::sync::atomic::{AtomicPtr, Ordering};

static NO_ARGUMENTS: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

unsafe extern "C" fn construct(
    class: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    flags: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called as the vectorcall of a class that it was installed on, a live service class; the references are
    // the caller's.
    unsafe {
        let positional = ffi::PyVectorcall_NARGS(flags);
        let Some(call) = (*ffi::Py_TYPE(class)).tp_call else { return std::ptr::null_mut() };
        let plain = if positional == 1 && keywords.is_null() && *args != none() && is_ordinary(call) {
            what_is_plain(class.cast())
        } else {
            0
        };
        if plain == FAILED {
            return std::ptr::null_mut();
        }
        if plain & CONSTRUCTED_PLAINLY == 0 {
            return call_packed(call, class, args, positional, keywords);
        }
        let known = if plain & WITHOUT_KUBE == 0 { Known::Nothing } else { Known::NewWithoutKube };
        let service = made(class.cast(), *args);
        if service.is_null() || settings::build(service, *args, known) {
            return service;
        }
        ffi::Py_DecRef(service);
        std::ptr::null_mut()
    }
}

/// Whether the metaclass calls a class as `type` does.
unsafe fn is_ordinary(call: ffi::ternaryfunc) -> bool {
    // SAFETY: `type` is ready.
    unsafe { ffi::PyType_Type.tp_call.is_some_and(|ordinary| std::ptr::fn_addr_eq(ordinary, call)) }
}

/// An instance with this hook, without settings.
#[inline(never)]
unsafe extern "C" fn made(class: *mut ffi::PyTypeObject, hook: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `construct`; the class has the `__new__` of `ServiceCore`.
    unsafe {
        let Some(new) = (*class).tp_new else { return std::ptr::null_mut() };
        let service = new(class, NO_ARGUMENTS.load(Ordering::Acquire), std::ptr::null_mut());
        if !service.is_null() {
            let mut attributes = native(service).body.attributes();
            attributes.hook = Some(Bound::from_borrowed_ptr(Python::assume_attached(), hook).unbind());
            let empty = std::mem::replace(&mut attributes.arguments, Arguments::JustHook);
            drop(attributes);
            ffi::Py_DecRef(super::pointer(empty.into_objects().into_iter().flatten().next()));
        }
        service
    }
}

/// Prepares for `quicken`. Called once.
pub fn prepare(py: Python<'_>) {
    NO_ARGUMENTS.store(PyTuple::empty(py).into_ptr(), Ordering::Release);
}

/// Lets instances of a service class that was just made be constructed this way.
pub fn quicken(class: &Bound<'_, PyType>) -> PyResult<()> {
    if !class.is_subclass(&ServiceCore::type_object(class.py()))? {
        return Ok(());
    }
    // SAFETY: a live heap type that is ready; the function keeps the calling convention of the slot.
    unsafe {
        (*class.as_type_ptr()).tp_vectorcall = Some(construct);
    }
    call_by_slot(class);
    Ok(())
}

/// Lets the metaclass call its classes through their slot. It does so if it has the flag, which heap types do not
/// inherit before 3.12.
#[cfg(not(Py_3_12))]
fn call_by_slot(class: &Bound<'_, PyType>) {
    // SAFETY: the metaclass is a live heap type; `type` lays its instances out.
    unsafe {
        let metaclass = ffi::Py_TYPE(class.as_ptr());
        (*metaclass).tp_vectorcall_offset = ffi::PyType_Type.tp_vectorcall_offset;
        (*metaclass).tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
    }
}

#[cfg(Py_3_12)]
fn call_by_slot(_: &Bound<'_, PyType>) {}
