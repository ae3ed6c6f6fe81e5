//! `ServiceCore`: the native base of `CommonService`. Attributes with interior mutability over a life cycle.

use super::daemons::{Daemon, StopSignal};
use super::errors::{self, Attempt, ConfigError};
use super::host::{self, PROCESS, SECRETS, Wait};
use crate::runtime::blocking::Ident;
use crate::runtime::config::flags::{self, Raw};
use crate::runtime::daemon::{Daemons, terminate};
use crate::runtime::gate::Purpose;
use crate::runtime::lifecycle::{self, Asked, Flags, Lifecycle, Written};
use crate::runtime::state::ServiceState;
use crate::runtime::supervision::health::Board;
use crate::runtime::sync::{Arc, Mutex, Signal};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType, PyWeakrefReference};
use std::sync::Weak;

/// The Python objects of a service.
#[derive(Default)]
pub struct Attributes {
    app: Option<Py<PyAny>>,
    config: Option<Py<PyAny>>,
    kube: Option<Py<PyAny>>,
    error: Option<Py<PyAny>>,
    quiet: bool,
    /// The hook that it was built with; once started, a weak reference to it where that is possible.
    hook: Option<Py<PyAny>>,
    hook_is_weak: bool,
    arguments: Option<(Py<PyTuple>, Option<Py<PyDict>>)>,
    /// The names of the globs that the settings came from.
    config_name: Option<Arc<str>>,
    kube_name: Option<Arc<str>>,
    /// The name under which the registry keeps it.
    kept_as: Option<Arc<str>>,
}

/// How many Python objects a service refers to at most.
pub const OBJECTS: usize = 7;

type Arguments = Option<(Py<PyTuple>, Option<Py<PyDict>>)>;
/// A hook that was let go, and what held it.
type ReleasedHook = (Option<Py<PyAny>>, Arguments, Py<PyAny>);

impl Attributes {
    /// All that it refers to.
    fn into_objects(self) -> [Option<Py<PyAny>>; OBJECTS] {
        let (args, kwargs) = self.arguments.map_or((None, None), |(args, kwargs)| (Some(args), kwargs));
        let (args, kwargs) = (args.map(Py::into_any), kwargs.map(Py::into_any));
        [self.app, self.config, self.kube, self.error, self.hook, args, kwargs]
    }

    fn objects(&self) -> impl Iterator<Item = &Py<PyAny>> {
        [&self.app, &self.config, &self.kube, &self.error, &self.hook].into_iter().flatten()
    }
}

/// What a service is made of. Lives as long as its Python object; that of `MetaService` as long as the process.
pub struct Body {
    /// Its states and generations.
    pub life: Lifecycle<Weak<Body>>,
    /// Its daemons, past ones included.
    pub daemons: Daemons,
    /// Its health, as it was found last.
    pub health: Board,
    attributes: Mutex<Attributes>,
    /// What code outside of daemons waits on: set when the generation ends.
    stop: Mutex<Option<Arc<Signal>>>,
    /// The Python object, for a shutdown to find.
    object: Mutex<Option<Py<PyWeakrefReference>>>,
}

impl Body {
    /// A body without settings, `NOT_STARTED`, named for now.
    pub fn new(name: &str) -> Arc<Self> {
        Arc::new_cyclic(|weak| Self {
            life: Lifecycle::new(Arc::clone(&PROCESS), Weak::clone(weak), name.into()),
            daemons: Daemons::default(),
            health: Board::default(),
            attributes: Mutex::new(Attributes { quiet: true, ..Attributes::default() }),
            stop: Mutex::new(None),
            object: Mutex::new(None),
        })
    }

    /// The Python object, if it still lives.
    pub fn object<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let reference = self.object.lock().as_ref().map(|reference| reference.clone_ref(py))?;
        reference.bind(py).upgrade()
    }

    /// The app as it is, a new reference for the caller or null; starts nothing.
    pub fn app_reference(&self, py: Python<'_>) -> *mut pyo3::ffi::PyObject {
        self.attributes.lock().app.as_ref().map_or(std::ptr::null_mut(), |app| app.clone_ref(py).into_ptr())
    }

    /// Whether the settings came from globs, and from which: config, kube.
    fn glob_names(&self) -> (Option<Arc<str>>, Option<Arc<str>>) {
        let attributes = self.attributes.lock();
        (attributes.config_name.clone(), attributes.kube_name.clone())
    }

    /// Changes attributes, unless the caller works for a generation that is over. What the change takes out is
    /// dropped here, outside every lock.
    fn write<T>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut Attributes, &mut Flags<'_>) -> T,
    ) -> PyResult<Option<T>> {
        let mut change = Some(change);
        let mut writer = if self.life.has_late_writers() { Some(host::ident(py)?) } else { None };
        loop {
            let written = self.life.write(writer, |flags| {
                let mut attributes = self.attributes.lock();
                change.take().map(|change| change(&mut attributes, flags))
            });
            match written {
                Written::Done(result) => return Ok(result),
                Written::Late => return Ok(None),
                Written::WhoWrites => writer = Some(host::ident(py)?),
            }
        }
    }

    /// The generation's stop signal, made when it is asked for.
    fn stop_signal(&self) -> Arc<Signal> {
        Arc::clone(self.stop.lock().get_or_insert_with(Arc::default))
    }

    fn renew_stop_signal(&self) {
        *self.stop.lock() = None;
    }

    /// In a forked child: what waited on the signal is gone, and its lock may have been copied locked.
    pub fn forked(&self, me: Ident, fork_safe: bool) {
        let has_app = self.attributes.lock().app.is_some();
        let shared = (has_app && !fork_safe) || self.daemons.any_alive();
        self.daemons.forked();
        self.health.wipe();
        self.renew_stop_signal();
        if self.life.forked(me, shared) {
            let app = self.attributes.lock().app.take();
            // The parent's connections: neither closed nor spoken on, so never dropped either.
            std::mem::forget(app);
        }
    }
}

/// The native part of a service.
#[pyclass(name = "ServiceCore", module = "jaseci.svc._core", subclass, frozen, weakref)]
pub struct ServiceCore {
    /// All that it is made of.
    pub body: Arc<Body>,
    /// Whether other Python objects have the same body, so that none of them owns what is in it.
    shared: bool,
}

impl ServiceCore {
    /// One more Python object for a body that the process owns.
    pub fn sharing(body: Arc<Body>) -> Self {
        Self { body, shared: true }
    }
}

static STATES: PyOnceLock<[Py<PyAny>; 4]> = PyOnceLock::new();

/// The member of the public enum.
pub fn public_state(py: Python<'_>, state: ServiceState) -> PyResult<Py<PyAny>> {
    let states = STATES.get_or_try_init(py, || {
        let public = py.import("jaseci.svc.state")?.getattr("ServiceState")?;
        let mut members = [(); 4].map(|()| py.None());
        for (member, state) in members.iter_mut().zip(ServiceState::ALL) {
            *member = public.getattr(state.name())?.unbind();
        }
        Ok::<_, PyErr>(members)
    })?;
    Ok(states[state.index()].clone_ref(py))
}

fn state_from(value: &Bound<'_, PyAny>) -> PyResult<ServiceState> {
    let number = value.getattr(intern!(value.py(), "value")).unwrap_or_else(|_| value.clone());
    let number: i64 =
        number.extract().map_err(|_| PyTypeError::new_err(format!("a state is a ServiceState, not {value:?}")))?;
    ServiceState::from_number(number).ok_or_else(|| PyValueError::new_err(format!("{number} is no ServiceState")))
}

/// What a config says: a dict of the service's own, and the flags that it has lost.
struct Settings<'py> {
    own: Bound<'py, PyDict>,
    enabled: bool,
    quiet: bool,
}

fn settings_of<'py>(config: &Bound<'py, PyAny>) -> PyResult<Settings<'py>> {
    // What is as it was served needs no second look.
    if let Some((own, [enabled, quiet])) = super::config::as_served(config)? {
        return Ok(Settings { own, enabled, quiet });
    }
    super::config::learn(config)?;
    let Ok(own) = super::config::copied(config)?.cast_into::<PyDict>() else {
        let kind = config.get_type().name()?;
        return Err(ConfigError::new_err(format!("build_config returned {kind}, not a dict")));
    };
    let enabled = pop_flag(&own, "enabled")?;
    let quiet = pop_flag(&own, "quiet")?;
    Ok(Settings { own, enabled, quiet })
}

/// Reads a flag out of a config, which loses it.
pub fn pop_flag(config: &Bound<'_, PyDict>, flag: &'static str) -> PyResult<bool> {
    let Some(value) = config.get_item(flag)? else { return Ok(false) };
    config.del_item(flag)?;
    let read = if let Ok(value) = value.extract::<bool>() {
        flags::read(flag, Raw::Bool(value))
    } else if let Ok(text) = value.cast::<PyString>() {
        flags::read(flag, Raw::Text(&text.to_string_lossy()))
    } else {
        flags::read(flag, Raw::Other(&value.get_type().name()?.to_string()))
    };
    read.map_err(|error| ConfigError::new_err(error.to_string()))
}

#[pymethods]
impl ServiceCore {
    #[new]
    #[pyo3(signature = (*args, **kwargs))]
    #[classmethod]
    fn new(cls: &Bound<'_, PyType>, args: Bound<'_, PyTuple>, kwargs: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        let body = Body::new(cls.name()?.to_str()?);
        body.attributes.lock().arguments = Some((args.unbind(), kwargs.map(Bound::unbind)));
        Ok(Self { body, shared: false })
    }

    /// `ServiceCore[App]`, for annotations: the class itself.
    #[classmethod]
    fn __class_getitem__<'py>(cls: &Bound<'py, PyType>, _item: &Bound<'py, PyAny>) -> Bound<'py, PyType> {
        cls.clone()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // What nobody owns alone is not traversed, nor what is being changed right now: both only delay a collection.
        if self.shared {
            return Ok(());
        }
        let Some(attributes) = self.body.attributes.try_lock() else { return Ok(()) };
        for object in attributes.objects() {
            visit.call(object)?;
        }
        if let Some((args, kwargs)) = &attributes.arguments {
            visit.call(args)?;
            if let Some(kwargs) = kwargs {
                visit.call(kwargs)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        if !self.shared {
            let taken = std::mem::take(&mut *self.body.attributes.lock());
            drop(taken);
        }
    }

    /// The service's name: the one it was built under, else its class's.
    #[getter]
    fn _name(&self) -> String {
        self.body.life.name().to_string()
    }

    #[setter(_name)]
    fn rename(&self, name: &str) {
        self.body.life.rename(name.into());
    }

    /// The name that the registry keeps it under; None if it does not.
    #[getter]
    fn _kept_as(&self) -> Option<String> {
        self.body.attributes.lock().kept_as.as_ref().map(ToString::to_string)
    }

    #[setter(_kept_as)]
    fn keep_as(&self, name: Option<&str>) {
        self.body.attributes.lock().kept_as = name.map(Into::into);
    }

    /// Where it stands in its life, a `ServiceState`; can be assigned.
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        public_state(py, self.body.life.state())
    }

    #[setter]
    fn set_state(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = state_from(value)?;
        self.body.write(value.py(), |_, flags| flags.state(state, Some("assigned".into())))?;
        Ok(())
    }

    /// Whether it may be started; from its config.
    #[getter]
    fn enabled(&self) -> bool {
        self.body.life.is_enabled()
    }

    #[setter]
    fn set_enabled(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let enabled = value.is_truthy()?;
        self.body.write(value.py(), |_, flags| flags.enabled(enabled))?;
        Ok(())
    }

    /// Whether a failed start is not logged; from its config.
    #[getter]
    fn quiet(&self) -> bool {
        self.body.attributes.lock().quiet
    }

    #[setter]
    fn set_quiet(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let quiet = value.is_truthy()?;
        self.body.write(value.py(), |attributes, _| attributes.quiet = quiet)?;
        Ok(())
    }

    /// What its config holds besides `enabled` and `quiet`: a dict of its own.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        if let Some(config) = self.body.attributes.lock().config.as_ref() {
            return config.bind(py).clone();
        }
        // Before any settings: an empty dict of its own, made when it is asked for.
        let empty = PyDict::new(py).into_any().unbind();
        let mut attributes = self.body.attributes.lock();
        attributes.config.get_or_insert(empty).bind(py).clone()
    }

    #[setter]
    fn set_config(&self, py: Python<'_>, config: Py<PyAny>) -> PyResult<()> {
        drop(self.body.write(py, |attributes, _| attributes.config.replace(config))?);
        Ok(())
    }

    /// The Kubernetes manifests that `build_kube` returned, or None.
    #[getter]
    fn kube(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.body.attributes.lock().kube.as_ref().map(|kube| kube.clone_ref(py))
    }

    #[setter]
    fn set_kube(&self, py: Python<'_>, kube: Option<Py<PyAny>>) -> PyResult<()> {
        drop(self.body.write(py, |attributes, _| std::mem::replace(&mut attributes.kube, kube))?);
        Ok(())
    }

    /// The exception that made it FAILED or its settings unusable, as it was raised; None if there is none.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.body.attributes.lock().error.as_ref().map(|error| error.clone_ref(py))
    }

    #[setter]
    fn set_error(&self, py: Python<'_>, error: Option<Py<PyAny>>) -> PyResult<()> {
        drop(self.body.write(py, |attributes, _| std::mem::replace(&mut attributes.error, error))?);
        Ok(())
    }

    /// When the state was entered, in seconds since the epoch.
    #[getter]
    fn _since(&self) -> f64 {
        self.body.life.since()
    }

    /// The names of the globs that config and kube settings came from.
    #[getter]
    fn _glob_names(&self) -> (Option<String>, Option<String>) {
        let (config, kube) = self.body.glob_names();
        (config.map(|name| name.to_string()), kube.map(|name| name.to_string()))
    }

    /// The attributes as before any settings, and the hook to build with.
    ///
    /// Returns what they were, for the caller to drop: that may run Python code, which must not have a frame of ours
    /// beneath it (see `super::fast`). So do the other methods that replace something.
    fn _renew(&self, py: Python<'_>, hook: Option<Py<PyAny>>) -> PyResult<Vec<Py<PyAny>>> {
        let old = self.body.write(py, |attributes, flags| {
            flags.has_app(false);
            flags.enabled(false);
            if flags.current() != ServiceState::NotStarted {
                flags.state(ServiceState::NotStarted, Some("built again".into()));
            }
            let renewed = Attributes {
                quiet: true,
                hook,
                arguments: attributes.arguments.take(),
                kept_as: attributes.kept_as.take(),
                ..Attributes::default()
            };
            std::mem::replace(attributes, renewed)
        })?;
        Ok(old.map_or_else(Vec::new, |old| old.into_objects().into_iter().flatten().collect()))
    }

    /// Takes settings over: a config of the service's own, and the flags in it.
    #[pyo3(signature = (config, config_name, kube_name))]
    fn _apply_settings(
        &self,
        config: &Bound<'_, PyAny>,
        config_name: Option<&str>,
        kube_name: Option<&str>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let py = config.py();
        let Settings { own, enabled, quiet } = settings_of(config)?;
        let old = self.body.write(py, |attributes, flags| {
            flags.enabled(enabled);
            attributes.quiet = quiet;
            attributes.config_name = config_name.map(Into::into);
            attributes.kube_name = kube_name.map(Into::into);
            attributes.config.replace(own.into_any().unbind())
        })?;
        Ok(old.flatten())
    }

    /// The hook it was built with, if there was one and it lives.
    #[getter(_hook)]
    fn hook<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let (hook, weak) = {
            let attributes = self.body.attributes.lock();
            (attributes.hook.as_ref()?.clone_ref(py), attributes.hook_is_weak)
        };
        let hook = hook.into_bound(py);
        if weak { hook.cast_into::<PyWeakrefReference>().ok()?.upgrade() } else { Some(hook) }
    }

    /// Lets the hook go: a kept service must not keep the first request's view for ever. `stand_in` takes its place
    /// among the arguments. A hook that cannot be referred to weakly is kept.
    fn _release_hook(&self, py: Python<'_>, stand_in: &Bound<'_, PyAny>) -> PyResult<Option<ReleasedHook>> {
        let Some(hook) = self.hook(py) else { return Ok(None) };
        let Ok(weak) = PyWeakrefReference::new(&hook) else { return Ok(None) };
        let arguments = self.arguments(py);
        let (args, kwargs) = super::config::replaced(py, arguments, &hook, stand_in)?;
        let old = self.body.write(py, |attributes, _| {
            attributes.hook_is_weak = true;
            (attributes.hook.replace(weak.into_any().unbind()), attributes.arguments.replace((args, kwargs)))
        })?;
        Ok(old.map(|(old_hook, arguments)| (old_hook, arguments, hook.unbind())))
    }

    /// The arguments it was constructed with.
    #[getter(_arguments)]
    fn arguments(&self, py: Python<'_>) -> (Py<PyTuple>, Option<Py<PyDict>>) {
        let attributes = self.body.attributes.lock();
        if let Some((args, kwargs)) = &attributes.arguments {
            return (args.clone_ref(py), kwargs.as_ref().map(|kwargs| kwargs.clone_ref(py)));
        }
        drop(attributes);
        (PyTuple::empty(py).unbind(), None)
    }

    /// Asks for the right to start; waits at most `timeout` seconds for who has it. None: nothing to do.
    #[pyo3(signature = (timeout, asked=""))]
    fn _begin_start(slf: &Bound<'_, Self>, timeout: f64, asked: &str) -> PyResult<Option<Ticket>> {
        let py = slf.py();
        let body = &slf.get().body;
        let asked = match asked {
            "anew" => Asked::Anew,
            "reading" => Asked::ByReading,
            _ => Asked::Explicitly,
        };
        slf.get().be_findable(slf)?;
        let me = host::ident(py)?;
        let begun = body.life.begin_start(me, asked, &mut Wait::new(py, Some(timeout)));
        let ticket =
            begun.map_err(|refusal| errors::refused(py, Attempt::Service(&body.life.name()), timeout, refusal))?;
        Ok(ticket.map(|ticket| Ticket::new(body, ticket)))
    }

    /// Ends the generation for a reset (or else a stop): waits at most `timeout` seconds for a start that is under
    /// way, then gives it up.
    fn _begin_end(slf: &Bound<'_, Self>, timeout: f64, reset: bool) -> PyResult<Ticket> {
        let py = slf.py();
        let body = &slf.get().body;
        let purpose = if reset { Purpose::Reset } else { Purpose::Stop };
        let me = host::ident(py)?;
        // A `run` that looks at the signal ends now, and need not be waited for.
        body.stop_signal().set();
        let begun = body.life.begin_end(me, purpose, &mut Wait::new(py, Some(timeout)));
        body.renew_stop_signal();
        let ticket =
            begun.map_err(|refusal| errors::refused(py, Attempt::Service(&body.life.name()), timeout, refusal))?;
        Ok(Ticket::new(body, ticket))
    }

    /// Whether reading the app would start it or wait for its start.
    #[getter]
    fn _starts_when_read(&self) -> bool {
        self.body.life.starts_when_read()
    }

    /// The app as it is; never starts anything.
    #[getter]
    fn _app(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.body.attributes.lock().app.as_ref().map(|app| app.clone_ref(py))
    }

    /// App dropped, FAILED.
    fn _fail(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let old = self.body.write(py, |attributes, flags| {
            flags.has_app(false);
            flags.state(ServiceState::Failed, None);
            attributes.app.take()
        })?;
        Ok(old.flatten())
    }

    /// A place for a daemon, unless one of this name is alive or the caller's generation is over.
    fn _enter_daemon(slf: &Bound<'_, Self>, name: &str) -> PyResult<Option<Daemon>> {
        let py = slf.py();
        let body = &slf.get().body;
        slf.get().be_findable(slf)?;
        let admitted = body.life.admit(host::ident(py)?, |generation| body.daemons.enter(&name.into(), generation));
        let entered = admitted.map_err(|closed| errors::closed(Attempt::Service(&body.life.name()), closed))?.flatten();
        Ok(entered.map(|daemon| Daemon::new(daemon, body)))
    }

    /// Asks daemons to stop, by name, and waits for nothing.
    fn _ask_to_stop(&self, names: Vec<String>) {
        let names: Vec<Arc<str>> = names.into_iter().map(Into::into).collect();
        for daemon in self.body.daemons.named(&names) {
            daemon.stop().set();
        }
    }

    /// Ends daemons by name: asked, interrupted after `grace` seconds, given up after as many again. Returns who
    /// ended and who is still alive.
    fn _terminate(&self, py: Python<'_>, names: Vec<String>, grace: f64) -> PyResult<(Vec<Daemon>, Vec<Daemon>)> {
        let names: Vec<Arc<str>> = names.into_iter().map(Into::into).collect();
        self.terminate(py, &self.body.daemons.named(&names), grace)
    }

    /// Ends the daemons of past generations, those spawned last first.
    fn _terminate_past(&self, py: Python<'_>, grace: f64) -> PyResult<(Vec<Daemon>, Vec<Daemon>)> {
        self.terminate(py, &self.body.daemons.before(self.body.life.generation()), grace)
    }

    /// Whether the caller is one of its daemons.
    #[getter]
    fn _runs_on_this_thread(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.body.daemons.running_on(host::ident(py)?).is_some())
    }

    fn _daemon_infos(&self) -> Vec<super::daemons::DaemonInfo> {
        self.body.daemons.infos().into_iter().map(Into::into).collect()
    }

    /// The signal that asks the caller to stop: a daemon's own, elsewhere the generation's.
    #[getter]
    fn stop_requested(&self, py: Python<'_>) -> PyResult<StopSignal> {
        let own = self.body.daemons.running_on(host::ident(py)?);
        let signal = own.map_or_else(|| self.body.stop_signal(), |daemon| Arc::clone(daemon.stop()));
        Ok(StopSignal::new(signal))
    }
}

impl ServiceCore {
    /// Replaces the app, and returns the old one for the caller to drop. Errors are those of finding out who writes.
    pub fn replace_app(&self, py: Python<'_>, app: Option<Py<PyAny>>) -> PyResult<Option<Py<PyAny>>> {
        let has = app.is_some();
        let old = self.body.write(py, |attributes, flags| {
            flags.has_app(has);
            std::mem::replace(&mut attributes.app, app)
        })?;
        Ok(old.flatten())
    }

    /// Takes out, before this is freed, what it refers to; nothing if it is not its own.
    pub fn take_objects(&self) -> [Option<Py<PyAny>>; OBJECTS] {
        if self.shared {
            std::array::from_fn(|_| None)
        } else {
            std::mem::take(&mut *self.body.attributes.lock()).into_objects()
        }
    }

    fn be_findable(&self, object: &Bound<'_, Self>) -> PyResult<()> {
        if !self.shared && self.body.object.lock().is_none() {
            let reference = PyWeakrefReference::new(object.as_any())?.unbind();
            let unneeded = self.body.object.lock().replace(reference);
            drop(unneeded);
        }
        Ok(())
    }

    fn terminate(
        &self,
        py: Python<'_>,
        daemons: &[Arc<crate::runtime::daemon::Daemon>],
        grace: f64,
    ) -> PyResult<(Vec<Daemon>, Vec<Daemon>)> {
        let me = host::ident(py)?;
        let stuck = terminate(daemons, me, &mut super::daemons::Ending::new(py, grace))?;
        let ended = daemons.iter().filter(|daemon| !daemon.is_alive());
        let wrap = |daemon: &Arc<_>| Daemon::new(Arc::clone(daemon), &self.body);
        Ok((ended.map(wrap).collect(), stuck.iter().map(wrap).collect()))
    }
}

/// Leaves a service that does not run FAILED, with this error and reason, without a start. Returns whether it was so, and
/// the error that it had before, for the caller to drop.
#[pyfunction]
pub fn mark_failed(
    py: Python<'_>,
    service: PyRef<'_, ServiceCore>,
    error: Py<PyAny>,
    reason: &str,
) -> PyResult<Option<(Option<Py<PyAny>>,)>> {
    let reason = host::masked(reason).into();
    let marked = service.body.write(py, |attributes, flags| {
        let runs = matches!(flags.current(), ServiceState::Running | ServiceState::Started);
        (!runs).then(|| {
            flags.state(ServiceState::Failed, Some(reason));
            (attributes.error.replace(error),)
        })
    })?;
    Ok(marked.flatten())
}

/// The right to start, reset or stop a service. Ends when it is dropped at the latest, so that an exception that
/// strikes between two lines leaves no service held for ever.
#[pyclass(module = "jaseci.svc._core", frozen)]
pub struct Ticket {
    body: Weak<Body>,
    ticket: lifecycle::Ticket,
}

impl Ticket {
    fn new(body: &Arc<Body>, ticket: lifecycle::Ticket) -> Self {
        Self { body: Arc::downgrade(body), ticket }
    }

    fn body(&self) -> PyResult<Arc<Body>> {
        self.body.upgrade().ok_or_else(|| PyRuntimeError::new_err("the service of this ticket is gone"))
    }
}

#[pymethods]
impl Ticket {
    /// Reports that `run` has ended well; True if `post_run` is due.
    fn ran(&self) -> PyResult<bool> {
        Ok(self.body()?.life.ran(&self.ticket))
    }

    /// Reports a failure with its cause; True if it was this generation's.
    fn fail(&self, error: Py<PyAny>, reason: &str) -> PyResult<bool> {
        let body = self.body()?;
        let mut old = None;
        let failed = body.life.fail(&self.ticket, SECRETS.mask(reason).into(), || {
            old = body.attributes.lock().error.replace(error);
        });
        drop(old);
        Ok(failed)
    }

    /// Puts the service back to `NOT_STARTED`. Returns what it took out, a tuple with the app, for the caller to drop;
    /// None if the ticket is from the past.
    #[allow(clippy::type_complexity, reason = "an app or none, if it was the caller's to take")]
    fn clear(&self) -> PyResult<Option<(Option<Py<PyAny>>,)>> {
        let body = self.body()?;
        Ok(body.life.clear(&self.ticket, || (body.attributes.lock().app.take(),)))
    }

    /// Ends it. Again is allowed.
    fn end(&self) {
        if let Some(body) = self.body.upgrade() {
            body.life.end(&self.ticket);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(body) = self.body.upgrade() {
            body.life.abort(&self.ticket);
        }
    }
}
