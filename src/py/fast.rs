//! The hot entry points, written against the C interface.
//!
//! PyO3's trampolines cost two to three times what these calls do. And one of them must not have a Rust frame with
//! destructors: reading `app` may call the user's `run`, and up to CPython 3.13 a thread that is inside Python code
//! under such a frame aborts the process when the interpreter exits. So nothing in here owns anything.
#![allow(unsafe_code)]

use super::meta::{self, MetaCore};
use super::service::ServiceCore;
use crate::runtime::state::ServiceState;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::type_object::PyTypeInfo;
use pyo3::types::PyType;
use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicPtr, Ordering};

/// The Python function that starts a service because its app was read.
static START_BY_READING: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());
/// The Python function behind `get_service` for what is not kept yet.
static BUILD_AND_KEEP: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

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

unsafe extern "C" fn app(slf: *mut ffi::PyObject, _: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: called by a getset descriptor of `ServiceCore`, which has checked the type.
    unsafe {
        let app = started_app(slf);
        if app.is_null() {
            return vectorcall(START_BY_READING.load(Ordering::Acquire), &raw const slf, 1, std::ptr::null_mut());
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
        let app = core.body.app_reference(Python::assume_attached());
        if app.is_null() { ffi::Py_NewRef(ffi::Py_None()) } else { app }
    }
}

unsafe extern "C" fn set_app(slf: *mut ffi::PyObject, value: *mut ffi::PyObject, _: *mut c_void) -> i32 {
    // SAFETY: as for `app`; the value is borrowed, null for a deletion. Dropping the old app may run Python code, so
    // that is done here, where nothing has a destructor.
    unsafe {
        let mut old = std::ptr::null_mut();
        let code = exchange_app(slf, value, &raw mut old);
        if !old.is_null() {
            ffi::Py_DecRef(old);
        }
        code
    }
}

/// What of `set_app` has destructors.
#[inline(never)]
unsafe extern "C" fn exchange_app(
    slf: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    old: *mut *mut ffi::PyObject,
) -> i32 {
    // SAFETY: as for `set_app`; `old` is a place of the caller's.
    unsafe {
        let py = Python::assume_attached();
        let app = Bound::from_borrowed_ptr_or_opt(py, value).filter(|app| !app.is_none()).map(Bound::unbind);
        match native(slf).replace_app(py, app) {
            Ok(replaced) => {
                *old = replaced.map_or(std::ptr::null_mut(), Py::into_ptr);
                0
            }
            Err(error) => {
                error.restore(py);
                -1
            }
        }
    }
}

unsafe extern "C" fn is_running(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: called by a method descriptor of `ServiceCore`, which has checked the type.
    unsafe { ffi::PyBool_FromLong(native(slf).body.life.is_running().into()) }
}

unsafe extern "C" fn is_ready(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `is_running`.
    unsafe { ffi::PyBool_FromLong(native(slf).body.life.is_ready().into()) }
}

unsafe extern "C" fn has_failed(slf: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as for `is_running`.
    unsafe {
        let failed = native(slf).body.life.state() == ServiceState::Failed;
        ffi::PyBool_FromLong(failed.into())
    }
}

unsafe extern "C" fn get_service(
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: called by a method descriptor of `MetaCore`, which has checked the type; `args` holds `positional`
    // references and the values of `keywords`. What `kept` returns is a new reference or null.
    unsafe {
        if positional > 0 {
            let kept = meta::kept(*args);
            if !kept.is_null() {
                return kept;
            }
            if !ffi::PyErr_Occurred().is_null() {
                return std::ptr::null_mut();
            }
        }
        // `self` goes before the arguments: the slow path is a plain function.
        let total = usize::try_from(positional).unwrap_or_default() + keyword_count(keywords);
        call_with_self(BUILD_AND_KEEP.load(Ordering::Acquire), slf, args, positional, total, keywords)
    }
}

unsafe fn keyword_count(keywords: *mut ffi::PyObject) -> usize {
    // SAFETY: a tuple or null, by the calling convention.
    let count = if keywords.is_null() { 0 } else { unsafe { ffi::PyTuple_Size(keywords) } };
    usize::try_from(count).unwrap_or_default()
}

/// Most calls have fewer arguments than this; the others take the way over a tuple.
const ON_STACK: usize = 16;

unsafe fn call_with_self(
    function: *mut ffi::PyObject,
    slf: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    total: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: references are borrowed from the caller for the call; the buffer is on the stack and needs no drop.
    unsafe {
        if total + 1 > ON_STACK {
            ffi::PyErr_SetString(ffi::PyExc_TypeError, c"get_service() takes at most 15 arguments".as_ptr());
            return std::ptr::null_mut();
        }
        let mut buffer = [std::ptr::null_mut(); ON_STACK];
        buffer[0] = slf;
        for (at, slot) in buffer.iter_mut().skip(1).take(total).enumerate() {
            *slot = *args.add(at);
        }
        let count = usize::try_from(positional).unwrap_or_default() + 1;
        vectorcall(function, buffer.as_ptr(), count, keywords)
    }
}

/// Calls `function` with `positional` arguments, after which the values of `keywords` lie.
#[cfg(not(feature = "abi3"))]
unsafe fn vectorcall(
    function: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: attached, and all references are the caller's.
    unsafe { ffi::PyObject_Vectorcall(function, args, positional, keywords) }
}

/// The stable interface of 3.11 calls with a tuple and a dict only.
#[cfg(feature = "abi3")]
unsafe fn vectorcall(
    function: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: attached, and all references are the caller's.
    unsafe { call_packed(ffi::PyObject_Call, function, args, positional.cast_signed(), keywords) }
}

/// Hands the arguments of a vectorcall to `call` as a tuple and a dict.
///
/// # Safety
/// Attached; `args` holds `positional` live references and after them the values of `keywords`, a tuple or null.
unsafe fn call_packed(
    call: ffi::ternaryfunc,
    callable: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by this function's contract; every reference made here is given back here.
    unsafe {
        let tuple = ffi::PyTuple_New(positional);
        if tuple.is_null() {
            return tuple;
        }
        for at in 0..positional {
            ffi::PyTuple_SetItem(tuple, at, ffi::Py_NewRef(*args.offset(at)));
        }
        let mut named = std::ptr::null_mut();
        let mut is_packed = true;
        if !keywords.is_null() {
            named = ffi::PyDict_New();
            is_packed = !named.is_null();
            for at in 0..ffi::PyTuple_Size(keywords) {
                let (key, value) = (ffi::PyTuple_GetItem(keywords, at), *args.offset(positional + at));
                is_packed = is_packed && ffi::PyDict_SetItem(named, key, value) == 0;
            }
        }
        let result = if is_packed { call(callable, tuple, named) } else { std::ptr::null_mut() };
        ffi::Py_DecRef(tuple);
        ffi::Py_XDECREF(named);
        result
    }
}

struct Definitions {
    app: ffi::PyGetSetDef,
    state_checks: [ffi::PyMethodDef; 3],
    get_service: ffi::PyMethodDef,
}

const fn no_arguments(name: &'static CStr, function: ffi::PyCFunction, doc: &'static CStr) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: ffi::METH_NOARGS,
        ml_doc: doc.as_ptr(),
    }
}

fn definitions() -> Definitions {
    Definitions {
        app: ffi::PyGetSetDef {
            name: c"app".as_ptr(),
            get: Some(app),
            set: Some(set_app),
            doc: c"The library that the service wraps. Reading it starts an enabled service that was not started."
                .as_ptr(),
            closure: std::ptr::null_mut(),
        },
        state_checks: [
            no_arguments(c"is_running", is_running, c"is_running($self, /)\n--\n\nRUNNING, with an app."),
            no_arguments(c"is_ready", is_ready, c"is_ready($self, /)\n--\n\nNOT_STARTED, without an app."),
            no_arguments(c"has_failed", has_failed, c"has_failed($self, /)\n--\n\nFAILED."),
        ],
        get_service: ffi::PyMethodDef {
            ml_name: c"get_service".as_ptr(),
            ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: get_service },
            ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: c"get_service($self, name, *args, **kwargs)\n--\n\n\
                The kept service of a name; built and kept if there is none yet."
                .as_ptr(),
        },
    }
}

/// Gives the classes their hot methods. Called once, when the module is made.
pub fn install(py: Python<'_>) -> PyResult<()> {
    // Descriptors refer to their definitions for ever.
    let definitions: &'static mut Definitions = Box::leak(Box::new(definitions()));
    let service = ServiceCore::type_object(py);
    let meta = MetaCore::type_object(py);
    // SAFETY: the types are ready, the definitions live for ever and match the functions' conventions.
    unsafe {
        let app = ffi::PyDescr_NewGetSet(service.as_type_ptr(), &raw mut definitions.app);
        service.setattr("app", Bound::from_owned_ptr_or_err(py, app)?)?;
        for definition in &mut definitions.state_checks {
            let name = CStr::from_ptr(definition.ml_name).to_owned();
            let method = ffi::PyDescr_NewMethod(service.as_type_ptr(), definition);
            service.setattr(name.to_string_lossy().as_ref(), Bound::from_owned_ptr_or_err(py, method)?)?;
        }
        #[cfg(not(feature = "abi3"))]
        freeing::install(service.as_type_ptr());
        let method = ffi::PyDescr_NewMethod(meta.as_type_ptr(), &raw mut definitions.get_service);
        meta.setattr("get_service", Bound::from_owned_ptr_or_err(py, method)?)
    }
}

/// Connects the hot entry points to the Python code behind them. `meta_service` is constructed without an argument
/// tuple from now on, where the interpreter's version is known at build time.
#[pyfunction]
#[cfg_attr(feature = "abi3", expect(clippy::unnecessary_wraps, reason = "fails where construction is accelerated too"))]
pub fn accelerate(
    start_by_reading: Py<PyAny>,
    build_and_keep: Py<PyAny>,
    meta_service: &Bound<'_, PyType>,
) -> PyResult<()> {
    START_BY_READING.store(start_by_reading.into_ptr(), Ordering::Release);
    BUILD_AND_KEEP.store(build_and_keep.into_ptr(), Ordering::Release);
    #[cfg(not(feature = "abi3"))]
    construction::install(meta_service)?;
    let _ = meta_service;
    Ok(())
}

/// Lets an instance go that was kept for the next construction, and what hangs on it with it.
pub fn forget_spare(meta: &Bound<'_, MetaCore>) {
    #[cfg(not(feature = "abi3"))]
    construction::forget_spare(meta);
    let _ = meta;
}

/// Constructing `MetaService()` without an argument tuple. The slot is no part of the stable interface.
#[cfg(not(feature = "abi3"))]
mod construction {
    use super::meta::{self, MetaCore};
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

    /// Whether nobody can tell this instance from a new one: we have the only reference, no weak one, no attributes.
    ///
    /// # Safety
    /// Attached; null or an instance that this module holds a reference to.
    unsafe fn is_like_new(spare: *mut ffi::PyObject, class: *mut ffi::PyTypeObject) -> bool {
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
                && Borrowed::from_ptr(Python::assume_attached(), spare)
                    .cast_unchecked::<MetaCore>()
                    .get()
                    .is_untouched()
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
            if positional == 0 && keywords.is_null() && meta::is_populated() && is_as_made(class_type) {
                let spare = SPARE.load(Ordering::Acquire);
                return if is_like_new(spare, class_type) { ffi::Py_NewRef(spare) } else { made(class_type) };
            }
            // The ordinary way: `type.__call__` with a tuple and a dict.
            match (*ffi::Py_TYPE(class)).tp_call {
                Some(call) => super::call_packed(call, class, args, positional, keywords),
                None => std::ptr::null_mut(),
            }
        }
    }

    pub fn install(class: &Bound<'_, PyType>) -> PyResult<()> {
        let py = class.py();
        let name = PyString::intern(py, "__init__");
        // The class attribute itself, not what `getattr` makes of it.
        let init = class.getattr("__dict__")?.get_item(&name)?;
        INIT_NAME.store(name.clone().into_ptr(), Ordering::Release);
        ORIGINAL_INIT.store(init.into_ptr(), Ordering::Release);
        NO_ARGUMENTS.store(pyo3::types::PyTuple::empty(py).into_ptr(), Ordering::Release);
        // SAFETY: the class is a live heap type; the function keeps the calling convention of the slot. Its
        // metaclass is called through this slot if it has the flag, which heap types do not inherit before 3.12.
        unsafe {
            (*class.as_type_ptr()).tp_vectorcall = Some(construct);
            #[cfg(not(Py_3_12))]
            {
                let metaclass = ffi::Py_TYPE(class.as_ptr());
                (*metaclass).tp_vectorcall_offset = ffi::PyType_Type.tp_vectorcall_offset;
                (*metaclass).tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
            }
        }
        Ok(())
    }
}

/// Freeing a service. It drops the app and more, which may run Python code: from here, not from PyO3's frame. The slot
/// is no part of the stable interface.
#[cfg(not(feature = "abi3"))]
mod freeing {
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
}
