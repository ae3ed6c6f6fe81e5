//! The hot entry points, written against the C interface.
//!
//! PyO3's trampolines cost two to three times what these calls do. And what calls the user's code must not have a Rust
//! frame with destructors: up to CPython 3.13 a thread that is inside Python code under such a frame aborts the process
//! when the interpreter exits. So the functions in here come in two kinds: those that call Python own nothing, and
//! those that have destructors call nothing of the user's. They are kept apart by `#[inline(never)]` and `extern "C"`:
//! a function that contains a call which could unwind has a landing pad.
//!
//! Each entry point is a short cut for something that is written in Python and says there what it does. What is unusual
//! goes that way ([`entries`]).
#![allow(unsafe_code)]

#[cfg(not(feature = "abi3"))]
mod arguments;
mod attributes;
mod calling;
#[cfg(not(feature = "abi3"))]
mod classes;
#[cfg(not(feature = "abi3"))]
mod constructing;
#[cfg(not(feature = "abi3"))]
mod constructing_meta;
mod entries;
#[cfg(not(feature = "abi3"))]
mod freeing;
mod getting;
#[cfg(not(feature = "abi3"))]
mod manner;
#[cfg(not(feature = "abi3"))]
mod raised;
#[cfg(not(feature = "abi3"))]
mod settings;
#[cfg(not(feature = "abi3"))]
mod start;
mod states;

use super::meta::MetaCore;
use super::service::ServiceCore;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::{PyDict, PyType};
use std::ffi::CStr;

/// # Safety
/// Attached, and `object` is a `ServiceCore`, alive for `'a`.
unsafe fn native<'a>(object: *mut ffi::PyObject) -> &'a ServiceCore {
    // SAFETY: by this function's contract; the borrow owns nothing, so there is nothing to drop.
    unsafe {
        let py = Python::assume_attached();
        let object = Borrowed::from_ptr(py, object).cast_unchecked::<ServiceCore>();
        let native: *const ServiceCore = object.get();
        &*native
    }
}

/// Hands a reference out; null for none.
fn pointer(object: Option<Py<PyAny>>) -> *mut ffi::PyObject {
    object.map_or(std::ptr::null_mut(), Py::into_ptr)
}

const fn no_arguments(name: &'static CStr, function: ffi::PyCFunction, doc: &'static CStr) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: doc.as_ptr(),
    }
}

const fn any_arguments(
    name: &'static CStr,
    function: ffi::PyCFunctionFastWithKeywords,
    doc: &'static CStr,
) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: function },
        ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
        ml_doc: doc.as_ptr(),
    }
}

/// Gives `class` a method. Its definition lives for ever: descriptors refer to it.
fn add_method(class: &Bound<'_, PyType>, owner: &Bound<'_, PyType>, definition: ffi::PyMethodDef) -> PyResult<()> {
    let definition: &'static mut ffi::PyMethodDef = Box::leak(Box::new(definition));
    // SAFETY: the owner is ready, and the definition matches the function's convention.
    unsafe {
        let name = CStr::from_ptr(definition.ml_name).to_string_lossy();
        let method = ffi::PyDescr_NewMethod(owner.as_type_ptr(), definition);
        class.setattr(name.as_ref(), Bound::from_owned_ptr_or_err(class.py(), method)?)
    }
}

/// Gives the native classes their hot methods. Called once, when the module is made.
pub fn install(py: Python<'_>) -> PyResult<()> {
    let (service, meta) = (ServiceCore::type_object(py), MetaCore::type_object(py));
    for definition in Box::leak(Box::new(attributes::definitions())) {
        // SAFETY: the type is ready, the definition lives for ever and matches the functions' conventions.
        unsafe {
            let name = CStr::from_ptr(definition.name).to_string_lossy();
            let attribute = ffi::PyDescr_NewGetSet(service.as_type_ptr(), definition);
            service.setattr(name.as_ref(), Bound::from_owned_ptr_or_err(py, attribute)?)?;
        }
    }
    for definition in [
        no_arguments(c"is_running", states::is_running, c"is_running($self, /)\n--\n\nRUNNING, with an app."),
        no_arguments(c"is_ready", states::is_ready, c"is_ready($self, /)\n--\n\nNOT_STARTED, without an app."),
        no_arguments(c"has_failed", states::has_failed, c"has_failed($self, /)\n--\n\nFAILED."),
    ] {
        add_method(&service, &service, definition)?;
    }
    // SAFETY: the type is ready, and nothing inherits from it before the module is there.
    #[cfg(not(feature = "abi3"))]
    unsafe {
        freeing::install(service.as_type_ptr());
    }
    let doc = c"get_service($self, name, *args, **kwargs)\n--\n\n\
        The kept service of a name; built and kept if there is none yet.";
    add_method(&meta, &meta, any_arguments(c"get_service", getting::get_service, doc))
}

/// Connects the hot entry points to the Python code behind them, and takes the place of what `service_class` and
/// `meta_service` have in Python, where the interpreter's version is known at build time.
#[pyfunction]
pub fn accelerate(
    service_class: &Bound<'_, PyType>,
    meta_service: &Bound<'_, PyType>,
    behind: &Bound<'_, PyDict>,
) -> PyResult<()> {
    entries::connect(behind)?;
    #[cfg(not(feature = "abi3"))]
    {
        start::prepare(service_class.py());
        settings::prepare(service_class.py())?;
        constructing::prepare(service_class.py());
        take_over(service_class, c"start", start::start)?;
        take_over(service_class, c"build_settings", settings::build_settings)?;
        constructing_meta::install(meta_service)?;
    }
    let _ = (service_class, meta_service);
    Ok(())
}

/// Puts a native method into the place of a Python one, with its docstring. Both take a hook or nothing.
#[cfg(not(feature = "abi3"))]
fn take_over(
    class: &Bound<'_, PyType>,
    name: &'static CStr,
    function: ffi::PyCFunctionFastWithKeywords,
) -> PyResult<()> {
    let name_in_python = name.to_string_lossy();
    let written = class.getattr(name_in_python.as_ref())?.getattr("__doc__")?;
    let doc = format!("{name_in_python}($self, hook=None)\n--\n\n{}", written.str()?);
    let doc: &'static CStr = Box::leak(std::ffi::CString::new(doc)?.into_boxed_c_str());
    add_method(class, &ServiceCore::type_object(class.py()), any_arguments(name, function, doc))
}

/// Lets instances of a service class that was just made be constructed the fast way.
#[pyfunction]
#[cfg_attr(feature = "abi3", expect(clippy::unnecessary_wraps, reason = "fails where there is a fast way"))]
pub fn quicken(made: &Bound<'_, PyType>) -> PyResult<()> {
    #[cfg(not(feature = "abi3"))]
    constructing::quicken(made)?;
    let _ = made;
    Ok(())
}

/// Lets an instance go that was kept for the next construction, and what hangs on it with it.
pub fn forget_spare(meta: &Bound<'_, MetaCore>) {
    #[cfg(not(feature = "abi3"))]
    constructing_meta::forget_spare(meta);
    let _ = meta;
}
