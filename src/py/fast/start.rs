//! `start`: the uncontended start of a service, without a Python object for the right to it and without a Python frame
//! of ours between the caller and the user's `run`.
//!
//! What has to wait, is refused or fails goes the way that is written in Python.

use super::arguments::{none, sole_argument};
use super::calling::{call_with_self, vectorcall};
use super::entries::{CALL_WITH_HOOK, FAIL_START, HOOK, REFUSE_RESULT, START};
use super::manner::{Manner, manner_of};
use super::raised::raised;
use super::{native, pointer};
use crate::py::host;
use crate::py::service;
use crate::runtime::blocking::{Blocking, Waited};
use crate::runtime::lifecycle::{Asked, Ticket};
use crate::runtime::sync::Signal;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::atomic::{AtomicPtr, Ordering};

static RUN: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
static POST_RUN: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// What asking for a start led to.
#[repr(C)]
enum Begun {
    /// The caller starts it.
    Starts,
    /// There is nothing to do.
    NothingToDo,
    /// There is more to it than can be told here.
    Unclear,
}

/// # Safety
/// A method of `ServiceCore`, called by its descriptor.
pub unsafe extern "C" fn start(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract; every reference made here is given back here.
    unsafe {
        let hook = sole_argument(args, positional, keywords);
        let mut ticket = None;
        let begun = if hook.is_null() { Begun::Unclear } else { begin(slf, &raw mut ticket) };
        match begun {
            Begun::NothingToDo => ffi::Py_NewRef(slf),
            Begun::Unclear => call_with_self(START.object(), slf, args, positional, keywords),
            Begun::Starts => {
                if execute(slf, &raw const ticket, hook) {
                    ffi::Py_NewRef(slf)
                } else {
                    fail(slf, &raw const ticket)
                }
            }
        }
    }
}

/// Runs the user's code and reports how it went; false with an exception set.
unsafe extern "C" fn execute(slf: *mut ffi::PyObject, ticket: *const Option<Ticket>, hook: *mut ffi::PyObject) -> bool {
    // SAFETY: as for `start`.
    unsafe {
        let mut hook = ffi::Py_NewRef(hook);
        let mut old = [std::ptr::null_mut(); 4];
        let went_well = call(slf, RUN.load(Ordering::Acquire), &raw mut hook)
            && (!ran(slf, ticket)
                || (call(slf, POST_RUN.load(Ordering::Acquire), &raw mut hook) && release_hook(slf, &raw mut old)));
        if went_well {
            end(slf, ticket);
        }
        ffi::Py_DecRef(hook);
        ffi::Py_DecRef(old[0]);
        ffi::Py_DecRef(old[1]);
        ffi::Py_DecRef(old[2]);
        ffi::Py_DecRef(old[3]);
        went_well
    }
}

/// Calls a method of the user's, with the hook if it takes one; false with an exception set. A hook that had to be
/// looked for takes the place of none.
unsafe extern "C" fn call(slf: *mut ffi::PyObject, name: *mut ffi::PyObject, hook: *mut *mut ffi::PyObject) -> bool {
    // SAFETY: as for `start`; `hook` is a reference of the caller's.
    unsafe {
        let method = ffi::PyObject_GetAttr(slf, name);
        if method.is_null() {
            return false;
        }
        let went_well = match manner_of(method) {
            Manner::Failed => false,
            Manner::TakesNothing => {
                is_no_result(slf, name, vectorcall(method, std::ptr::null(), 0, std::ptr::null_mut()))
            }
            Manner::TakesHook if *hook != none() => {
                is_no_result(slf, name, vectorcall(method, hook, 1, std::ptr::null_mut()))
            }
            Manner::TakesHook | Manner::Unusual => {
                let args = [slf, method, name, *hook];
                let found = vectorcall(CALL_WITH_HOOK.object(), args.as_ptr(), 4, std::ptr::null_mut());
                if !found.is_null() {
                    ffi::Py_DecRef(*hook);
                    *hook = found;
                }
                !found.is_null()
            }
        };
        ffi::Py_DecRef(method);
        went_well
    }
}

/// Whether a call came back, with nothing that must not be dropped, as the coroutine of an `async def` must not.
unsafe extern "C" fn is_no_result(
    slf: *mut ffi::PyObject,
    name: *mut ffi::PyObject,
    result: *mut ffi::PyObject,
) -> bool {
    // SAFETY: as for `start`; `result` is a reference that is given away, or null with an exception set.
    unsafe {
        if result.is_null() || result == none() {
            ffi::Py_DecRef(result);
            return !result.is_null();
        }
        let args = [slf, name, result];
        let checked = vectorcall(REFUSE_RESULT.object(), args.as_ptr(), 3, std::ptr::null_mut());
        ffi::Py_DecRef(result);
        ffi::Py_DecRef(checked);
        !checked.is_null()
    }
}

/// Hands a failure over to Python, with the right to start: what ends it and says so is done there.
unsafe extern "C" fn fail(slf: *mut ffi::PyObject, ticket: *const Option<Ticket>) -> *mut ffi::PyObject {
    // SAFETY: as for `start`, with an exception set.
    unsafe {
        let error = raised();
        let ticket = python_ticket(slf, ticket);
        let args = [slf, ticket, error];
        let failed = if ticket.is_null() {
            ticket
        } else {
            vectorcall(FAIL_START.object(), args.as_ptr(), 3, std::ptr::null_mut())
        };
        ffi::Py_DecRef(ticket);
        ffi::Py_DecRef(error);
        ffi::Py_DecRef(failed);
        if failed.is_null() { failed } else { ffi::Py_NewRef(slf) }
    }
}

// What follows has destructors, and so calls no code of the user's.

/// A caller that never waits.
struct AtOnce;

impl Blocking for AtOnce {
    type Interrupt = ();

    fn wait(&mut self, _: &Signal) -> Result<Waited, ()> {
        Err(())
    }

    fn renew(&mut self) {}
}

#[inline(never)]
unsafe extern "C" fn begin(slf: *mut ffi::PyObject, ticket: *mut Option<Ticket>) -> Begun {
    // SAFETY: as for `start`; `ticket` is a place of the caller's.
    unsafe {
        let py = Python::assume_attached();
        let core = native(slf);
        if core.is_cut_short() || core.be_findable(Borrowed::from_ptr(py, slf)).is_err() {
            return Begun::Unclear;
        }
        let Ok(me) = host::ident(py) else { return Begun::Unclear };
        match core.body.life.begin_start(me, Asked::Explicitly, &mut AtOnce) {
            Ok(None) => Begun::NothingToDo,
            Ok(begun) => {
                *ticket = begun;
                Begun::Starts
            }
            Err(_) => Begun::Unclear,
        }
    }
}

#[inline(never)]
unsafe extern "C" fn ran(slf: *mut ffi::PyObject, ticket: *const Option<Ticket>) -> bool {
    // SAFETY: as for `start`.
    unsafe { (*ticket).is_some_and(|ticket| native(slf).body.life.ran(&ticket)) }
}

/// Lets the hook go, and hands out what the caller has to drop.
#[inline(never)]
unsafe extern "C" fn release_hook(slf: *mut ffi::PyObject, old: *mut [*mut ffi::PyObject; 4]) -> bool {
    // SAFETY: as for `start`; `old` is a place of the caller's.
    unsafe {
        let py = Python::assume_attached();
        match native(slf).release_hook(&Bound::from_borrowed_ptr(py, HOOK.object())) {
            Ok(released) => {
                *old = released.map(pointer);
                true
            }
            Err(error) => {
                error.restore(py);
                false
            }
        }
    }
}

#[inline(never)]
unsafe extern "C" fn end(slf: *mut ffi::PyObject, ticket: *const Option<Ticket>) {
    // SAFETY: as for `start`.
    unsafe {
        if let Some(ticket) = *ticket {
            native(slf).body.life.end(&ticket);
        }
    }
}

/// The right to start as Python has it; null with an exception set.
#[inline(never)]
unsafe extern "C" fn python_ticket(slf: *mut ffi::PyObject, ticket: *const Option<Ticket>) -> *mut ffi::PyObject {
    // SAFETY: as for `start`.
    unsafe {
        let py = Python::assume_attached();
        let Some(ticket) = *ticket else { return std::ptr::null_mut() };
        match Py::new(py, service::Ticket::new(&native(slf).body, ticket)) {
            Ok(ticket) => ticket.into_ptr(),
            Err(error) => {
                error.restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

/// Notes the names of what is called. Called once.
pub fn prepare(py: Python<'_>) {
    RUN.store(PyString::intern(py, "run").into_ptr(), Ordering::Release);
    POST_RUN.store(PyString::intern(py, "post_run").into_ptr(), Ordering::Release);
}
