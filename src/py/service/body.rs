//! What a service is made of: a life cycle, daemons, and the Python objects that go with them.

use super::attributes::Attributes;
use crate::py::host::{self, PROCESS};
use crate::runtime::blocking::Ident;
use crate::runtime::lifecycle::{Flags, Lifecycle, Written};
use crate::runtime::supervision::health::Board;
use crate::runtime::sync::{Arc, Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use std::sync::{OnceLock, Weak};

/// What a service is made of. Lives as long as its Python object; that of `MetaService` as long as the process.
pub struct Body {
    /// Its states, generations and daemons.
    pub life: Lifecycle<Weak<Body>>,
    /// Its health, as it was found last.
    pub health: Board,
    attributes: Mutex<Attributes>,
    /// The Python object, for a shutdown to find.
    object: OnceLock<Py<PyWeakrefReference>>,
}

impl Body {
    /// A body without settings, `NOT_STARTED`, named for now.
    pub fn new(name: Arc<str>) -> Arc<Self> {
        Arc::new_cyclic(|weak| Self {
            life: Lifecycle::new(Arc::clone(&PROCESS), Weak::clone(weak), name),
            health: Board::default(),
            attributes: Mutex::new(Attributes { quiet: true, ..Attributes::default() }),
            object: OnceLock::new(),
        })
    }

    /// The attributes, for a look or a change of a few instructions. What is the user's to see changes by `write`.
    pub fn attributes(&self) -> MutexGuard<'_, Attributes> {
        self.attributes.lock()
    }

    /// The attributes, unless somebody else is at them right now.
    pub fn try_attributes(&self) -> Option<MutexGuard<'_, Attributes>> {
        self.attributes.try_lock()
    }

    /// The Python object, if it still lives.
    pub fn object<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.object.get()?.bind(py).upgrade()
    }

    /// Sees to it that a shutdown finds the Python object.
    pub fn be_findable(&self, object: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.object.get().is_none() {
            let unneeded = self.object.set(PyWeakrefReference::new(object)?.unbind()).err();
            drop(unneeded.map(|unneeded| unneeded.into_bound(object.py())));
        }
        Ok(())
    }

    /// Changes attributes, unless the caller works for a generation that is over: None then. `change` puts what it
    /// takes out where the caller drops it, outside every lock.
    pub fn write<T>(
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

    /// In a forked child: ends what the parent has and the child cannot share.
    pub fn forked(&self, me: Ident, fork_safe: bool) {
        let has_app = self.attributes.lock().app.is_some();
        let shared = (has_app && !fork_safe) || self.life.daemons().any_alive();
        self.life.daemons().forked();
        self.health.wipe();
        if self.life.forked(me, shared) {
            let app = self.attributes.lock().app.take();
            // The parent's connections: neither closed nor spoken on, so never dropped either.
            std::mem::forget(app);
        }
    }
}
