//! How a method of the user's takes its hook, remembered by its code.

use super::calling::vectorcall;
use super::entries::MANNER_OF;
use crate::runtime::sync::Mutex;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_long;

/// In which way a method is written.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Manner {
    /// It could not be found out: an exception is set.
    Failed,
    /// Another one.
    Unusual,
    /// `def run(self)`
    TakesNothing,
    /// `def run(self, hook)`
    TakesHook,
}

/// Where codes are remembered: a place holds the last few whose address led there.
const PLACES: usize = 64;
type Place = Mutex<[Option<Remembered>; 4]>;

/// A code is kept while it is remembered, so that no other one has its address.
struct Remembered {
    code: Py<PyAny>,
    manner: Manner,
}

static REMEMBERED: [Place; PLACES] = [const { Mutex::new([const { None }; 4]) }; PLACES];

/// How to call a bound method.
///
/// # Safety
/// Attached; a live object.
pub unsafe extern "C" fn manner_of(method: *mut ffi::PyObject) -> Manner {
    // SAFETY: by this function's contract.
    unsafe {
        let function = plain_function(method);
        if function.is_null() {
            return Manner::Unusual;
        }
        let code = ffi::Py_NewRef(ffi::PyFunction_GetCode(function));
        let mut manner = Manner::Unusual;
        if recall(code, &raw mut manner) {
            ffi::Py_DecRef(code);
        } else {
            manner = found_out(code);
            ffi::Py_DecRef(if manner == Manner::Failed { code } else { remember(code, manner) });
        }
        // A function with attributes may say something else about its signature.
        let has_attributes = !(*function.cast::<ffi::PyFunctionObject>()).func_dict.is_null();
        if has_attributes && manner == Manner::TakesHook { Manner::Unusual } else { manner }
    }
}

/// Asks Python. That is interrupted as any Python code may be.
unsafe extern "C" fn found_out(code: *mut ffi::PyObject) -> Manner {
    // SAFETY: as for `manner_of`.
    unsafe {
        let known = vectorcall(MANNER_OF.object(), &raw const code, 1, std::ptr::null_mut());
        if known.is_null() {
            return Manner::Failed;
        }
        let number = ffi::PyLong_AsLong(known);
        ffi::Py_DecRef(known);
        manner_from(number)
    }
}

/// The function of a bound method; null for anything else. Borrowed.
unsafe fn plain_function(method: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `manner_of`; a method and its function live as long as the method does.
    unsafe {
        if ffi::Py_TYPE(method) != &raw mut PyMethod_Type {
            return std::ptr::null_mut();
        }
        let function = PyMethod_Function(method);
        if ffi::Py_TYPE(function) == &raw mut ffi::PyFunction_Type { function } else { std::ptr::null_mut() }
    }
}

unsafe extern "C" {
    /// Part of the version-specific interface, without a declaration in PyO3.
    static mut PyMethod_Type: ffi::PyTypeObject;
    fn PyMethod_Function(method: *mut ffi::PyObject) -> *mut ffi::PyObject;
}

/// The number that `manner_of` in `_calling.py` answers with.
fn manner_from(number: c_long) -> Manner {
    match number {
        1 => Manner::TakesNothing,
        2 => Manner::TakesHook,
        _ => Manner::Unusual,
    }
}

fn place_of(code: *mut ffi::PyObject) -> &'static Place {
    &REMEMBERED[(code as usize >> 5) % PLACES]
}

#[inline(never)]
unsafe extern "C" fn recall(code: *mut ffi::PyObject, manner: *mut Manner) -> bool {
    let place = place_of(code).lock();
    let known = place.iter().flatten().find(|known| known.code.as_ptr() == code);
    if let Some(known) = known {
        // SAFETY: a place of the caller's.
        unsafe { *manner = known.manner };
    }
    known.is_some()
}

/// Takes a reference to the code, and returns the one that it takes the place of, or null.
#[inline(never)]
unsafe extern "C" fn remember(code: *mut ffi::PyObject, manner: Manner) -> *mut ffi::PyObject {
    // SAFETY: attached, and the reference is given away.
    let code = unsafe { Bound::from_owned_ptr(Python::assume_attached(), code) }.unbind();
    let mut place = place_of(code.as_ptr()).lock();
    place.rotate_right(1);
    let forgotten = place[0].replace(Remembered { code, manner });
    drop(place);
    forgotten.map_or(std::ptr::null_mut(), |forgotten| forgotten.code.into_ptr())
}
