//! Constructing `MetaService()` without an argument tuple. The slot is no part of the stable interface.

use crate::py::meta::{self, MetaCore};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// `MetaService.__init__` as it was when the class was made. Whoever replaces it gets the ordinary way.
static ORIGINAL_INIT: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
static INIT_NAME: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
static NO_ARGUMENTS: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// The version of the class when it was last found to be as it was made. The interpreter gives it a new one with
/// every change of it or of a base.
static VERSION: AtomicU32 = AtomicU32::new(0);
/// The last instance that was made. As long as nobody else has it and nobody has left a trace on it, it is as good
/// as a new one, and handed out as such: `MetaService()` is mostly gone at the end of the line. (A weak reference
/// to it dies with the next construction only.)
static SPARE: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// Whether constructing the class still means what we know it to mean.
///
/// # Safety
/// Attached; a live heap type that is ready.
unsafe fn is_as_made(class: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: by this function's contract.
    unsafe {
        let version = (*class).tp_version_tag;
        if version != 0 && version == VERSION.load(Ordering::Acquire) {
            return true;
        }
        let init = ffi::PyDict_GetItemWithError((*class).tp_dict, INIT_NAME.load(Ordering::Acquire));
        let is_original = init == ORIGINAL_INIT.load(Ordering::Acquire);
        VERSION.store(if is_original { (*class).tp_version_tag } else { 0 }, Ordering::Release);
        is_original
    }
}

/// Apart, as it could unwind: constructing may call the user's `populate_context`.
#[inline(never)]
extern "C" fn is_populated() -> bool {
    meta::is_populated()
}

/// Whether nobody can tell this instance from a new one: we have the only reference, no weak one, no attributes.
///
/// # Safety
/// Attached; null or an instance that this module holds a reference to.
#[inline(never)]
unsafe extern "C" fn is_like_new(spare: *mut ffi::PyObject, class: *mut ffi::PyTypeObject) -> bool {
    // Without the interpreter's lock a reference count says nothing about the next moment.
    if cfg!(Py_GIL_DISABLED) || spare.is_null() {
        return false;
    }
    // SAFETY: by this function's contract; the class is laid out with room for weak references at this offset.
    unsafe {
        ffi::Py_REFCNT(spare) == 1
            && ffi::Py_TYPE(spare) == class
            && (*class).tp_weaklistoffset > 0
            && (*spare.byte_offset((*class).tp_weaklistoffset).cast::<*mut ffi::PyObject>()).is_null()
            && Borrowed::from_ptr(Python::assume_attached(), spare).cast_unchecked::<MetaCore>().get().is_untouched()
    }
}

pub fn forget_spare(meta: &Bound<'_, MetaCore>) {
    let (spare, none) = (meta.as_ptr(), std::ptr::null_mut());
    if SPARE.compare_exchange(spare, none, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
        // SAFETY: attached; the reference was ours, and the caller has another.
        unsafe { ffi::Py_DECREF(spare) };
    }
}

/// # Safety
/// Attached; the class is the one that this module was installed on.
unsafe fn made(class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract; what is kept as the spare is a reference of its own.
    unsafe {
        let Some(new) = (*class).tp_new else { return std::ptr::null_mut() };
        let instance = new(class, NO_ARGUMENTS.load(Ordering::Acquire), std::ptr::null_mut());
        if !instance.is_null() {
            ffi::Py_XDECREF(SPARE.swap(ffi::Py_NewRef(instance), Ordering::AcqRel));
        }
        instance
    }
}

unsafe extern "C" fn construct(
    class: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    flags: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called as the vectorcall of the class it was installed on, a live type object whose dict exists;
    // the references are the caller's.
    unsafe {
        let class_type = class.cast::<ffi::PyTypeObject>();
        let positional = ffi::PyVectorcall_NARGS(flags);
        if positional == 0 && keywords.is_null() && is_populated() && is_as_made(class_type) {
            let spare = SPARE.load(Ordering::Acquire);
            return if is_like_new(spare, class_type) { ffi::Py_NewRef(spare) } else { made(class_type) };
        }
        // The ordinary way: `type.__call__` with a tuple and a dict.
        match (*ffi::Py_TYPE(class)).tp_call {
            Some(call) => super::calling::call_packed(call, class, args, positional, keywords),
            None => std::ptr::null_mut(),
        }
    }
}

pub fn install(class: &Bound<'_, PyType>) -> PyResult<()> {
    let py = class.py();
    let name = PyString::intern(py, "__init__");
    // The class attribute itself, not what `getattr` makes of it.
    let init = class.getattr("__dict__")?.get_item(&name)?;
    INIT_NAME.store(name.into_ptr(), Ordering::Release);
    ORIGINAL_INIT.store(init.into_ptr(), Ordering::Release);
    NO_ARGUMENTS.store(pyo3::types::PyTuple::empty(py).into_ptr(), Ordering::Release);
    // SAFETY: the class is a live heap type; the function keeps the calling convention of the slot, through which its
    // metaclass calls since the class was quickened.
    unsafe {
        (*class.as_type_ptr()).tp_vectorcall = Some(construct);
    }
    Ok(())
}
