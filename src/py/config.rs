//! Config texts as Python dicts, the process's own settings, and secrets in Python objects.

use super::errors::ConfigError;
use super::host::{SECRETS, SETTINGS, masked};
use crate::runtime::config::text;
use crate::runtime::secrets;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

/// How many texts are remembered with what they mean.
const KEPT_TEMPLATES: usize = 512;

static TEMPLATES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

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
    let templates = TEMPLATES.get_or_init(py, || PyDict::new(py).unbind()).bind(py);
    if let Some(template) = templates.get_item(text)? {
        return copied(&template);
    }
    let template = parsed(name, text)?;
    learn(&template)?;
    if templates.len() >= KEPT_TEMPLATES {
        templates.clear();
    }
    templates.set_item(text, &template)?;
    copied(&template)
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
    if let Some(templates) = TEMPLATES.get(py) {
        templates.bind(py).clear();
    }
}

/// The arguments with `new` wherever `old` stood among them.
pub fn replaced(
    py: Python<'_>,
    (args, kwargs): (Py<PyTuple>, Option<Py<PyDict>>),
    old: &Bound<'_, PyAny>,
    new: &Bound<'_, PyAny>,
) -> PyResult<(Py<PyTuple>, Option<Py<PyDict>>)> {
    let args = args.into_bound(py);
    let args = PyTuple::new(py, args.iter().map(|each| if each.is(old) { new.clone() } else { each }))?;
    let Some(kwargs) = kwargs else { return Ok((args.unbind(), None)) };
    let copy = PyDict::new(py);
    for (key, value) in kwargs.bind(py) {
        copy.set_item(key, if value.is(old) { new } else { &value })?;
    }
    Ok((args.unbind(), Some(copy.unbind())))
}

/// The text that this process itself keeps under a name.
#[pyfunction]
pub fn settings_get(name: &str) -> Option<String> {
    SETTINGS.get(name).map(|text| text.to_string())
}

/// Keeps a text under a name, for as long as the process lives.
#[pyfunction]
pub fn settings_set(name: &str, text: &str) {
    SETTINGS.set(name.into(), text.into());
}

/// Keeps a text unless there is one, and returns the one that is kept now.
#[pyfunction]
pub fn settings_set_default(name: &str, text: &str) -> String {
    SETTINGS.set_if_absent(name.into(), text.into()).to_string()
}

/// Forgets a name; says whether it was kept.
#[pyfunction]
pub fn settings_discard(name: &str) -> bool {
    SETTINGS.remove(name)
}

/// All names that are kept, sorted.
#[pyfunction]
pub fn settings_names() -> Vec<String> {
    SETTINGS.names().iter().map(ToString::to_string).collect()
}

/// Forgets all names; for tests that begin afresh.
#[pyfunction]
pub fn settings_clear() {
    SETTINGS.clear();
}
