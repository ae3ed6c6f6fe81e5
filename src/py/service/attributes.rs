//! The Python objects of a service.

use crate::runtime::lifecycle::Flags;
use crate::runtime::sync::Arc;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyWeakrefReference};

/// The Python objects of a service, and what is said about them.
#[derive(Default)]
pub struct Attributes {
    /// What the service wraps.
    pub app: Option<Py<PyAny>>,
    /// Its own config; None before any settings.
    pub config: Option<Py<PyAny>>,
    /// Its manifests.
    pub kube: Option<Py<PyAny>>,
    /// What made it FAILED, or its settings unusable.
    pub error: Option<Py<PyAny>>,
    /// Whether a failed start is not logged.
    pub quiet: bool,
    /// The hook that it was built with; once started, a weak reference to it where that is possible.
    pub hook: Option<Py<PyAny>>,
    /// Whether that has been let go.
    pub hook_is_weak: bool,
    /// What it was constructed with.
    pub arguments: Arguments,
    /// The glob that was served last while its settings are being built.
    pub glob_read: Option<Py<PyString>>,
    /// The names of the globs that the settings came from.
    pub config_name: Option<Py<PyString>>,
    /// The same of its manifests.
    pub kube_name: Option<Py<PyString>>,
    /// The name under which the registry keeps it.
    pub kept_as: Option<Arc<str>>,
}

/// The arguments that a service was constructed with.
#[derive(Default)]
pub enum Arguments {
    /// None, or unknown ones.
    #[default]
    None,
    /// The hook and nothing else: whatever stands in the attribute.
    JustHook,
    /// These.
    Given(Py<PyTuple>, Option<Py<PyDict>>),
}

/// How many Python objects a service refers to at most.
pub const OBJECTS: usize = 10;

/// Which attribute a setter sets.
#[derive(Clone, Copy)]
pub enum Which {
    /// `app`
    App,
    /// `config`
    Config,
    /// `kube`
    Kube,
    /// `error`
    Error,
}

impl Attributes {
    /// Exchanges what an attribute holds with what `value` holds.
    pub fn exchange(&mut self, flags: &mut Flags<'_>, which: Which, value: &mut Option<Py<PyAny>>) {
        let place = match which {
            Which::App => {
                flags.has_app(value.is_some());
                &mut self.app
            }
            Which::Config => &mut self.config,
            Which::Kube => &mut self.kube,
            Which::Error => &mut self.error,
        };
        std::mem::swap(place, value);
    }

    /// All that it refers to.
    pub fn into_objects(self) -> [Option<Py<PyAny>>; OBJECTS] {
        let [args, kwargs] = self.arguments.into_objects();
        let [read, config, kube] =
            [self.glob_read, self.config_name, self.kube_name].map(|name| name.map(Py::into_any));
        [self.app, self.config, self.kube, self.error, self.hook, args, kwargs, read, config, kube]
    }

    /// What of it may be part of a cycle.
    pub fn objects(&self) -> impl Iterator<Item = &Py<PyAny>> {
        [&self.app, &self.config, &self.kube, &self.error, &self.hook].into_iter().flatten()
    }
}

impl Attributes {
    /// The hook, if there was one and it lives.
    pub fn hook<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let hook = self.hook.as_ref()?.bind(py);
        if self.hook_is_weak { hook.cast::<PyWeakrefReference>().ok()?.upgrade() } else { Some(hook.clone()) }
    }
}

impl Arguments {
    /// The same once more.
    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        match self {
            Self::None => Self::None,
            Self::JustHook => Self::JustHook,
            Self::Given(args, kwargs) => {
                Self::Given(args.clone_ref(py), kwargs.as_ref().map(|kwargs| kwargs.clone_ref(py)))
            }
        }
    }

    /// As Python has them. `hook` is what stands for one that has been let go, or else the hook itself.
    pub fn into_python(self, hook: &Bound<'_, PyAny>) -> PyResult<(Py<PyTuple>, Option<Py<PyDict>>)> {
        let py = hook.py();
        Ok(match self {
            Self::None => (PyTuple::empty(py).unbind(), None),
            Self::JustHook => (PyTuple::new(py, [hook])?.unbind(), None),
            Self::Given(args, kwargs) => (args, kwargs),
        })
    }

    /// With `new` wherever `old` stood among them.
    pub fn replaced(self, old: &Bound<'_, PyAny>, new: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = old.py();
        let Self::Given(args, kwargs) = self else { return Ok(self) };
        let args = args.into_bound(py);
        let args = PyTuple::new(py, args.iter().map(|each| if each.is(old) { new.clone() } else { each }))?;
        let Some(kwargs) = kwargs else { return Ok(Self::Given(args.unbind(), None)) };
        let copy = PyDict::new(py);
        for (key, value) in kwargs.bind(py) {
            copy.set_item(key, if value.is(old) { new } else { &value })?;
        }
        Ok(Self::Given(args.unbind(), Some(copy.unbind())))
    }

    /// All that they refer to.
    pub fn into_objects(self) -> [Option<Py<PyAny>>; 2] {
        match self {
            Self::Given(args, kwargs) => [Some(args.into_any()), kwargs.map(Py::into_any)],
            Self::None | Self::JustHook => [None, None],
        }
    }
}
