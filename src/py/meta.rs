//! The registry: `ApplicationContext` and the native base of `MetaService`.

use super::errors::{self, Attempt};
use super::host::{self, PROCESS, SLOTS, Wait};
use super::service::{Body, ServiceCore};
use crate::runtime::registry::{self, Turn};
use crate::runtime::sync::{Arc, AtomicBool, Mutex, Ordering};
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::LazyLock;
use std::sync::atomic::AtomicPtr;

/// What all instances of `MetaService` share. Lives as long as the process.
static META: LazyLock<Arc<Body>> = LazyLock::new(|| Body::new("meta".into()));

/// The dict of kept services in force. A reference to it is held for ever, also once it has been replaced: a reader
/// on another thread may be between reading this pointer and using it. What it held goes when it is cleared.
static KEPT: AtomicPtr<ffi::PyObject> = AtomicPtr::new(std::ptr::null_mut());

/// Whether the process's `MetaService` is in use.
#[cfg(not(feature = "abi3"))]
pub fn is_populated() -> bool {
    META.life.is_running()
}

/// The kept service of this name: a new reference, or null, with or without an error set.
///
/// # Safety
/// Attached, and `name` is a live object.
#[allow(unsafe_code)]
pub unsafe fn kept(name: *mut ffi::PyObject) -> *mut ffi::PyObject {
    let services = KEPT.load(std::sync::atomic::Ordering::Acquire);
    let mut service = std::ptr::null_mut();
    if !services.is_null() {
        // SAFETY: a dict that is never freed; the caller vouches for the name.
        unsafe { ffi::compat::PyDict_GetItemRef(services, name, &raw mut service) };
    }
    service
}

/// What the process's `MetaService` holds: builders, kept services, contexts, by name. Lives from one population to
/// the next shutdown.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct ApplicationContext {
    dicts: Mutex<[Py<PyDict>; 3]>,
}

const SERVICES: usize = 0;
const BACKGROUND: usize = 1;
const CONTEXT: usize = 2;

impl ApplicationContext {
    fn dict(&self, py: Python<'_>, which: usize) -> Py<PyDict> {
        self.dicts.lock()[which].clone_ref(py)
    }

    fn replace(&self, which: usize, dict: Bound<'_, PyDict>) {
        let old = std::mem::replace(&mut self.dicts.lock()[which], dict.unbind());
        drop(old);
    }
}

#[pymethods]
impl ApplicationContext {
    #[new]
    fn new(py: Python<'_>) -> Self {
        Self { dicts: Mutex::new([(); 3].map(|()| PyDict::new(py).unbind())) }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(dicts) = self.dicts.try_lock() else { return Ok(()) };
        dicts.iter().try_for_each(|dict| visit.call(dict))
    }

    /// Service classes by name.
    #[getter]
    fn services(&self, py: Python<'_>) -> Py<PyDict> {
        self.dict(py, SERVICES)
    }

    #[setter]
    fn set_services(&self, services: Bound<'_, PyDict>) {
        self.replace(SERVICES, services);
    }

    /// Kept services by name.
    #[getter]
    fn background(&self, py: Python<'_>) -> Py<PyDict> {
        self.dict(py, BACKGROUND)
    }

    #[setter]
    fn set_background(&self, background: Bound<'_, PyDict>) {
        let own = self.dict(background.py(), BACKGROUND);
        if KEPT.load(std::sync::atomic::Ordering::Acquire) == own.as_ptr() {
            hold_kept(&background);
        }
        self.replace(BACKGROUND, background);
    }

    /// Context entries by name.
    #[getter]
    fn context(&self, py: Python<'_>) -> Py<PyDict> {
        self.dict(py, CONTEXT)
    }

    #[setter]
    fn set_context(&self, context: Bound<'_, PyDict>) {
        self.replace(CONTEXT, context);
    }

    /// Makes its kept services those that `get_service` finds.
    fn _put_in_force(&self, py: Python<'_>) {
        hold_kept(self.dict(py, BACKGROUND).bind(py));
    }

    /// Ends that: `get_service` finds nothing without being populated anew.
    fn _take_out_of_force(&self, py: Python<'_>) {
        if KEPT.load(std::sync::atomic::Ordering::Acquire) == self.dict(py, BACKGROUND).as_ptr() {
            KEPT.store(std::ptr::null_mut(), std::sync::atomic::Ordering::Release);
        }
    }
}

fn hold_kept(services: &Bound<'_, PyDict>) {
    KEPT.store(services.clone().into_ptr(), std::sync::atomic::Ordering::Release);
}

/// The native part of `MetaService`: one shared body, and what is each instance's own.
#[pyclass(module = "jaseci.svc._core", extends = ServiceCore, subclass, frozen)]
pub struct MetaCore {
    run_svcs: AtomicBool,
    /// Whether it may differ from a new one: an attribute was set, or its dict was handed out.
    touched: AtomicBool,
}

impl MetaCore {
    /// Whether it is as it was made.
    pub fn is_untouched(&self) -> bool {
        !self.touched.load(Ordering::Acquire)
    }
}

#[pymethods]
impl MetaCore {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> PyClassInitializer<Self> {
        PyClassInitializer::from(ServiceCore::sharing(Arc::clone(&META)))
            .add_subclass(Self { run_svcs: AtomicBool::new(true), touched: AtomicBool::new(false) })
    }

    /// Whether hooks built through this instance get the default services.
    #[getter]
    fn run_svcs(&self) -> bool {
        self.run_svcs.load(Ordering::Acquire)
    }

    #[setter]
    fn set_run_svcs(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.run_svcs.store(value.is_truthy()?, Ordering::Release);
        Ok(())
    }

    fn __setattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        touch(slf, name, value.as_ptr())
    }

    fn __delattr__(slf: &Bound<'_, Self>, name: &Bound<'_, PyAny>) -> PyResult<()> {
        touch(slf, name, std::ptr::null_mut())
    }

    /// The dict of its attributes.
    #[allow(unsafe_code)]
    fn _own_attributes<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        mark_touched(slf);
        // SAFETY: attached, a live object; returns a new reference or null with an error set.
        unsafe {
            Bound::from_owned_ptr_or_err(slf.py(), ffi::PyObject_GenericGetDict(slf.as_ptr(), std::ptr::null_mut()))
        }
    }

    /// Asks for the right to construct the service of a name, after it was not found; waits at most `timeout`
    /// seconds for who has it. None: look again.
    #[staticmethod]
    fn _begin_construction(py: Python<'_>, name: &str, timeout: f64) -> PyResult<Option<Construction>> {
        let me = host::ident(py)?;
        let turn = SLOTS
            .begin(&PROCESS, &name.into(), me, &mut Wait::new(py, Some(timeout)))
            .map_err(|refusal| errors::refused(py, Attempt::Construction(name), timeout, refusal))?;
        Ok(match turn {
            Turn::Construct(construction) => Some(Construction(Mutex::new(Some(construction)))),
            Turn::LookAgain => None,
        })
    }
}

fn mark_touched(meta: &Bound<'_, MetaCore>) {
    meta.get().touched.store(true, Ordering::Release);
    super::fast::forget_spare(meta);
}

/// Sets an attribute, or deletes it for a null `value`, the way of any object.
#[allow(unsafe_code)]
fn touch(meta: &Bound<'_, MetaCore>, name: &Bound<'_, PyAny>, value: *mut ffi::PyObject) -> PyResult<()> {
    mark_touched(meta);
    // SAFETY: attached, live objects, a value or null.
    match unsafe { ffi::PyObject_GenericSetAttr(meta.as_ptr(), name.as_ptr(), value) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(meta.py())),
    }
}

/// The right to construct a service. Ends when it is dropped at the latest.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Construction(Mutex<Option<registry::Construction>>);

#[pymethods]
impl Construction {
    /// Ends it, well or not. Again is allowed.
    fn end(&self) {
        let construction = self.0.lock().take();
        if let Some(construction) = construction {
            SLOTS.end(&PROCESS, construction);
        }
    }
}

impl Drop for Construction {
    fn drop(&mut self) {
        self.end();
    }
}

/// Refuses every start from now on.
#[pyfunction]
pub fn close_roster() {
    PROCESS.roster.close();
}

/// Allows starts again.
#[pyfunction]
pub fn open_roster() {
    PROCESS.roster.open();
}

/// Whether starts are refused.
#[pyfunction]
pub fn is_closed() -> bool {
    PROCESS.roster.is_closed()
}

/// Takes out the service that was started last and not stopped; None when there is none.
#[pyfunction]
pub fn pop_last_started(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    loop {
        let body = PROCESS.roster.pop_last()?;
        // What is being collected needs no stop; the shared body of MetaService has no object of its own.
        if let Some(service) = body.upgrade().and_then(|body| body.object(py)) {
            return Some(service);
        }
    }
}
