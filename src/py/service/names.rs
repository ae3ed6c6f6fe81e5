//! What services are called before somebody names them: as their class.

use crate::runtime::sync::{Arc, Mutex};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// How many names are remembered. A place holds the last one whose address led there.
const PLACES: usize = 64;

/// A name as Python has it, kept so that no other one has its address, and as the core has it.
type Remembered = (Py<PyString>, Arc<str>);

static REMEMBERED: [Mutex<Option<Remembered>>; PLACES] = [const { Mutex::new(None) }; PLACES];

/// The name of a class. The services of a class share it.
pub fn name_of(class: &Bound<'_, PyType>) -> PyResult<Arc<str>> {
    let name = class.name()?;
    let place = &REMEMBERED[(name.as_ptr() as usize >> 5) % PLACES];
    if let Some((known, shared)) = &*place.lock()
        && known.is(&name)
    {
        return Ok(Arc::clone(shared));
    }
    let shared: Arc<str> = name.to_str()?.into();
    let forgotten = place.lock().replace((name.clone().unbind(), Arc::clone(&shared)));
    drop(forgotten.map(|(name, _)| name.into_bound(class.py())));
    Ok(shared)
}
