//! `ServiceCore`: the native base of `CommonService`. Attributes with interior mutability over a life cycle.

mod attributes;
mod body;
mod names;
pub mod settings;
pub mod states;
mod ticket;

pub use attributes::{Arguments, Attributes, OBJECTS, Which};
pub use body::Body;
pub use ticket::Ticket;

use super::daemons::{Daemon, StopSignal};
use super::errors::{self, Attempt};
use super::host::{self, Wait};
use crate::runtime::daemon::terminate;
use crate::runtime::gate::Purpose;
use crate::runtime::lifecycle::Asked;
use crate::runtime::state::ServiceState;
use crate::runtime::sync::{Arc, AtomicBool, Ordering};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType, PyWeakrefReference};
use settings::{Settings, settings_of};
pub use states::public_state;
use states::state_from;

/// The native part of a service.
#[pyclass(name = "ServiceCore", module = "jaseci.svc._core", subclass, frozen, weakref)]
pub struct ServiceCore {
    /// All that it is made of.
    pub body: Arc<Body>,
    /// Whether other Python objects have the same body, so that none of them owns what is in it.
    shared: bool,
    /// Whether a fork has left the constructor of a reset behind, half done.
    cut_short: AtomicBool,
}

impl ServiceCore {
    /// One more Python object for a body that the process owns.
    pub fn sharing(body: Arc<Body>) -> Self {
        Self { body, shared: true, cut_short: AtomicBool::new(false) }
    }
}

#[pymethods]
impl ServiceCore {
    #[new]
    #[pyo3(signature = (*args, **kwargs))]
    #[classmethod]
    fn new(cls: &Bound<'_, PyType>, args: Bound<'_, PyTuple>, kwargs: Option<Bound<'_, PyDict>>) -> PyResult<Self> {
        let body = Body::new(names::name_of(cls)?);
        body.attributes().arguments = Arguments::Given(args.unbind(), kwargs.map(Bound::unbind));
        Ok(Self { body, shared: false, cut_short: AtomicBool::new(false) })
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
        let Some(attributes) = self.body.try_attributes() else { return Ok(()) };
        for object in attributes.objects() {
            visit.call(object)?;
        }
        if let Arguments::Given(args, kwargs) = &attributes.arguments {
            visit.call(args)?;
            if let Some(kwargs) = kwargs {
                visit.call(kwargs)?;
            }
        }
        Ok(())
    }

    fn __clear__(&self) {
        if !self.shared {
            let taken = std::mem::take(&mut *self.body.attributes());
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
        self.body.attributes().kept_as.as_ref().map(ToString::to_string)
    }

    #[setter(_kept_as)]
    fn keep_as(&self, name: Option<&str>) {
        self.body.attributes().kept_as = name.map(Into::into);
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

    /// Enters a state, with the reason for the event stream.
    fn _enter_state(&self, state: &Bound<'_, PyAny>, reason: &str) -> PyResult<()> {
        let entered = state_from(state)?;
        self.body.write(state.py(), |_, flags| flags.state(entered, Some(host::masked(reason).into())))?;
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
        self.body.attributes().quiet
    }

    #[setter]
    fn set_quiet(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let quiet = value.is_truthy()?;
        self.body.write(value.py(), |attributes, _| attributes.quiet = quiet)?;
        Ok(())
    }

    /// When the state was entered, in seconds since the epoch.
    #[getter]
    fn _since(&self) -> f64 {
        self.body.life.since()
    }

    /// The names of the globs that config and kube settings came from.
    #[getter]
    fn _glob_names(&self, py: Python<'_>) -> (Option<Py<PyString>>, Option<Py<PyString>>) {
        let attributes = self.body.attributes();
        let name_of = |name: &Option<Py<PyString>>| name.as_ref().map(|name| name.clone_ref(py));
        (name_of(&attributes.config_name), name_of(&attributes.kube_name))
    }

    /// Takes note of a glob that is served as settings while the service builds its own.
    fn _note_glob(&self, name: Bound<'_, PyString>) -> PyResult<()> {
        self.note_glob(name)
    }

    /// The glob that was noted last, which is forgotten.
    fn _take_noted_glob(&self) -> Option<Py<PyString>> {
        self.body.attributes().glob_read.take()
    }

    /// Whether a fork has left the constructor of a reset behind, half done: a reset is due before any use.
    #[getter]
    fn _cut_short(&self) -> bool {
        self.is_cut_short()
    }

    #[setter(_cut_short)]
    fn set_cut_short(&self, cut_short: bool) {
        self.cut_short.store(cut_short, Ordering::Release);
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
                arguments: std::mem::take(&mut attributes.arguments),
                kept_as: attributes.kept_as.take(),
                ..Attributes::default()
            };
            std::mem::replace(attributes, renewed)
        })?;
        Ok(old.map_or_else(Vec::new, |old| old.into_objects().into_iter().flatten().collect()))
    }

    /// Takes settings over: a config of the service's own, which came from the glob that was noted last, and the flags
    /// in it.
    #[pyo3(signature = (config, kube_name))]
    fn _apply_settings(&self, config: &Bound<'_, PyAny>, kube_name: Option<Py<PyString>>) -> PyResult<Vec<Py<PyAny>>> {
        let taken = self.take_settings(config.py(), settings_of(config)?, false, kube_name)?;
        Ok(taken.into_iter().flatten().collect())
    }

    /// The hook it was built with, if there was one and it lives.
    #[getter(_hook)]
    fn hook<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.body.attributes().hook(py)
    }

    /// Lets the hook go: a kept service must not keep the first request's view for ever. `stand_in` takes its place
    /// among the arguments. A hook that cannot be referred to weakly is kept.
    fn _release_hook(&self, stand_in: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
        Ok(self.release_hook(stand_in)?.into_iter().flatten().collect())
    }

    /// The arguments it was constructed with; `stand_in` for a hook that is gone.
    fn _arguments(&self, stand_in: Bound<'_, PyAny>) -> PyResult<(Py<PyTuple>, Option<Py<PyDict>>)> {
        let py = stand_in.py();
        let (arguments, hook) = {
            let attributes = self.body.attributes();
            (attributes.arguments.clone_ref(py), attributes.hook(py))
        };
        arguments.into_python(&hook.unwrap_or(stand_in))
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
        slf.get().be_findable(slf.as_any().as_borrowed())?;
        let me = host::ident(py)?;
        let begun = body.life.begin_start(me, asked, &mut Wait::new(py, Some(timeout)));
        let ticket =
            begun.map_err(|refusal| errors::refused(py, Attempt::Service(&body.life.name()), timeout, refusal))?;
        Ok(ticket.map(|ticket| Ticket::new(body, ticket)))
    }

    /// Ends the generation for a reset (or else a stop): waits at most `timeout` seconds for a start that is under
    /// way, then gives it up. The ticket is of the past for a reset by a caller whose own generation is over.
    fn _begin_end(slf: &Bound<'_, Self>, timeout: f64, reset: bool) -> PyResult<Ticket> {
        let py = slf.py();
        let body = &slf.get().body;
        let purpose = if reset { Purpose::Reset } else { Purpose::Stop };
        let me = host::ident(py)?;
        let begun = body.life.begin_end(me, purpose, &mut Wait::new(py, Some(timeout)));
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
        self.body.attributes().app.as_ref().map(|app| app.clone_ref(py))
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
        slf.get().be_findable(slf.as_any().as_borrowed())?;
        let admitted = body.life.admit(host::ident(py)?, &name.into());
        let entered = admitted.map_err(|closed| errors::closed(Attempt::Service(&body.life.name()), closed))?;
        Ok(entered.map(|daemon| Daemon::new(daemon, body)))
    }

    /// Asks daemons to stop, by name, and waits for nothing.
    fn _ask_to_stop(&self, names: Vec<String>) {
        let names: Vec<Arc<str>> = names.into_iter().map(Into::into).collect();
        for daemon in self.body.life.daemons().named(&names) {
            daemon.stop().set();
        }
    }

    /// Ends daemons by name: asked, interrupted after `grace` seconds, given up after as many again. Returns who
    /// ended and who is still alive.
    fn _terminate(&self, py: Python<'_>, names: Vec<String>, grace: f64) -> PyResult<(Vec<Daemon>, Vec<Daemon>)> {
        let names: Vec<Arc<str>> = names.into_iter().map(Into::into).collect();
        self.terminate(py, &self.body.life.daemons().named(&names), grace)
    }

    /// Ends the daemons of past generations, those spawned last first.
    fn _terminate_past(&self, py: Python<'_>, grace: f64) -> PyResult<(Vec<Daemon>, Vec<Daemon>)> {
        self.terminate(py, &self.body.life.daemons().before(self.body.life.generation()), grace)
    }

    /// Whether the caller is one of its daemons.
    #[getter]
    fn _runs_on_this_thread(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.body.life.daemons().running_on(host::ident(py)?).is_some())
    }

    fn _daemon_infos(&self) -> Vec<super::daemons::DaemonInfo> {
        self.body.life.daemons().infos().into_iter().map(Into::into).collect()
    }

    /// The signal that asks the caller to stop: a daemon's own, elsewhere the generation's.
    #[getter]
    fn stop_requested(&self, py: Python<'_>) -> PyResult<StopSignal> {
        Ok(StopSignal::new(self.body.life.stop_signal(host::ident(py)?)))
    }
}

impl ServiceCore {
    /// Whether a reset is due before any use.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short.load(Ordering::Acquire)
    }

    /// Whether this object alone owns what is in the body.
    pub fn is_owner(&self) -> bool {
        !self.shared
    }

    /// Exchanges an attribute with what is in `value`, where the caller finds what to drop: the old one, or its own if
    /// it works for a generation that is over. Errors are those of finding out who writes.
    pub fn exchange(&self, py: Python<'_>, which: Which, value: &mut Option<Py<PyAny>>) -> PyResult<()> {
        self.body.write(py, |attributes, flags| attributes.exchange(flags, which, value)).map(|_| ())
    }

    /// Takes out, before this is freed, what it refers to; nothing if it is not its own.
    pub fn take_objects(&self) -> [Option<Py<PyAny>>; OBJECTS] {
        if self.shared {
            std::array::from_fn(|_| None)
        } else {
            std::mem::take(&mut *self.body.attributes()).into_objects()
        }
    }

    /// Takes note of a glob that is served as settings.
    pub fn note_glob(&self, name: Bound<'_, PyString>) -> PyResult<()> {
        let py = name.py();
        // Dropping what is just a text runs nobody's code.
        let name = if name.is_exact_instance_of::<PyString>() { name } else { PyString::new(py, name.to_str()?) };
        let mut noted = Some(name.unbind());
        let mut note = |attributes: &mut Attributes| std::mem::swap(&mut attributes.glob_read, &mut noted);
        if self.body.life.has_late_writers() {
            self.body.write(py, |attributes, _| note(attributes))?;
        } else {
            // A builder that is given up in this moment does no harm: the next one begins by forgetting its note.
            note(&mut self.body.attributes());
        }
        drop(noted.map(|noted| noted.into_bound(py)));
        Ok(())
    }

    /// Takes settings over; `without_kube` says that there are no manifests. Returns what the caller has to drop.
    pub fn take_settings(
        &self,
        py: Python<'_>,
        settings: Settings<'_>,
        without_kube: bool,
        mut kube_name: Option<Py<PyString>>,
    ) -> PyResult<[Option<Py<PyAny>>; 4]> {
        let Settings { own, enabled, quiet } = settings;
        let mut config = Some(own.into_any().unbind());
        let (mut config_name, mut kube) = (None, None);
        self.body.write(py, |attributes, flags| {
            flags.enabled(enabled);
            attributes.quiet = quiet;
            config_name = std::mem::replace(&mut attributes.config_name, attributes.glob_read.take());
            std::mem::swap(&mut attributes.kube_name, &mut kube_name);
            std::mem::swap(&mut attributes.config, &mut config);
            if without_kube {
                kube = attributes.kube.take();
            }
        })?;
        Ok([config, config_name.map(Py::into_any), kube_name.map(Py::into_any), kube])
    }

    /// Lets the hook go where it can be referred to weakly. Returns what the caller has to drop.
    pub fn release_hook(&self, stand_in: &Bound<'_, PyAny>) -> PyResult<[Option<Py<PyAny>>; 4]> {
        let py = stand_in.py();
        let (hook, arguments) = {
            let attributes = self.body.attributes();
            (attributes.hook(py), attributes.arguments.clone_ref(py))
        };
        let Some(hook) = hook else { return Ok([const { None }; 4]) };
        let Ok(weak) = PyWeakrefReference::new(&hook) else { return Ok([const { None }; 4]) };
        let mut arguments = arguments.replaced(&hook, stand_in)?;
        let mut held = Some(weak.into_any().unbind());
        self.body.write(py, |attributes, _| {
            attributes.hook_is_weak = true;
            std::mem::swap(&mut attributes.hook, &mut held);
            std::mem::swap(&mut attributes.arguments, &mut arguments);
        })?;
        let [args, kwargs] = arguments.into_objects();
        Ok([held, args, kwargs, Some(hook.unbind())])
    }

    /// Sees to it that a shutdown finds this service.
    pub fn be_findable(&self, object: Borrowed<'_, '_, PyAny>) -> PyResult<()> {
        if self.shared { Ok(()) } else { self.body.be_findable(&object) }
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
    let mut error = Some(error);
    let marked = service.body.write(py, |attributes, flags| {
        let runs = matches!(flags.current(), ServiceState::Running | ServiceState::Started);
        if !runs {
            flags.state(ServiceState::Failed, Some(reason));
            attributes.exchange(flags, Which::Error, &mut error);
        }
        !runs
    })?;
    Ok((marked == Some(true)).then_some((error,)))
}
