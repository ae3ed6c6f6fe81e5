//! The Python functions behind the native entry points: what is unusual, and what takes long, is done there.

use pyo3::exceptions::PyKeyError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A Python object that native code turns to. Set once, when the package is imported, and never freed.
pub struct Entry(AtomicPtr<ffi::PyObject>);

impl Entry {
    const fn unset() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// The object; null before the package is imported.
    pub fn object(&self) -> *mut ffi::PyObject {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, object: Py<PyAny>) {
        self.0.store(object.into_ptr(), Ordering::Release);
    }
}

macro_rules! entries {
    ($($(#[$doc:meta])* $name:ident = $key:literal;)*) => {
        $($(#[$doc])* pub static $name: Entry = Entry::unset();)*
        const ALL: &[(&str, &Entry)] = &[$(($key, &$name)),*];
    };
}

entries! {
    /// Starts a service because its app was read.
    START_BY_READING = "start_by_reading";
    /// `get_service` for what is not kept yet.
    BUILD_AND_KEEP = "build_and_keep";
    /// `CommonService.start` as it is written.
    START = "start";
    /// Calls a method that is not written in one of the two usual ways.
    CALL_WITH_HOOK = "call_with_hook";
    /// Which of the two usual ways a function is written in, by its code.
    MANNER_OF = "manner_of";
    /// Raises for what `run` returned, unless that is no harm.
    REFUSE_RESULT = "refuse_result";
    /// Ends a start that has failed.
    FAIL_START = "fail_start";
    /// Stands for a hook that has been let go.
    HOOK = "hook";
    /// `CommonService.build_settings` as it is written.
    BUILD_SETTINGS = "build_settings";
    /// Raises for manifests that are none.
    CHECK_KUBE = "check_kube";
    /// Takes settings over that are not just what a hook has served.
    TAKE_SETTINGS = "take_settings";
    /// Disables a service whose settings raised.
    FAIL_SETTINGS = "fail_settings";
    /// What of the construction of a class is as `CommonService` has it.
    CLASSIFY = "classify";
}

/// Connects the native entry points to the Python functions behind them, by name.
pub fn connect(behind: &Bound<'_, PyDict>) -> PyResult<()> {
    for (name, entry) in ALL {
        let object = behind.get_item(name)?.ok_or_else(|| PyKeyError::new_err(*name))?;
        entry.set(object.unbind());
    }
    Ok(())
}
