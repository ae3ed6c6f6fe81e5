//! Config texts as Python dicts, the process's own settings, and secrets in Python objects.

use super::errors::ConfigError;
use super::host::{SECRETS, SETTINGS, masked};
use super::service::settings::pop_flag;
use crate::runtime::config::{names, text};
use crate::runtime::secrets;
use crate::runtime::sync::Mutex;
use pyo3::PyTypeInfo;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

/// How many texts are remembered with what they mean.
const KEPT_TEMPLATES: usize = 512;

static TEMPLATES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// What has been served last. What a service's `build_config` returns is mostly just that, and then what was found
/// out about it once holds.
static SERVED: Mutex<Option<Py<Template>>> = Mutex::new(None);

/// Makes what is made once; see `super::fork::prepare_for_forks`.
pub fn prepare(py: Python<'_>) {
    templates(py);
    Template::type_object(py);
}

fn templates(py: Python<'_>) -> &Bound<'_, PyDict> {
    TEMPLATES.get_or_init(py, || PyDict::new(py).unbind()).bind(py)
}

/// What a text means: the dict to copy, and what is known about it. Lives as long as it is among the templates.
#[pyclass(frozen)]
struct Template {
    value: Py<PyAny>,
    /// A dict without dicts or lists in it, and the part of it that is a service's own once the flags are taken out.
    flat: Option<Flat>,
}

struct Flat {
    dict: Py<PyDict>,
    /// What the dict holds, keys and values in their order, by address.
    entries: Vec<[usize; 2]>,
    own: Py<PyDict>,
    /// `enabled` and `quiet`.
    flags: [bool; 2],
}

impl Template {
    fn new(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let is_flat = |dict: &Bound<'_, PyDict>| !dict.values().iter().any(|value| is_container(&value));
        let flat = match value.cast_exact::<PyDict>() {
            Ok(dict) if is_flat(dict) => Flat::new(dict)?,
            _ => None,
        };
        Ok(Self { value: value.clone().unbind(), flat })
    }

    fn copied<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.flat {
            Some(flat) => Ok(flat.dict.bind(py).copy()?.into_any()),
            None => copied(self.value.bind(py)),
        }
    }
}

impl Flat {
    /// None if a flag in it is none: whoever uses it is told so then.
    fn new(dict: &Bound<'_, PyDict>) -> PyResult<Option<Self>> {
        let own = dict.copy()?;
        let (Ok(enabled), Ok(quiet)) = (pop_flag(&own, "enabled"), pop_flag(&own, "quiet")) else { return Ok(None) };
        let mut entries = Vec::with_capacity(dict.len());
        each_entry(dict, |entry| {
            entries.push(entry);
            true
        });
        // A copy once more has no gaps where the flags were.
        Ok(Some(Self { dict: dict.clone().unbind(), entries, own: own.copy()?.unbind(), flags: [enabled, quiet] }))
    }
}

/// If `config` holds just what has been served last: the part of it that is a service's own, and its flags.
pub fn as_served<'py>(config: &Bound<'py, PyAny>) -> PyResult<Option<(Bound<'py, PyDict>, [bool; 2])>> {
    let py = config.py();
    let served = SERVED.lock().as_ref().map(|served| served.bind(py).clone());
    let Some(flat) = served.as_ref().and_then(|served| served.get().flat.as_ref()) else { return Ok(None) };
    match config.cast_exact::<PyDict>() {
        Ok(config) if holds(config, &flat.entries) => Ok(Some((flat.own.bind(py).copy()?, flat.flags))),
        _ => Ok(None),
    }
}

/// Whether a dict holds these objects in this order, compared by address.
fn holds(dict: &Bound<'_, PyDict>, entries: &[[usize; 2]]) -> bool {
    let mut expected = entries.iter();
    let as_expected = each_entry(dict, |entry| expected.next() == Some(&entry));
    as_expected && expected.next().is_none()
}

/// Shows the addresses of keys and values to `look`, as long as it says so; says whether it did to the end.
#[allow(unsafe_code)]
fn each_entry(dict: &Bound<'_, PyDict>, mut look: impl FnMut([usize; 2]) -> bool) -> bool {
    let (mut at, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: attached, and a dict; only the addresses are used, and nothing in between runs Python code.
    while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut value) } != 0 {
        if !look([key as usize, value as usize]) {
            return false;
        }
    }
    true
}

/// What the text of the glob `name` means: a fresh dict that the caller may change, or None for null.
///
/// Raises `ConfigError`, with place and reason, for what is not a JSON object within the bounds.
#[pyfunction]
pub fn load_settings<'py>(name: &str, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = text.py();
    let Ok(text) = text.cast::<PyString>() else {
        let kind = text.get_type().name()?;
        return Err(ConfigError::new_err(format!("config {name:?} is of type {kind}, not JSON text")));
    };
    let templates = templates(py);
    let template = match templates.get_item(text)? {
        Some(template) => template.cast_into::<Template>()?,
        None => remembered(templates, text, &parsed(name, text)?)?,
    };
    let copy = template.get().copied(py)?;
    let before = SERVED.lock().replace(template.unbind());
    drop(before);
    Ok(copy)
}

fn remembered<'py>(
    templates: &Bound<'py, PyDict>,
    text: &Bound<'py, PyString>,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, Template>> {
    learn(value)?;
    let template = Bound::new(text.py(), Template::new(value)?)?;
    if templates.len() >= KEPT_TEMPLATES {
        templates.clear();
    }
    templates.set_item(text, &template)?;
    Ok(template)
}

fn parsed<'py>(name: &str, text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    let py = text.py();
    let Ok(utf8) = text.to_str() else {
        return Err(ConfigError::new_err(format!("config {name:?} is not valid Unicode: it has lone surrogates")));
    };
    let value = text::parse(utf8).map_err(|error| ConfigError::new_err(format!("config {name:?} {error}")))?;
    Ok(pythonize::pythonize(py, &value)?)
}

/// A copy that shares no dict and no list with the original.
///
/// Raises `ConfigError` for what is nested too deeply, which includes what contains itself.
#[pyfunction]
pub fn copied<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    copied_to(value, text::MAX_DEPTH)
}

fn copied_to<'py>(value: &Bound<'py, PyAny>, depth: usize) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(dict) = value.cast_exact::<PyDict>() {
        let copy = dict.copy()?;
        for (key, value) in dict {
            if is_container(&value) {
                copy.set_item(key, copied_to(&value, deeper(depth)?)?)?;
            }
        }
        Ok(copy.into_any())
    } else if let Ok(dict) = value.cast::<PyDict>() {
        // A subclass becomes what a config is: a dict.
        let plain = PyDict::new(value.py());
        plain.update(dict.as_mapping())?;
        copied_to(plain.as_any(), depth)
    } else if let Ok(list) = value.cast_exact::<PyList>() {
        let copy = PyList::empty(value.py());
        for value in list {
            copy.append(if is_container(&value) { copied_to(&value, deeper(depth)?)? } else { value })?;
        }
        Ok(copy.into_any())
    } else {
        Ok(value.clone())
    }
}

fn is_container(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyDict>() || value.is_exact_instance_of::<PyList>()
}

fn deeper(depth: usize) -> PyResult<usize> {
    let too_deep = || ConfigError::new_err(format!("a config nested deeper than {} levels", text::MAX_DEPTH));
    depth.checked_sub(1).ok_or_else(too_deep)
}

/// Notes the secrets in a config: texts under secret keys, at any depth, and the passwords of URLs anywhere.
pub fn learn(value: &Bound<'_, PyAny>) -> PyResult<()> {
    learn_under(None, value, text::MAX_DEPTH)
}

fn learn_under(secret_key: Option<&str>, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
    if let Ok(text) = value.cast::<PyString>() {
        // What has no UTF-8 form cannot stand in a text of ours either.
        let Ok(text) = text.to_str() else { return Ok(()) };
        if let Some(key) = secret_key {
            SECRETS.learn(key, text);
        }
        if text.contains("://") {
            SECRETS.learn_urls(text);
        }
    } else if let Ok(dict) = value.cast::<PyDict>() {
        for (key, value) in dict {
            let own = key.cast::<PyString>().ok().and_then(|key| key.to_str().ok());
            let secret = own.filter(|key| secrets::is_secret_key(key)).or(secret_key);
            learn_under(secret, &value, deeper(depth)?)?;
        }
    } else if let Ok(list) = value.cast::<PyList>() {
        for value in list {
            learn_under(secret_key, &value, deeper(depth)?)?;
        }
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        for value in tuple {
            learn_under(secret_key, &value, deeper(depth)?)?;
        }
    }
    Ok(())
}

/// Notes the secrets in a config that did not come from a text.
#[pyfunction]
pub fn learn_secrets(value: &Bound<'_, PyAny>) -> PyResult<()> {
    learn(value)
}

/// Whether values under this key are secrets.
#[pyfunction]
pub fn is_secret_key(key: &str) -> bool {
    secrets::is_secret_key(key)
}

/// `text` with `***` for every secret that this process has seen.
#[pyfunction]
pub fn mask(text: &str) -> String {
    masked(text)
}

/// Forgets all secrets and what texts mean; for tests that begin afresh.
#[pyfunction]
pub fn forget_secrets(py: Python<'_>) {
    SECRETS.clear();
    let served = SERVED.lock().take();
    drop(served);
    if let Some(templates) = TEMPLATES.get(py) {
        templates.bind(py).clear();
    }
}

/// Forgets all names; for tests that begin afresh.
#[pyfunction]
pub fn settings_clear() {
    SETTINGS.clear();
}

/// Whether a glob holds the settings of a service, by its name.
#[pyfunction]
pub fn is_setting_name(name: &str) -> bool {
    names::is_setting(name)
}

/// Whether a glob is needed to reach Redis, so that Redis has no say in it.
#[pyfunction]
pub fn is_bootstrap_name(name: &str) -> bool {
    names::is_bootstrap(name)
}
