//! What the interpreter gives the core: who calls, how to wait, and the one process-wide runtime.

use super::service::Body;
use crate::runtime::blocking::{Blocking, Ident, Waited};
use crate::runtime::config::memory::MemorySource;
use crate::runtime::process::Process;
use crate::runtime::registry::Slots;
use crate::runtime::secrets::SecretBook;
use crate::runtime::supervision::clock::Clock;
use crate::runtime::sync::{Arc, Signal};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict, PyString};
use std::sync::{LazyLock, Weak};
use std::time::{Duration, Instant};

/// The runtime of this process.
pub static PROCESS: LazyLock<Arc<Process<Weak<Body>>>> = LazyLock::new(Arc::default);
/// The names under construction.
pub static SLOTS: LazyLock<Slots> = LazyLock::new(Slots::default);
/// The secrets seen so far.
pub static SECRETS: LazyLock<SecretBook> = LazyLock::new(SecretBook::default);
/// The settings that this process keeps itself.
pub static SETTINGS: LazyLock<MemorySource> = LazyLock::new(MemorySource::default);

/// The clock that supervision goes by.
pub static CLOCK: Clock = Clock::new();

/// How long the main thread waits before it looks for Ctrl-C again.
const SIGNAL_CHECK: Duration = Duration::from_millis(50);
/// How long a greenlet gives way to the others of its thread.
const GREENLET_PAUSE: f64 = 0.002;
/// Longer than any process lives, and short enough for every clock.
const LONGEST_WAIT: f64 = 1e9;

static THREADING: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
/// The imported modules. The interpreter keeps them in one dict for as long as it lives.
static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// Makes what is made once; see `super::fork::prepare_for_forks`.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    ident(py)?;
    modules(py).map(drop)
}

fn threading(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    Ok(THREADING.get_or_try_init(py, || py.import("threading").map(Bound::unbind))?.bind(py))
}

/// Where `threading.get_ident` stands.
struct GetIdent {
    names: Py<PyDict>,
    name: Py<PyString>,
    /// The interpreter's own, where that is what we found there first.
    native: Option<Py<PyAny>>,
}

static IDENT: PyOnceLock<GetIdent> = PyOnceLock::new();

/// Who calls. Looked up each time: gevent replaces `threading.get_ident` after it was imported. As long as it is the
/// interpreter's own, its answer is known without calling it.
pub fn ident(py: Python<'_>) -> PyResult<Ident> {
    let GetIdent { names, name, native } = IDENT.get_or_try_init(py, || {
        let threading = threading(py)?;
        let name = PyString::intern(py, "get_ident");
        let found = threading.getattr(&name)?;
        let is_native = found.is_exact_instance_of::<PyCFunction>()
            && found.getattr("__module__").is_ok_and(|module| module.eq("_thread").unwrap_or(false));
        let native = is_native.then(|| found.unbind());
        Ok::<_, PyErr>(GetIdent { names: threading.dict().unbind(), name: name.unbind(), native })
    })?;
    match (names.bind(py).get_item(name)?, native) {
        (Some(current), Some(native)) if current.is(native) => Ok(native_ident()),
        (Some(current), _) => current.call0()?.extract().map(Ident),
        (None, _) => threading(py)?.call_method0("get_ident")?.extract().map(Ident),
    }
}

#[allow(unsafe_code)]
#[allow(clippy::useless_conversion, reason = "a long is no u64 everywhere")]
fn native_ident() -> Ident {
    unsafe extern "C" {
        /// Part of the stable interface, without a declaration in PyO3.
        fn PyThread_get_thread_ident() -> std::ffi::c_ulong;
    }
    // SAFETY: asks the system which thread this is; no state is involved.
    Ident(u64::from(unsafe { PyThread_get_thread_ident() }))
}

/// The main thread. Read where `threading` has it, as long as it is there: `main_thread()` is Python code, which a
/// thread that waits must not run from here while the interpreter ends.
fn main_thread(py: Python<'_>) -> PyResult<Option<Ident>> {
    let threading = threading(py)?;
    let kept = threading.dict().get_item("_main_thread")?;
    let ident = match kept.and_then(|main| main.getattr("_ident").ok()) {
        Some(ident) => ident,
        None => threading.call_method0("main_thread")?.getattr("ident")?,
    };
    Ok(ident.extract::<Option<u64>>()?.map(Ident))
}

/// The name of a living thread.
pub fn thread_name(py: Python<'_>, ident: Ident) -> Option<String> {
    let threads = threading(py).ok()?.call_method0("enumerate").ok()?;
    threads.try_iter().ok()?.flatten().find_map(|thread| {
        let same = thread.getattr("ident").ok()?.extract::<u64>().ok()? == ident.0;
        let name = thread.getattr("name").ok()?;
        same.then(|| name.repr().map_or_else(|_| "?".to_owned(), |name| name.to_string()))
    })
}

/// `text` without the secrets that this process has seen.
pub fn masked(text: &str) -> String {
    SECRETS.mask(text).into_owned()
}

/// A duration of `seconds`, however odd: negative and NaN are none, what is too long is very long.
pub fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT)).unwrap_or_default()
}

/// Waiting inside the interpreter: detached, with Ctrl-C ending the wait on the main thread, and giving way to the
/// other greenlets where threads are greenlets.
pub struct Wait<'py> {
    py: Python<'py>,
    seconds: Option<f64>,
    /// When the first wait began: most never take place, and need no look at the clock.
    began: Option<Instant>,
    manner: Option<Manner>,
}

#[derive(Clone, Copy)]
enum Manner {
    /// Nothing but the signal or the deadline ends the wait. In particular not the end of the interpreter, which a
    /// thread must not run into from here.
    Thread,
    MainThread,
    Greenlet,
}

impl<'py> Wait<'py> {
    /// Waits that end together after `seconds`, or never.
    pub fn new(py: Python<'py>, seconds: Option<f64>) -> Self {
        Self { py, seconds, began: None, manner: None }
    }

    fn manner(&mut self) -> PyResult<Manner> {
        if let Some(manner) = self.manner {
            return Ok(manner);
        }
        let manner = if is_greenlet_patched(self.py) {
            Manner::Greenlet
        } else if main_thread(self.py)? == Some(ident(self.py)?) {
            Manner::MainThread
        } else {
            Manner::Thread
        };
        self.manner = Some(manner);
        Ok(manner)
    }
}

fn modules(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    let modules = MODULES.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    Ok(modules.bind(py))
}

/// Whether gevent has replaced the threads of the standard library.
fn is_greenlet_patched(py: Python<'_>) -> bool {
    let patched = || -> PyResult<bool> {
        let modules = modules(py)?;
        let Some(monkey) = modules.get_item("gevent.monkey")? else { return Ok(false) };
        monkey.call_method1("is_module_patched", ("threading",))?.extract()
    };
    patched().unwrap_or(false)
}

impl Blocking for Wait<'_> {
    type Interrupt = PyErr;

    fn wait(&mut self, signal: &Signal) -> PyResult<Waited> {
        if signal.is_set() {
            return Ok(Waited::Happened);
        }
        let manner = self.manner()?;
        let began = *self.began.get_or_insert_with(Instant::now);
        // A wait for a thousand years is one without end: the clock cannot count it.
        let deadline = self.seconds.and_then(|seconds| began.checked_add(duration(seconds)));
        loop {
            if signal.is_set() {
                return Ok(Waited::Happened);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Waited::TimedOut);
            }
            match manner {
                Manner::Thread => {
                    self.py.detach(|| signal.wait(left));
                }
                Manner::MainThread => {
                    let slice = left.map_or(SIGNAL_CHECK, |left| left.min(SIGNAL_CHECK));
                    self.py.detach(|| signal.wait(Some(slice)));
                    self.py.check_signals()?;
                }
                Manner::Greenlet => {
                    let time = self.py.import("time")?;
                    time.call_method1("sleep", (GREENLET_PAUSE,))?;
                }
            }
        }
    }
    fn renew(&mut self) {
        self.began = None;
    }
}
